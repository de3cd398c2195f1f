import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createMemoryReplays } from '../../src/stores/memory-replays.ts';
import { openRedisStores, type RedisStores } from '../../src/stores/redis/stores.ts';
import type { ReplayMemory } from '../../src/stores/replay-memory.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const NOW = 1_790_000_000_000;
const MINUTE = 60_000;
const SILENT = { info: () => undefined, warn: () => undefined };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
});

function open(url: string, deadlineMs = 500): RedisStores {
  const stores = openRedisStores({ url, deadlineMs, keyPrefix: 'test', monotonic: () => performance.now(), logger: SILENT });
  onTestFinished(() => stores.close());
  return stores;
}

async function openReady(url = redis.url, deadlineMs = 500): Promise<ReplayMemory> {
  const { replays } = open(url, deadlineMs);
  await until(() => replays.status().state === 'ready');
  return replays;
}

async function until(reached: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!reached()) {
    if (Date.now() > end) throw new Error('not reached within 10 s');
    await sleep(10);
  }
}

describe.each([
  ['memory', async () => createMemoryReplays({ entriesMax: 10_000, startedAtMs: 0 })],
  ['Redis', () => openReady()],
] as const)('a replay memory in %s', (_name, create) => {
  test('a key is fresh once', async () => {
    const memory = await create();
    expect(await memory.remember('a', NOW, NOW + MINUTE, 500)).toBe('fresh');
    expect(await memory.remember('a', NOW, NOW + MINUTE, 500)).toBe('replayed');
    expect(await memory.remember('b', NOW, NOW + MINUTE, 500)).toBe('fresh');
  });

  test('a key is the same key whenever its proof ends', async () => {
    const memory = await create();
    expect(await memory.remember('a', NOW, NOW + MINUTE, 500)).toBe('fresh');
    expect(await memory.remember('a', NOW + 1000, NOW + 2 * MINUTE, 500)).toBe('replayed');
    expect(await memory.remember('a', NOW + 1000, NOW + 1500, 500)).toBe('replayed');
  });

  test('of many that come together one is fresh', async () => {
    const memory = await create();
    const answers = await Promise.all(Array.from({ length: 50 }, () => memory.remember('a', NOW, NOW + MINUTE, 500)));
    expect(answers.filter((answer) => answer === 'fresh')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'replayed')).toHaveLength(49);
  });

  test('no key is forgotten before its end', async () => {
    const memory = await create();
    let run = 0;
    const steps = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), after: fc.nat(3000), life: fc.integer({ min: 1, max: 9000 }) }),
      {
        minLength: 1,
        maxLength: 30,
      },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (many) => {
        run += 1;
        let now = NOW + run * 1_000_000;
        const ends = new Map<string, number>();
        for (const { key, after, life } of many) {
          now += after;
          const before = ends.get(key);
          const answer = await memory.remember(`${run}-${key}`, now, now + life, 500);
          // a key may be remembered for longer than it has to be, and never for shorter
          if (before === undefined) expect(answer).toBe('fresh');
          else if (now <= before) expect(answer).toBe('replayed');
          if (answer === 'fresh') ends.set(key, now + life);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('in memory', () => {
  test('it says since when it remembers, and forgets what has ended', () => {
    const memory = createMemoryReplays({ entriesMax: 10, startedAtMs: NOW });
    expect(memory.sinceMs).toBe(NOW);
    memory.remember('a', NOW, NOW + 1000, 0);
    memory.remember('b', NOW, NOW + MINUTE, 0);
    expect(memory.status()).toEqual({ kind: 'memory', state: 'ready', entries: 2, lastError: null });
    expect(memory.remember('c', NOW + 3000, NOW + MINUTE, 0)).toBe('fresh');
    expect(memory.status().entries).toBe(2);
    expect(memory.remember('d', NOW + 3_600_000, NOW + 3_601_000, 0)).toBe('fresh');
    expect(memory.status().entries).toBe(1);
  });

  test('a full memory says so instead of forgetting a live key, and has room again later', () => {
    const memory = createMemoryReplays({ entriesMax: 2, startedAtMs: NOW });
    memory.remember('a', NOW, NOW + 5000, 0);
    memory.remember('b', NOW, NOW + 5000, 0);
    expect(memory.remember('c', NOW, NOW + 5000, 0)).toBe('store_full');
    expect(memory.remember('a', NOW, NOW + 5000, 0)).toBe('replayed');
    expect(memory.remember('c', NOW + 7000, NOW + 9000, 0)).toBe('fresh');
  });

  test('after a clock was set back nothing is known of what had ended', () => {
    const memory = createMemoryReplays({ entriesMax: 10, startedAtMs: NOW });
    memory.remember('a', NOW, NOW + 1000, 0);
    memory.remember('b', NOW + 10_000, NOW + 20_000, 0);
    expect(memory.remember('a', NOW, NOW + 1000, 0)).toBe('store_unavailable');
    expect(memory.remember('b', NOW, NOW + 20_000, 0)).toBe('replayed');
  });
});

describe('in Redis', () => {
  test('two replicas remember together, with a time to live beyond the end', async () => {
    const [one, two] = [await openReady(), await openReady()];
    expect(one.sinceMs).toBeNull();
    expect(await one.remember('a', NOW, NOW + MINUTE, 500)).toBe('fresh');
    expect(await two.remember('a', NOW, NOW + MINUTE, 500)).toBe('replayed');
    const life = Number((await redis.command('PTTL', 'test:{u:a}')).slice(1));
    expect(life).toBeGreaterThan(MINUTE);
    expect(life).toBeLessThanOrEqual(2 * MINUTE);
  });

  test('it survives the process that remembered', async () => {
    const first = open(redis.url);
    await until(() => first.replays.status().state === 'ready');
    await first.replays.remember('a', NOW, NOW + MINUTE, 500);
    await first.close();
    expect(await (await openReady()).remember('a', NOW, NOW + MINUTE, 500)).toBe('replayed');
  });

  test('not connected: unavailable at once, without waiting', () => {
    const { replays } = open('redis://127.0.0.1:1');
    expect(replays.remember('a', NOW, NOW + MINUTE, 500)).toBe('store_unavailable');
    expect(replays.status().state).toBe('unavailable');
  });

  test('a listener that says nothing is never ready', async () => {
    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const { replays } = open(`redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, 25);
    expect(await replays.remember('a', NOW, NOW + MINUTE, 500)).toBe('store_unavailable');
  });

  test('a stopped server: every call ends as unavailable, then the breaker answers, for the counters too', async () => {
    const own = await startRedis();
    onTestFinished(() => own.stop());
    const stores = open(own.url, 25);
    await until(() => stores.replays.status().state === 'ready');
    own.pause();
    const answers = await Promise.all([0, 1, 2].map(async (n) => stores.replays.remember(`k${n}`, NOW, NOW + MINUTE, 500)));
    expect(answers).toEqual(['store_unavailable', 'store_unavailable', 'store_unavailable']);
    for (let n = 0; n < 5; n++) await stores.replays.remember(`l${n}`, NOW, NOW + MINUTE, 500);
    expect(stores.replays.remember('m', NOW, NOW + MINUTE, 500)).toBe('store_unavailable');
    expect(stores.windows.status().state).toBe('unavailable');
    own.resume();
    await until(() => {
      void stores.replays.remember('probe', NOW, NOW + MINUTE, 500);
      return stores.replays.status().state === 'ready';
    });
    expect(await stores.replays.remember('n', NOW, NOW + MINUTE, 500)).toBe('fresh');
  });

  test('a request whose time is nearly over waits no longer than that', async () => {
    const own = await startRedis();
    onTestFinished(() => own.stop());
    const { replays } = open(own.url, 5000);
    await until(() => replays.status().state === 'ready');
    expect(replays.remember('a', NOW, NOW + MINUTE, 0)).toBe('store_unavailable');
    own.pause();
    expect(await replays.remember('a', NOW, NOW + MINUTE, 20)).toBe('store_unavailable');
    own.resume();
  });

  test('a key of another kind in its place counts as used', async () => {
    await redis.command('LPUSH', 'test:{u:a}', 'foreign');
    expect(await (await openReady()).remember('a', NOW, NOW + MINUTE, 500)).toBe('replayed');
  });
});
