import { describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '../src/contract/json.ts';
import { createRateWorld, NOW, type RateWorld, rateOf, search } from './support/rate-world.ts';

const LOGIN = { request: { method: 'POST', host: 'api.example', path: '/login' }, source: { ip: '203.0.113.7' } };
const LOGINS = {
  counters: { logins_by_user: { key: ['json:/user'], routes: ['login'] } },
  rate_limits: { logins: { of: 'logins_by_user', window: '1m', limit: 3 } },
};
const SPEND = {
  counters: { spend: { key: ['header:x-tenant'], amount: { from: 'query:amount', default: 0.5 } } },
  rate_limits: { budget: { of: 'spend', window: '1d', limit: 100 } },
};

const REPORTED = { from: 'query:amount', default: 0.5, reported: 'money' };

const login = (world: RateWorld, user: unknown, afterMs = 0) =>
  world.ask(afterMs, LOGIN, { json: user === undefined ? {} : { user: JSON.parse(JSON.stringify(user)) } });
const spend = (world: RateWorld, amount: string, tenant = 'acme', afterMs = 0) =>
  world.ask(afterMs, search('203.0.113.7', { path: `/search?amount=${encodeURIComponent(amount)}`, headers: { 'x-tenant': tenant } }));

function sumsOf(rate: JsonObject, counter: string): unknown {
  return isJsonObject(rate['counters']) ? rate['counters'][counter] : undefined;
}

describe('a counter that the policy names', () => {
  test('counts by its key, whatever address asks, on its routes only', async () => {
    const world = await createRateWorld(LOGINS);
    for (let attempt = 0; attempt < 3; attempt += 1) expect((await login(world, 'ann')).effect).toBe('allow');
    const fourth = await login(world, 'ann');
    expect(fourth.reasons.map(({ code }) => code)).toEqual(['rate.limited']);
    expect(fourth.response).toMatchObject({ status: 429, headers: { 'ratelimit-policy': '"logins";q=3;w=60' } });
    expect((await login(world, 'bob')).effect).toBe('allow');
    expect(rateOf(await world.ask(0, search('203.0.113.7')))['counters']).toEqual({});
    const reset = Number(fourth.response?.headers['retry-after']);
    expect((await login(world, 'ann', reset * 1000)).effect).toBe('allow');
  });

  test('a key that is missing, an object, or there twice is null and flagged, and is nobody else', async () => {
    const world = await createRateWorld(LOGINS);
    for (const user of [undefined, null, ['ann'], { name: 'ann' }]) {
      const rate = rateOf(await login(world, user));
      expect(rate).toMatchObject({ counters: { logins_by_user: null }, flags: ['logins_by_user.key_missing'], degraded: false });
    }
    expect(sumsOf(rateOf(await login(world, 'null')), 'logins_by_user')).toMatchObject({ '1m': 1 });
    const twice = await createRateWorld({ counters: { by_q: { key: ['query:q'] } } });
    expect(rateOf(await twice.ask(0, search('203.0.113.7', { path: '/search?q=a&q=b' })))).toMatchObject({ flags: ['by_q.key_missing'] });
  });

  test('keys of 10 kB are flagged, and no two of them are one', async () => {
    const world = await createRateWorld(LOGINS);
    const long = 'x'.repeat(10_240);
    for (const user of [`${long}a`, `${long}b`, `${long}a`]) await login(world, user);
    const rate = rateOf(await login(world, `${long}a`));
    expect(rate).toMatchObject({ flags: ['logins_by_user.key_long'] });
    expect(sumsOf(rate, 'logins_by_user')).toMatchObject({ '1m': 3 });
  });

  test('a number that has lost digits is no key: it may be the number of several', async () => {
    const world = await createRateWorld(LOGINS);
    for (const user of [9_007_199_254_740_991, -9_007_199_254_740_991, 0.5]) {
      expect(sumsOf(rateOf(await login(world, user)), 'logins_by_user')).toMatchObject({ '1m': 1 });
    }
    // what JSON.parse makes of 9007199254740992 and of 9007199254740993
    for (const user of [2 ** 53, -(2 ** 53), 1e300]) {
      expect(rateOf(await login(world, user))).toMatchObject({ counters: { logins_by_user: null }, flags: ['logins_by_user.key_missing'] });
    }
  });

  test('parts of a key do not run into each other', async () => {
    const world = await createRateWorld({ counters: { pair: { key: ['json:/a', 'json:/b'] } } });
    const ask = async (a: string, b: string) => sumsOf(rateOf(await world.ask(0, LOGIN, { json: { a, b } })), 'pair');
    await ask('x', 'yz');
    for (const [a, b] of [
      ['xy', 'z'],
      ['x","y', 'z'],
      ['', 'xyz'],
    ] as const)
      expect(await ask(a, b)).toMatchObject({ '1m': 1 });
  });
});

describe('weighted sums', () => {
  test('add up exactly in thousandths, by tenant, and hold the budget of a day', async () => {
    const world = await createRateWorld(SPEND);
    for (const amount of ['0.1', '0.2', '99.7']) expect((await spend(world, amount)).effect).toBe('allow');
    expect(sumsOf(rateOf(await spend(world, '0')), 'spend')).toMatchObject({ '1d': 100 });
    const over = await spend(world, '0.001');
    expect(over.response).toMatchObject({ status: 429, headers: { 'ratelimit-policy': '"budget";q=100;w=86400' } });
    expect((await spend(world, '5', 'other')).effect).toBe('allow');
    // all was spent within one sub-bucket of the day: there is room after a day and 24 minutes at the latest
    const reset = Number(over.response?.headers['retry-after']);
    expect(reset).toBeGreaterThan(86_400);
    expect(reset).toBeLessThanOrEqual(86_400 + 1440);
    expect((await spend(world, '1', 'acme', reset * 1000)).effect).toBe('allow');
  });

  test.each(['-1', 'NaN', 'Infinity', '1e3', '0x10', '', ' 1', '1000000000.1', '99999999999999999999', 'x'.repeat(10_000)])(
    'the amount %.20s is flagged and counted as the default',
    async (amount) => {
      const rate = rateOf(await spend(await createRateWorld(SPEND), amount));
      expect(rate).toMatchObject({ flags: ['spend.amount_invalid'] });
      expect(sumsOf(rate, 'spend')).toMatchObject({ '1d': 0.5 });
    },
  );

  test('what is reported afterwards counts for the next request, once', async () => {
    const world = await createRateWorld({ ...SPEND, counters: { spend: { ...SPEND.counters.spend, amount: REPORTED } } });
    const report = (decisionId: string, unit: string, amount: number) =>
      world.feedback.report({ decisionId, outcome: 'success', status: null, cost: new Map([[unit, amount]]) }, NOW, { name: 'edge' });
    const { id } = await spend(world, '1');
    expect(report(id, 'money', 98.5)).toBe('accepted');
    expect(report(id, 'money', 98.5)).toBe('repeated');
    const next = await spend(world, '0.5');
    expect(next.effect).toBe('allow');
    expect(sumsOf(rateOf(next), 'spend')).toMatchObject({ '1d': 100 });
    // nobody counts tokens here, and another tenant has spent nothing
    report(next.id, 'tokens', 1000);
    expect(sumsOf(rateOf(await spend(world, '1', 'other')), 'spend')).toMatchObject({ '1d': 1 });
    expect((await spend(world, '0.5')).effect).toBe('deny');
  });
});

test('a clock that goes back is flagged and counted on', async () => {
  const world = await createRateWorld({});
  await world.ask(10_000, search('203.0.113.7'));
  expect(rateOf(await world.ask(9500, search('203.0.113.7')))).toMatchObject({ flags: [], address: { '1h': 2 } });
  expect(rateOf(await world.ask(5000, search('203.0.113.7')))).toMatchObject({ flags: ['clock_back'], address: { '1h': 3 } });
  expect(rateOf(await world.ask(10_500, search('203.0.113.7')))).toMatchObject({ flags: [], address: { '1h': 4 } });
  expect(rateOf(await world.ask(-7_200_000, search('203.0.113.7')))).toMatchObject({ flags: ['clock_back'], address: { '1h': 1 } });
});
