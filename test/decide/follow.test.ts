import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Follower, follow } from '../../src/decide/source/follow.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const PACKED = new Uint8Array([1]);

/** A source of one version that is followed, and what it was asked by. */
function following(offered: Follower['offered'], read = async () => undefined as unknown) {
  const known: (string | null)[] = [];
  const events: string[] = [];
  const source = {
    name: 'one',
    firstWaitMs: 2000,
    async read(version: string | null) {
      known.push(version);
      await read();
      return version === 'v1' ? null : { packed: PACKED, version: 'v1' };
    },
    delayMs: (failures: number) => 1000 * (failures + 1),
  };
  const following = follow(source, {
    offered,
    confirmed: () => events.push('confirmed'),
    failed: () => events.push('failed'),
  });
  return { known, events, following };
}

it('what could not be used for a reason that may pass is asked for again, seldom and then more seldom', async () => {
  const { known, following: one } = following(async () => 'again');
  await vi.advanceTimersByTimeAsync(29_500);
  expect(known.filter((version) => version === null)).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1500);
  expect(known.filter((version) => version === null)).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(58_000);
  expect(known.filter((version) => version === null)).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(3000);
  expect(known.filter((version) => version === null)).toHaveLength(3);
  one.stop();
});

it('what was taken, or refused for good, is not', async () => {
  const { known, events, following: one } = following(async () => 'done');
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(known.filter((version) => version === null)).toHaveLength(1);
  expect(events.every((event) => event === 'confirmed')).toBe(true);
  one.stop();
});

it('failures are counted in a row, and an answer ends the row', async () => {
  let away = true;
  const {
    known,
    events,
    following: one,
  } = following(
    async () => 'done',
    async () => {
      if (away) throw new Error('away');
    },
  );
  await vi.advanceTimersByTimeAsync(2000 + 3000 + 500);
  expect(events).toEqual(['failed', 'failed', 'failed']);
  away = false;
  await vi.advanceTimersByTimeAsync(4000);
  expect(known.at(-1)).toBeNull();
  await vi.advanceTimersByTimeAsync(1000);
  expect(events.at(-1)).toBe('confirmed');
  one.stop();
});

it('a start waits for the first answer, and no longer than it may; nothing is read after the end', async () => {
  const { known, following: one } = following(
    async () => 'done',
    () => new Promise(() => undefined),
  );
  let waited = false;
  void one.first.then(() => {
    waited = true;
  });
  await vi.advanceTimersByTimeAsync(1900);
  expect(waited).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(waited).toBe(true);
  one.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(known).toHaveLength(1);
});
