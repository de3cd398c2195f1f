import { expect, test } from 'vitest';
import { createRecentDecisions } from '../../src/record/recent-decisions.ts';
import { allowed as baseRecord } from './records.ts';

const noted = (id: string, input: string | null = '{}') => ({
  ...baseRecord,
  decision: { ...baseRecord.decision, id },
  trace: { input, answer: '[]', exceptions: [] },
});

test('keeps the last ones by number', () => {
  const recent = createRecentDecisions({ entriesMax: 3, bytesMax: 1e6 });
  for (const id of ['a', 'b', 'c', 'd']) recent?.note(noted(id));
  expect(recent?.find('a')).toBeNull();
  expect(recent?.find('b')?.decision.id).toBe('b');
  expect(recent?.status().entries).toBe(3);
});

test('keeps the last ones by bytes, and none that is larger than all', () => {
  const recent = createRecentDecisions({ entriesMax: 1000, bytesMax: 65_536 });
  for (let index = 0; index < 100; index += 1) recent?.note(noted(`n${index}`, 'x'.repeat(5000)));
  expect(recent?.status().bytes).toBeLessThanOrEqual(65_536);
  expect(recent?.find('n99')).not.toBeNull();
  expect(recent?.find('n90')).toBeNull();
  recent?.note(noted('huge', 'x'.repeat(100_000)));
  expect(recent?.status()).toEqual({ entries: 0, bytes: 0 });
});

test('goes round for ever: what is found is always the newest, and the bytes are those of what is kept', () => {
  const recent = createRecentDecisions({ entriesMax: 7, bytesMax: 1e6 });
  for (let index = 0; index < 100; index += 1) recent?.note(noted(`n${index}`));
  const once = recent?.status();
  for (let index = 0; index < 100; index += 1) recent?.note(noted(`m${index % 10}`));
  expect(recent?.status()).toEqual(once);
  expect(['m3', 'm9'].map((id) => recent?.find(id) !== null)).toEqual([true, true]);
  expect(['m2', 'n99'].map((id) => recent?.find(id) === null)).toEqual([true, true]);
});

test('0 keeps none', () => {
  expect(createRecentDecisions({ entriesMax: 0, bytesMax: 1e6 })).toBeNull();
});

test('keeps no credential of the request', () => {
  const canary = 'canary-credential';
  const recent = createRecentDecisions({ entriesMax: 10, bytesMax: 1e6 });
  const { request } = baseRecord;
  recent?.note({
    ...noted('a'),
    request: { ...request, credentials: { ...request.credentials, authorization: [canary], apiKeys: [canary] } },
  });
  expect(JSON.stringify(recent?.find('a'))).not.toContain(canary);
});
