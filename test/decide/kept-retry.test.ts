import { expect, test } from 'vitest';
import type { KeptPolicy, KeptState } from '../../src/decide/kept-policy.ts';
import { createRetriedPolicy } from '../../src/decide/kept-retry.ts';
import { createMemoryLogger } from '../endpoints/fixtures.ts';

const stateOf = (confirmedAt: number): KeptState => ({ origin: 'source', sourceDigest: null, confirmedAt, revisions: [] });

function opened() {
  const disk = { broken: false, tries: 0, saved: [] as number[] };
  const kept: KeptPolicy = {
    load: async () => stateOf(7),
    async save({ confirmedAt }) {
      disk.tries++;
      if (disk.broken) throw new Error('no space');
      disk.saved.push(confirmedAt);
    },
  };
  const due: { work: () => void; pauseMs: number }[] = [];
  const logger = createMemoryLogger();
  const retried = createRetriedPolicy(kept, { policy: 'default', logger, later: (work, pauseMs) => void due.push({ work, pauseMs }) });
  /** The pause that is over now; null where nothing waits. */
  const pass = async (): Promise<number | null> => {
    const next = due.shift();
    next?.work();
    await new Promise((resolve) => setImmediate(resolve));
    return next?.pauseMs ?? null;
  };
  return { retried, disk, pass, logger };
}

test('what could not be saved is tried again by itself, more and more seldom, until it is', async () => {
  const { retried, disk, pass, logger } = opened();
  disk.broken = true;
  await expect(retried.save(stateOf(1))).rejects.toThrow('no space');
  const pauses: (number | null)[] = [];
  for (let round = 0; round < 8; round++) pauses.push(await pass());
  expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  disk.broken = false;
  await pass();
  expect([disk.saved, await pass()]).toEqual([[1], null]);
  expect(logger.lines).toEqual([{ level: 'info', event: 'policy_kept', fields: { policy: 'default' } }]);
});

test('something newer takes its place, and what is saved is not saved again', async () => {
  const { retried, disk, pass } = opened();
  disk.broken = true;
  await expect(retried.save(stateOf(1))).rejects.toThrow();
  await expect(retried.save(stateOf(2))).rejects.toThrow();
  disk.broken = false;
  await retried.save(stateOf(3));
  expect([await pass(), await pass()]).toEqual([1000, null]);
  expect(disk.saved).toEqual([3]);
  await retried.save(stateOf(4));
  expect([disk.saved, await retried.load()]).toEqual([[3, 4], stateOf(7)]);
});
