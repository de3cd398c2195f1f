import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createMemoryWindows } from '../../../src/stores/memory-windows.ts';
import { openRedisStores } from '../../../src/stores/redis/stores.ts';
import { WINDOWS_SCRIPT } from '../../../src/stores/redis/windows-script.ts';
import type { StoreLogger } from '../../../src/stores/store-logger.ts';
import type { WindowAnswer, WindowKeys, WindowStore } from '../../../src/stores/windows.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const KEYS: WindowKeys = { client: 'agent-1', address: '203.0.113.7', token: 'tok-1', route: 'default/orders' };
const FAILED = { client: 'store_unavailable', address: 'store_unavailable', token: 'store_unavailable', route: 'store_unavailable' };

let redis: RedisServer;
let lines: string[];
const logger: StoreLogger = {
  info: (event, fields) => lines.push(JSON.stringify({ event, ...fields })),
  warn: (event, fields) => lines.push(JSON.stringify({ event, ...fields })),
};

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  lines = [];
  await redis.command('FLUSHALL');
});

function open(url: string, options: { deadlineMs?: number; keyPrefix?: string } = {}): WindowStore {
  const { windows, close } = openRedisStores({
    url,
    deadlineMs: options.deadlineMs ?? 500,
    keyPrefix: options.keyPrefix ?? 'test',
    monotonic: () => performance.now(),
    logger,
  });
  onTestFinished(() => close());
  return { ...windows, close };
}

async function openReady(url: string, options: { deadlineMs?: number; keyPrefix?: string } = {}): Promise<WindowStore> {
  const store = open(url, options);
  await until(() => store.status().state === 'ready');
  return store;
}

async function until(reached: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error('not reached within 10 s');
    await sleep(10);
  }
}

