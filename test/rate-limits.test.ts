import { describe, expect, test } from 'vitest';
import type { Decision } from '../src/contract/decision.ts';
import { createMetrics } from '../src/record/metrics.ts';
import { createMemoryWindows } from '../src/stores/memory-windows.ts';
import type { WindowStore } from '../src/stores/windows.ts';
import { status as serviceStatus } from './record/records.ts';
import { createRateWorld, NOW, type RateWorld, rateOf, search } from './support/rate-world.ts';

const codesOf = ({ reasons }: Decision) => reasons.map(({ code }) => code);
const perMinute = (limit: number) => ({ rate: { client: {}, address: { '1m': limit }, token: {}, route: {} } });

/** How many of so many requests at a time pass. */
async function passed(world: RateWorld, afterMs: number, requests: number): Promise<number> {
  let allowed = 0;
  for (let index = 0; index < requests; index += 1) {
    if ((await world.ask(afterMs, search('203.0.113.7'))).effect === 'allow') allowed += 1;
  }
  return allowed;
}

/** A store that can count nothing. */
const AWAY: WindowStore = {
  count: (keys) => ({
    client: keys.client === null ? null : 'store_unavailable',
    address: keys.address === null ? null : 'store_unavailable',
    token: keys.token === null ? null : 'store_unavailable',
    route: 'store_unavailable',
    historyLost: true,
    ...(keys.counters === undefined ? {} : { counters: keys.counters.map(() => 'store_unavailable' as const), dayLost: true }),
  }),
  add: (hits) => hits.map(() => 'store_unavailable' as const),
  status: () => ({ kind: 'redis', state: 'unavailable', entries: null, lastError: 'away' }),
  close: () => Promise.resolve(),
};

describe('limits of a sliding window', () => {
  test('[asks 67] ten at second 59 and one at second 61: the eleventh is denied', async () => {
    const world = await createRateWorld(perMinute(10));
    expect(await passed(world, 59_000, 10)).toBe(10);
    const eleventh = await world.ask(61_000, search('203.0.113.7'));
    expect(eleventh).toMatchObject({ effect: 'deny', response: { status: 429 } });
    expect(codesOf(eleventh)).toEqual(['rate.exceeded']);
  });

  test('[asks 68] a burst, half a window, a burst: no more than the limit in the minute', async () => {
    const world = await createRateWorld(perMinute(10));
    expect((await passed(world, 0, 12)) + (await passed(world, 30_000, 12)) + (await passed(world, 59_999, 12))).toBeLessThanOrEqual(10);
  });

  test('[asks 69] a limit that is lowered live: what remains is never negative and never above it', async () => {
    const world = await createRateWorld({ ...perMinute(10), rate_fields: 'always' });
    const fieldOf = (decision: Decision) =>
      decision.upstream.responseHeadersToSet?.['ratelimit'] ?? decision.response?.headers['ratelimit'];
    for (let request = 1; request <= 3; request += 1) {
      expect(fieldOf(await world.ask(0, search('203.0.113.7')))).toBe(`"address-1m";r=${10 - request}`);
    }
    await world.activate({ ...perMinute(5), rate_fields: 'always' });
    expect(fieldOf(await world.ask(0, search('203.0.113.7')))).toBe('"address-1m";r=1');
    await world.activate({ ...perMinute(2), rate_fields: 'always' });
    expect(fieldOf(await world.ask(0, search('203.0.113.7')))).toMatch(/^"address-1m";r=0;t=6[01]$/);
    await world.activate({ ...perMinute(20), rate_fields: 'always' });
    expect(fieldOf(await world.ask(0, search('203.0.113.7')))).toBe('"address-1m";r=14');
  });

  test('[asks 72] the three headers agree, and whoever waits as long as he was told passes, a second before he does not', async () => {
    const world = await createRateWorld(perMinute(10));
    await passed(world, 0, 4);
    await passed(world, 20_000, 6);
    const denied = await world.ask(40_000, search('203.0.113.7'));
    // the eleventh leaves only when the first four and what came at 0 s are out: at 61 s
    expect(denied.response?.headers).toMatchObject({
      'retry-after': '21',
      ratelimit: '"address-1m";r=0;t=21',
      'ratelimit-policy': '"address-1m";q=10;w=60',
    });
    expect((await world.ask(61_000, search('203.0.113.7'))).effect).toBe('allow');
    const early = await createRateWorld(perMinute(10));
    await passed(early, 0, 4);
    await passed(early, 20_000, 6);
    expect((await early.ask(60_000, search('203.0.113.7'))).effect).toBe('deny');
  });

  test('fields on an allow only where the policy says so', async () => {
    const quiet = await createRateWorld(perMinute(10));
    expect((await quiet.ask(0, search('203.0.113.7'))).upstream.responseHeadersToSet).toBeUndefined();
    const told = await createRateWorld({
      ...perMinute(10),
      rate_fields: 'always',
      rate_limits: {
        all_searches: { of: 'route', window: '10s', limit: 50 },
        trial: { of: 'route', window: '10s', limit: 5, shadow: true },
      },
    });
    expect((await told.ask(0, search('203.0.113.7'))).upstream.responseHeadersToSet).toEqual({
      ratelimit: '"address-1m";r=9, "all_searches";r=49',
      'ratelimit-policy': '"address-1m";q=10;w=60, "all_searches";q=50;w=10',
    });
  });
});

