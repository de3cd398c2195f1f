import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createMemoryWindows } from '../../../src/stores/memory-windows.ts';
import { openRedisStores } from '../../../src/stores/redis/stores.ts';
import { AMOUNT_SCALE, type CounterHit, SUM_MAX, type Threshold, type WindowKeys, type WindowStore } from '../../../src/stores/windows.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOBODY: WindowKeys = { client: null, address: null, token: null, route: null };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
});

async function openReady(keyPrefix = 'test'): Promise<WindowStore> {
  const logger = { info: () => undefined, warn: () => undefined };
  const { windows, close } = openRedisStores({
    url: redis.url,
    deadlineMs: 5000,
    keyPrefix,
    monotonic: () => performance.now(),
    logger,
  });
  onTestFinished(() => close());
  await expect.poll(() => windows.status().state).toBe('ready');
  return windows;
}

const spend = (key: string, amount: number, thresholds: readonly Threshold[] = []): CounterHit => ({
  counter: 'default/spend',
  key,
  amount,
  thresholds,
});

const amounts = fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.constantFrom(0, 1, 1e9 * AMOUNT_SCALE, SUM_MAX, SUM_MAX - 1));
const forward = fc.oneof(
  fc.integer({ min: 0, max: 400 }),
  fc.integer({ min: 0, max: 90_000 }),
  fc.integer({ min: 0, max: 2 * HOUR }),
  fc.integer({ min: 0, max: 2 * DAY }),
);
const backward = fc.oneof(fc.integer({ min: -3000, max: 0 }), fc.integer({ min: -2 * DAY, max: 0 }));
const limits = fc.array(fc.record({ window: fc.integer({ min: 0, max: 4 }), limit: fc.integer({ min: 1, max: 20_000 }) }), {
  maxLength: 3,
});

describe('memory and Redis give the same', () => {
  const stepsOf = (keys: readonly string[], move: fc.Arbitrary<number>) =>
    fc.array(fc.record({ key: fc.constantFrom(...keys), amount: amounts, move, limits }), { minLength: 1, maxLength: 40 });

  test.each([
    ['one key, a clock that jumps anywhere', stepsOf(['all'], fc.oneof(forward, forward, backward))],
    [
      'several keys, a clock that is at times set back a little',
      stepsOf(['a', 'b'], fc.oneof(forward, fc.integer({ min: -3000, max: 0 }))),
    ],
  ])('sums of weighted counters under named keys, and the time until there is room: %s', async (_name, sequences) => {
    const store = await openReady();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(sequences, fc.integer({ min: 0, max: 1e12 }), async (steps, start) => {
        run += 1;
        const memory = createMemoryWindows({ entriesMax: 1000, startedAtMs: 0 });
        let now = NOW + start;
        const pairs = steps.map(({ key, amount, move, limits: set }) => {
          now += move;
          const thresholds = set.map((limit, index) => ({ ...limit, name: `limit-${index}` }));
          const keys: WindowKeys = { ...NOBODY, counters: [spend(`${run}-${key}`, amount, thresholds), spend(`${run}-all`, amount)] };
          return [memory.count(keys, now, 5000), store.count(keys, now, 5000)] as const;
        });
        for (const [inMemory, inRedis] of pairs) {
          const [one, other] = [await inMemory, await inRedis];
          expect(other.counters).toEqual(one.counters);
          expect(other.resets).toEqual(one.resets);
        }
      }),
      { numRuns: 80 },
    );
  });

  test('the time until there is room for entities', async () => {
    const store = await openReady();
    const step = fc.record({ move: fc.oneof(forward, backward), limits });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        run += 1;
        const memory = createMemoryWindows({ entriesMax: 1000, startedAtMs: 0 });
        let now = NOW;
        const pairs = steps.map(({ move, limits: set }) => {
          now += move;
          const thresholds = set.map(({ window, limit }, index) => ({ window, limit: 1 + (limit % 8), name: `limit-${index}` }));
          const keys: WindowKeys = {
            ...NOBODY,
            client: `${run}`,
            api_key: `${run}`,
            thresholds: { client: thresholds, api_key: thresholds.slice(1) },
          };
          return [memory.count(keys, now, 5000), store.count(keys, now, 5000)] as const;
        });
        for (const [inMemory, inRedis] of pairs) {
          const { historyLost: _memory, ...one } = await inMemory;
          const { historyLost: _redis, ...other } = await inRedis;
          expect(other).toEqual(one);
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('an amount that is reported afterwards joins those of the requests, in memory and in Redis', async () => {
  for (const store of [createMemoryWindows({ entriesMax: 100, startedAtMs: 0 }), await openReady()]) {
    await store.count({ ...NOBODY, counters: [spend('a', 1500)] }, NOW, 5000);
    const [sums] = await store.add([spend('a', 2500), spend('b', 1)], NOW + 20_000, 5000);
    expect(sums).toEqual({ '10s': 2500, '1m': 4000, '10m': 4000, '1h': 4000, '1d': 4000 });
    const { counters } = await store.count({ ...NOBODY, counters: [spend('a', 0)] }, NOW + 2 * HOUR, 5000);
    expect(counters).toEqual([{ '10s': 0, '1m': 0, '10m': 0, '1h': 0, '1d': 4000 }]);
  }
});

test('keys carry the name of their counter in the hash tag and live for a day', async () => {
  const store = await openReady('mine');
  await store.count({ ...NOBODY, api_key: 'key-1', counters: [spend('digest', 1)] }, NOW, 5000);
  expect(await redis.command('KEYS', '*')).toContain('mine:{k:key-1}');
  expect(Number((await redis.command('PTTL', 'mine:{n:default/spend:digest}')).slice(1))).toBeGreaterThan(DAY);
});

test('[asks 70] the day of counters is lost for a day after a FLUSHALL, the hour of entities for an hour', async () => {
  const store = await openReady();
  const keys: WindowKeys = { ...NOBODY, counters: [spend('a', 1)] };
  await store.count(keys, NOW, 5000);
  expect(await store.count(keys, NOW + HOUR, 5000)).toMatchObject({ historyLost: false, dayLost: true });
  expect(await store.count(keys, NOW + DAY, 5000)).toMatchObject({ historyLost: false, dayLost: false });
  await redis.command('FLUSHALL');
  expect(await store.count(keys, NOW + DAY, 5000)).toMatchObject({ historyLost: true, dayLost: true });
});

test('a store that is away marks counters as it marks entities', async () => {
  const logger = { info: () => undefined, warn: () => undefined };
  const { windows, close } = openRedisStores({ url: 'redis://127.0.0.1:1', deadlineMs: 25, keyPrefix: 't', monotonic: () => 0, logger });
  onTestFinished(() => close());
  expect(windows.count({ ...NOBODY, counters: [spend('a', 1)] }, NOW, 25)).toMatchObject({
    counters: ['store_unavailable'],
    dayLost: true,
  });
  expect(windows.add([spend('a', 1)], NOW, 25)).toEqual(['store_unavailable']);
});