describe('counting in Redis', () => {
  test('this hit is included and every entity has its own four windows', async () => {
    const store = await openReady(redis.url);
    await store.count(KEYS, NOW, 500);
    const answer = await store.count({ ...KEYS, client: null }, NOW + 15_000, 500);
    expect(answer.client).toBeNull();
    expect(answer.address).toEqual({ '10s': 1, '1m': 2, '10m': 2, '1h': 2 });
    expect(answer.route).toEqual({ '10s': 1, '1m': 2, '10m': 2, '1h': 2 });
  });

  const forward = fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 2 * HOUR }));
  const stepsOf = (keys: readonly string[], move: fc.Arbitrary<number>) =>
    fc.array(fc.record({ key: fc.constantFrom(...keys), move }), { minLength: 1, maxLength: 60 });

  test.each([
    ['one key, a clock that jumps anywhere', stepsOf(['a'], fc.oneof(forward, fc.integer({ min: -2 * HOUR, max: 0 })))],
    [
      'several keys, a clock that is at times set back a little',
      stepsOf(['a', 'b', 'c'], fc.oneof(forward, fc.integer({ min: -3000, max: 0 }))),
    ],
  ])('memory and Redis give the same numbers: %s', async (_name, sequences) => {
    const store = await openReady(redis.url, { deadlineMs: 5000 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(sequences, fc.integer({ min: 0, max: 1e12 }), async (steps, start) => {
        run += 1;
        const memory = createMemoryWindows({ entriesMax: 1000, startedAtMs: 0 });
        let now = NOW + start;
        const pairs = steps.map(({ key, move }) => {
          now += move;
          const keys: WindowKeys = { client: `${run}-${key}`, address: null, token: null, route: null };
          return [memory.count(keys, now, 5000), store.count(keys, now, 5000)] as const;
        });
        for (const [inMemory, inRedis] of pairs) expect((await inRedis).client).toEqual((await inMemory).client);
      }),
      { numRuns: 80 },
    );
  });

  test('two replicas count together', async () => {
    const [one, two] = [await openReady(redis.url), await openReady(redis.url)];
    await one.count(KEYS, NOW, 500);
    expect((await two.count(KEYS, NOW, 500)).client).toEqual({ '10s': 2, '1m': 2, '10m': 2, '1h': 2 });
  });

  test('keys carry a hash tag an entity and a time to live', async () => {
    const store = await openReady(redis.url, { keyPrefix: 'mine' });
    await store.count(KEYS, NOW, 500);
    const names = await redis.command('KEYS', '*');
    for (const name of ['mine:{c:agent-1}', 'mine:{a:203.0.113.7}', 'mine:{t:tok-1}', 'mine:{r:default/orders}']) {
      expect(names).toContain(name);
      expect(Number((await redis.command('PTTL', name)).slice(1))).toBeGreaterThan(HOUR);
    }
  });

  test('[asks 75] SCRIPT FLUSH between two calls: the next one counts, once', async () => {
    const store = await openReady(redis.url);
    await store.count(KEYS, NOW, 500);
    await redis.command('SCRIPT', 'FLUSH');
    expect((await store.count(KEYS, NOW, 500)).client).toEqual({ '10s': 2, '1m': 2, '10m': 2, '1h': 2 });
  });

  test('[asks 70] FLUSHALL in the middle of a window is told as history lost until an hour has been counted', async () => {
    const store = await openReady(redis.url);
    await store.count(KEYS, NOW, 500);
    expect((await store.count(KEYS, NOW + HOUR, 500)).historyLost).toBe(false);
    await redis.command('FLUSHALL');
    const after = await store.count(KEYS, NOW + HOUR + 1000, 500);
    expect(after.historyLost).toBe(true);
    expect(after.client).toEqual({ '10s': 1, '1m': 1, '10m': 1, '1h': 1 });
    expect((await store.count(KEYS, NOW + 2 * HOUR, 500)).historyLost).toBe(true);
    expect((await store.count(KEYS, NOW + 2 * HOUR + 1000, 500)).historyLost).toBe(false);
  });

  test('a key that cannot be counted marks its entity and no other', async () => {
    await redis.command('LPUSH', 'test:{c:agent-1}', 'foreign');
    const store = await openReady(redis.url);
    const answer = await store.count(KEYS, NOW, 500);
    expect(answer.client).toBe('store_unavailable');
    expect(answer.address).toEqual({ '10s': 1, '1m': 1, '10m': 1, '1h': 1 });
    expect(store.status()).toMatchObject({ state: 'ready', lastError: expect.stringContaining('WRONGTYPE') });
  });

  test('a replica whose script has another text counts on in the same value', async () => {
    const store = await openReady(redis.url);
    await store.count(KEYS, NOW, 500);
    await redis.command('EVAL', `${WINDOWS_SCRIPT}\n-- of a later version`, '1', 'test:{c:agent-1}', String(NOW), '1');
    expect((await store.count(KEYS, NOW, 500)).client).toEqual({ '10s': 3, '1m': 3, '10m': 3, '1h': 3 });
  });

  test('a value of another version starts afresh', async () => {
    await redis.command('SET', 'test:{c:agent-1}', 'short');
    const store = await openReady(redis.url);
    expect((await store.count(KEYS, NOW, 500)).client).toEqual({ '10s': 1, '1m': 1, '10m': 1, '1h': 1 });
  });
});

