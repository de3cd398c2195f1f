import { expect, test } from 'vitest';
import { createRevocationAdmin } from '../../../src/registry/pushed/admin.ts';
import { createReplica } from '../../../src/registry/pushed/replica.ts';
import type { Followed, Put } from '../../../src/stores/shared-entries.ts';
import { createMemoryLogger } from '../../endpoints/fixtures.ts';
import { createFakeShared } from './fake-shared.ts';

const NOW = 1_790_000_000;
const OPERATOR = { name: 'ann', role: 'operator' } as const;

async function started() {
  const shared = createFakeShared();
  const clock = { now: () => NOW * 1000, monotonic: () => 0 };
  const replica = createReplica({ clock, logger: createMemoryLogger(), shared, openKept: null });
  await replica.follow();
  const admin = createRevocationAdmin({ entriesMax: 10 }, { clock, replica, serial: (work) => work() });
  const add = (...values: object[]) =>
    admin.add(
      values.map((value) => ({ reason: 'r', ...value })),
      OPERATOR,
    );
  return { admin, add, shared };
}

test.each([
  [[NOW + 100, NOW + 50], NOW + 100],
  [[NOW + 50, NOW + 100], NOW + 100],
  [[null, NOW + 100], null],
  [[NOW + 100, null, NOW + 50], null],
])('of one thing that is posted with the ends %j the longest counts', async (ends, expected) => {
  const { add, shared } = await started();
  const done = await add(...ends.map((end) => ({ client: 'a', ...(end === null ? {} : { expires_at: end }) })));
  expect(done).toMatchObject({ changes: [{ before: null, after: { expiresAt: expected } }] });
  expect(shared.put_.map(({ untilSeconds }) => untilSeconds)).toEqual([expected ?? 0]);
});

const NO_ANSWER: Put = { kind: 'failed', error: 'no answer' };

test('a change that no answer came to is made where it is there, and is named where nobody knows', async () => {
  const { admin, add, shared } = await started();
  await add({ client: 'a' }, { client: 'b' });
  const [a, b] = shared.put_.map(({ id }) => id);
  if (a === undefined || b === undefined) throw new Error('nothing was put');
  shared.remove = async () => NO_ANSWER;
  shared.answers.push({ kind: 'same', total: 2 });
  expect(await admin.remove(a)).toEqual({ refused: 'store_unavailable', unconfirmed: [a] });
  shared.answers.push({ kind: 'failed', error: 'away' });
  expect(await admin.remove(a)).toEqual({ refused: 'store_unavailable', unconfirmed: [a] });
  const gone: Followed = { kind: 'changed', position: { epoch: 'e', version: 2, head: 'h2' }, entries: [], removed: [a], more: false };
  shared.answers.push(gone);
  expect(await admin.remove(a)).toMatchObject({ changes: [{ before: { id: a }, after: null }] });

  shared.put = async () => NO_ANSWER;
  shared.answers.push({ kind: 'failed', error: 'away' });
  const refused = await add({ client: 'c' }, { client: 'd' });
  expect(refused).toMatchObject({ refused: 'store_unavailable', unconfirmed: [expect.any(String), expect.any(String)] });
  const [c = ''] = 'refused' in refused ? (refused.unconfirmed ?? []) : [];
  const text = JSON.stringify({ client: 'c', reason: 'r', by: 'ann', at: NOW });
  const there: Followed = { ...gone, entries: [{ id: c, untilSeconds: 0, text }], removed: [] };
  shared.answers.push(there);
  expect(await add({ client: 'c' })).toMatchObject({ changes: [{ after: { id: c } }] });
});
