import { expect, test } from 'vitest';
import { createHeldEntries } from '../../../src/registry/pushed/held-entries.ts';

const readable = JSON.stringify({ client: 'agent-a', reason: 'stolen', by: 'ann', at: 1 });

test('an entry of a form that is not known here revokes as soon as its form is', () => {
  const held = createHeldEntries();
  held.set({ id: 'one', untilSeconds: 10, text: '{"later":"form"}' });
  expect([held.unreadable, held.revocations.client('agent-a')]).toEqual([1, false]);
  // an operator made it longer, by a replica of this version
  held.set({ id: 'one', untilSeconds: 20, text: readable });
  expect([held.unreadable, held.revocations.client('agent-a'), held.revocations.entries]).toEqual([0, true, 1]);
  held.set({ id: 'one', untilSeconds: 30, text: readable });
  expect(held.revocations.entries).toBe(1);
  held.drop('one');
  expect([held.unreadable, held.revocations.client('agent-a'), held.entries.size]).toEqual([0, false, 0]);
});

test('what two entries revoke stays revoked until both are gone, as where a later version makes one of them narrower', () => {
  const held = createHeldEntries();
  const narrower = JSON.stringify({ client: 'agent-a', device: 'd', reason: 'stolen', by: 'ann', at: 1 });
  const jti = (issuer: string) => JSON.stringify({ jti_hash: 'j'.repeat(43), ...JSON.parse(issuer), reason: 'r', by: 'ann', at: 1 });
  held.set({ id: 'one', untilSeconds: 0, text: readable });
  held.set({ id: 'two', untilSeconds: 0, text: narrower });
  held.set({ id: 'three', untilSeconds: 0, text: jti('{}') });
  held.set({ id: 'four', untilSeconds: 0, text: jti('{"device":"d"}') });
  const { revocations } = held;
  const seen = () => [revocations.client('agent-a'), revocations.token('j'.repeat(43), 'https://as.example'), revocations.entries];
  for (const id of ['two', 'three']) held.drop(id);
  expect(seen()).toEqual([true, true, 2]);
  for (const id of ['one', 'four']) held.drop(id);
  expect(seen()).toEqual([false, false, 0]);
});