describe('[asks 73, 74] Redis away', () => {
  test('nothing listens: an answer at once, as a plain value', () => {
    const store = open('redis://127.0.0.1:1');
    const answer = store.count(KEYS, NOW, 25);
    expect(answer).toMatchObject(FAILED);
    expect(store.status().state).toBe('unavailable');
  });

  test('a listener that accepts and says nothing is never ready', async () => {
    const silent: Server = createServer(() => undefined);
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, '127.0.0.1', () => {
        const address = silent.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const store = open(`redis://127.0.0.1:${port}`, { deadlineMs: 25 });
    await until(() => lines.length > 0);
    expect(await store.count(KEYS, NOW, 25)).toMatchObject(FAILED);
    await store.close();
    silent.close();
  });

  test('a stopped server: every call ends as unavailable, the breaker answers without asking, and it comes back', async () => {
    const own = await startRedis();
    onTestFinished(() => own.stop());
    const store = await openReady(own.url, { deadlineMs: 25 });
    await store.count(KEYS, NOW, 25);
    own.pause();
    const calls: WindowAnswer[] = [];
    for (let call = 0; call < 4; call += 1) calls.push(await store.count(KEYS, NOW, 25));
    for (const answer of calls) expect(answer).toMatchObject(FAILED);
    const shut = store.count(KEYS, NOW, 25);
    expect(shut).not.toBeInstanceOf(Promise);
    expect(store.status().state).toBe('unavailable');
    // the connection itself is given up, else it would look ready for ever and keep every command
    await until(() => store.status().lastError?.includes('Socket timeout') === true);
    own.resume();
    await until(async () => typeof (await store.count(KEYS, NOW, 25)).client === 'object');
    expect(store.status()).toMatchObject({ state: 'ready', lastError: null });
  });

  test('a shorter budget than the deadline ends the wait', async () => {
    const own = await startRedis();
    onTestFinished(() => own.stop());
    const store = await openReady(own.url, { deadlineMs: 60_000 });
    own.pause();
    expect(await store.count(KEYS, NOW, 10)).toMatchObject(FAILED);
    expect(store.count(KEYS, NOW, 0)).toMatchObject(FAILED);
  });

  test('no more than 4,096 requests wait, the others are answered at once', async () => {
    const store = await openReady(redis.url, { deadlineMs: 60_000 });
    // none can be answered within one turn; one entity each, since a server that is busy for 300 ms counts as hung
    const keys: WindowKeys = { client: 'agent-1', address: null, token: null, route: null };
    const answers = Array.from({ length: 4100 }, () => store.count(keys, NOW, 60_000));
    expect(answers.filter((answer) => answer instanceof Promise)).toHaveLength(4096);
    const last = await answers[4095];
    expect(last?.client).toEqual({ '10s': 4096, '1m': 4096, '10m': 4096, '1h': 4096 });
    expect(store.count(keys, NOW, 60_000)).toBeInstanceOf(Promise);
  });

  test('a killed server: calls in flight fail, a new one on the same port is used, and the loss is told', async () => {
    const first = await startRedis();
    const store = await openReady(first.url);
    await store.count(KEYS, NOW, 500);
    expect((await store.count(KEYS, NOW + HOUR, 500)).historyLost).toBe(false);
    await first.kill();
    expect(await store.count(KEYS, NOW, 500)).toMatchObject(FAILED);
    const second = await startRedis({ port: first.port });
    onTestFinished(() => second.stop());
    await until(async () => typeof (await store.count({ ...KEYS, client: null }, NOW + HOUR, 500)).address === 'object');
    expect(await store.count(KEYS, NOW + HOUR, 500)).toMatchObject({ client: { '1h': 1 }, historyLost: true });
  });
});

test('a call that was in flight when the server died is not sent again to the next one', async () => {
  const first = await startRedis();
  const store = await openReady(first.url, { deadlineMs: 5000 });
  await store.count({ ...KEYS, client: 'warm-up' }, NOW, 5000);
  first.pause();
  const inFlight = store.count(KEYS, NOW, 5000);
  await new Promise((resolve) => setImmediate(resolve));
  await first.kill();
  const second = await startRedis({ port: first.port });
  onTestFinished(() => second.stop());
  expect(await inFlight).toMatchObject(FAILED);
  await until(() => store.status().state === 'ready');
  expect((await store.count(KEYS, NOW, 5000)).client).toEqual({ '10s': 1, '1m': 1, '10m': 1, '1h': 1 });
});

describe('credentials of the store', () => {
  test('the password of the URL is used', async () => {
    const own = await startRedis({ password: 'corr3ct p@ss' });
    onTestFinished(() => own.stop());
    const store = await openReady(`redis://:${encodeURIComponent('corr3ct p@ss')}@${own.host}:${own.port}`);
    expect((await store.count(KEYS, NOW, 500)).client).toEqual({ '10s': 1, '1m': 1, '10m': 1, '1h': 1 });
  });

  test('a wrong one is told without it, in the log and in the status', async () => {
    const own = await startRedis({ password: 'right' });
    onTestFinished(() => own.stop());
    const store = open(`redis://:canary-secret@${own.host}:${own.port}`);
    await until(() => lines.length > 0);
    const answer = await store.count(KEYS, NOW, 500);
    expect(answer).toMatchObject(FAILED);
    expect(store.status().lastError).toMatch(/WRONGPASS|NOAUTH/);
    expect(`${lines.join()} ${JSON.stringify(store.status())}`).not.toContain('canary-secret');
  });

  test.each(['http://127.0.0.1', 'redis://', 'redis://h/db/1', 'not a url', 'redis://:canary%ZZ@h'])(
    '%s is refused without being shown',
    (url) => {
      expect(() => open(url)).toThrow(/store\.url/);
      expect(() => open(url)).not.toThrow(/canary/);
    },
  );
});