describe('[asks 71] a limit in shadow', () => {
  const limits = {
    rate_limits: {
      trial: { of: 'address', window: '1m', limit: 1, shadow: true },
      enforced: { of: 'address', window: '1m', limit: 3 },
    },
  };

  test('counts and never enforces; the enforced one denies beside it, and the shadow is counted once a request', async () => {
    const world = await createRateWorld(limits);
    expect(await passed(world, 0, 3)).toBe(3);
    const fourth = await world.ask(0, search('203.0.113.7'));
    expect(codesOf(fourth)).toEqual(['rate.limited']);
    expect(fourth).toMatchObject({ effect: 'deny', response: { status: 429, headers: { 'ratelimit-policy': '"enforced";q=3;w=60' } } });
    expect(world.records.map(({ decision }) => decision.shadowLimits ?? [])).toEqual([[], ['trial'], ['trial'], ['trial']]);
    const metrics = createMetrics({
      version: '0',
      node: '26',
      clock: { now: () => NOW },
      status: () => serviceStatus,
      processMetrics: false,
    });
    for (const record of world.records) metrics.count(record);
    expect((await metrics.scrape()).text).toContain('countersign_shadow_limit_exceeded_total{limit="trial"} 3\n');
  });
});

describe('[asks 72, 73] the store is away', () => {
  const strict = { rate_limits: { strict: { of: 'address', window: '1m', limit: 5, on_store_error: 'deny' } } };
  const lenient = { rate_limits: { lenient: { of: 'address', window: '1m', limit: 5, on_store_error: 'ignore' } } };

  test('a limit that says deny answers 503 and not 429', async () => {
    const decision = await (await createRateWorld(strict, AWAY)).ask(0, search('203.0.113.7'));
    expect(codesOf(decision)).toEqual(['rate.store_unavailable']);
    expect(decision).toMatchObject({ effect: 'deny', error: null, response: { status: 503, headers: { 'retry-after': '5' } } });
    expect(decision.response?.headers).not.toHaveProperty('ratelimit');
  });

  test('a limit that says ignore lets pass, and the upstream hears of it', async () => {
    const decision = await (await createRateWorld(lenient, AWAY)).ask(0, search('203.0.113.7'));
    expect(decision).toMatchObject({
      effect: 'allow',
      upstream: { headersToSet: { 'x-countersign-degraded': expect.stringContaining('rate') } },
    });
  });

  test('a part that fails closes only what it is a part of', async () => {
    const memory = createMemoryWindows({ entriesMax: 1000, startedAtMs: 0 });
    const half: WindowStore = {
      ...memory,
      count: async (keys, ...rest) => ({ ...(await memory.count(keys, ...rest)), address: 'store_unavailable' as const }),
    };
    expect((await (await createRateWorld(strict, half)).ask(0, search('203.0.113.7'))).response?.status).toBe(503);
    const other = { rate_limits: { strict: { of: 'route', window: '1m', limit: 5, on_store_error: 'deny' } } };
    const decision = await (await createRateWorld(other, half)).ask(0, search('203.0.113.7'));
    expect(decision.effect).toBe('allow');
    expect(rateOf(decision)).toMatchObject({ degraded: true, failed: ['address'] });
  });

  test('a counter of another route closes nothing', async () => {
    const limits = {
      counters: { logins: { key: ['json:/user'], routes: ['login'] } },
      rate_limits: { logins: { of: 'logins', window: '1m', limit: 5, on_store_error: 'deny' } },
    };
    const world = await createRateWorld(limits, AWAY);
    expect((await world.ask(0, search('203.0.113.7'))).effect).toBe('allow');
    const login = { request: { method: 'POST', host: 'api.example', path: '/login' } };
    expect((await world.ask(0, login, { json: { user: 'ann' } })).response?.status).toBe(503);
  });

  test('/status shows what each limit does', async () => {
    const world = await createRateWorld({ ...perMinute(10), ...strict });
    expect(world.status()[0]?.limits).toEqual([
      { name: 'address-1m', of: 'address', window: '1m', limit: 10, shadow: false, onStoreError: 'ignore', onMissing: 'ignore' },
      { name: 'strict', of: 'address', window: '1m', limit: 5, shadow: false, onStoreError: 'deny', onMissing: 'ignore' },
    ]);
  });
});

test("the gateway's own measurement is a limit of its own, beside ours", async () => {
  const world = await createRateWorld({ rate_limits: { gateway: { of: 'pep', window: '1m', limit: 100 } } });
  const ask = (count: number, window_seconds: number) => world.ask(0, { ...search('203.0.113.7'), rate: { count, window_seconds } });
  expect((await ask(100, 60)).effect).toBe('allow');
  expect(codesOf(await ask(101, 60))).toEqual(['rate.limited']);
  // 20 in 10 seconds are 120 in a minute
  expect((await ask(20, 10)).response?.headers).toMatchObject({ 'retry-after': '10', ratelimit: '"gateway";r=0;t=10' });
  expect((await ask(16, 10)).effect).toBe('allow');
  expect(rateOf(await ask(16, 10))).toMatchObject({ pep: { count: 16, window_seconds: 10 }, address: { '1m': 5 } });
});
