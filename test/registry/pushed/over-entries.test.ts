import { expect, test } from 'vitest';
import { createReplica } from '../../../src/registry/pushed/replica.ts';
import type { KeptEntries, SharedEntry } from '../../../src/stores/shared-entries.ts';
import { createMemoryLogger } from '../../endpoints/fixtures.ts';
import { createFakeShared } from './fake-shared.ts';

const NOW = 1_790_000_000;
const MANY = 2300;

test.each(['alone', 'with others'])('of many that are over at once no more than a portion leaves between two turns: %s', async (name) => {
  const written: number[] = [];
  const kept: KeptEntries = {
    load: () => ({ entries: new Map(), position: null }),
    write: ({ entries, removed }) => {
      written.push([...entries].length + removed.length);
    },
    close: () => undefined,
  };
  const shared = name === 'alone' ? null : createFakeShared();
  const asked: number[] = [];
  if (shared !== null) {
    shared.purge = async (ids, nowSeconds) => {
      asked.push(ids.length);
      await new Promise((resolve) => setImmediate(resolve));
      return { kind: 'purged', nowSeconds, total: MANY, refused: [] };
    };
  }
  const clock = { seconds: NOW, now: () => clock.seconds * 1000, monotonic: () => 0 };
  const replica = createReplica({ clock, logger: createMemoryLogger(), shared, openKept: () => kept });
  replica.open();
  await replica.follow();
  const entries = Array.from({ length: MANY }, (_, index): SharedEntry => {
    const text = JSON.stringify({ client: `c${index}`, reason: 'r', by: 'ann', at: NOW });
    return { id: `i${index}`, untilSeconds: NOW + 10, text };
  });
  await replica.put(entries, MANY);

  written.length = 0;
  clock.seconds = NOW + 10;
  const left: number[] = [];
  let running = true;
  const watch = (): void => {
    left.push(replica.held.entries.size);
    if (running) setImmediate(watch);
  };
  watch();
  await replica.follow();
  running = false;
  left.push(replica.held.entries.size);
  const steps = left.map((size, index) => (left[index - 1] ?? MANY) - size);
  expect([Math.max(...steps) <= 500, Math.max(...written) <= 500, replica.held.entries.size]).toEqual([true, true, 0]);
  expect(asked.reduce((sum, length) => sum + length, 0)).toBe(shared === null ? 0 : MANY);
});
