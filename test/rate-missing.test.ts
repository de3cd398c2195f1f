import { describe, expect, test } from 'vitest';
import type { Decision } from '../src/contract/decision.ts';
import type { JsonValue } from '../src/contract/json.ts';
import { identityOf } from './enrich/requests.ts';
import { createRateWorld, search } from './support/rate-world.ts';

/* What a limit does with a request that has not what it counts by. */

const LOGIN = { request: { method: 'POST', host: 'api.example', path: '/login' }, source: { ip: '203.0.113.7' } };
const SPEND = { key: ['json:/user'], amount: { from: 'json:/amount' }, routes: ['login'] };
const limitsOf = (limit: object, counter: object = {}) => ({
  counters: { spend: { ...SPEND, ...counter } },
  rate_limits: { budget: { of: 'spend', window: '1d', limit: 100, ...limit } },
});
const codesOf = ({ reasons }: Decision): readonly string[] => reasons.map(({ code }) => code);

describe('on_missing', () => {
  test.each<[string, Record<string, JsonValue>]>([
    ['no key', { amount: 1 }],
    ['a key that is no scalar', { user: ['ann'], amount: 1 }],
    ['no amount', { user: 'ann' }],
    ['a negative amount', { user: 'ann', amount: -1 }],
    ['a huge amount', { user: 'ann', amount: 1_000_000_001 }],
    ['an amount in words', { user: 'ann', amount: '1e3' }],
  ])('deny refuses %s with 400, ignore lets it pass uncounted', async (_what, json) => {
    const strict = await (await createRateWorld(limitsOf({ on_missing: 'deny' }))).ask(0, LOGIN, { json });
    expect(codesOf(strict)).toEqual(['rate.uncounted']);
    expect(strict).toMatchObject({ effect: 'deny', error: null, response: { status: 400 } });
    expect(JSON.stringify(strict.response)).not.toContain('ann');
    expect((await (await createRateWorld(limitsOf({ on_missing: 'ignore' }))).ask(0, LOGIN, { json })).effect).toBe('allow');
    expect((await (await createRateWorld(limitsOf({}))).ask(0, LOGIN, { json })).effect).toBe('allow');
  });

  test('what is there is counted, other routes are not asked for it, and a limit in shadow never enforces', async () => {
    const world = await createRateWorld(limitsOf({ on_missing: 'deny' }));
    expect((await world.ask(0, LOGIN, { json: { user: 'ann', amount: '99.5' } })).effect).toBe('allow');
    expect(codesOf(await world.ask(0, LOGIN, { json: { user: 'ann', amount: 1 } }))).toEqual(['rate.limited']);
    expect((await world.ask(0, search('203.0.113.7'))).effect).toBe('allow');
    const shadow = await createRateWorld(limitsOf({ on_missing: 'deny', shadow: true }));
    expect((await shadow.ask(0, LOGIN, { json: {} })).effect).toBe('allow');
  });

  test("a counter's word is its limits' until they have their own", async () => {
    const world = await createRateWorld(limitsOf({}, { on_missing: 'deny' }));
    expect(codesOf(await world.ask(0, LOGIN, { json: {} }))).toEqual(['rate.uncounted']);
    await world.activate(limitsOf({ on_missing: 'ignore' }, { on_missing: 'deny' }));
    expect((await world.ask(0, LOGIN, { json: {} })).effect).toBe('allow');
  });

  test('a limit of an entity holds who has none', async () => {
    const world = await createRateWorld({ rate_limits: { known: { of: 'client', window: '1m', limit: 5, on_missing: 'deny' } } });
    expect(codesOf(await world.ask(0, search('203.0.113.7')))).toEqual(['rate.uncounted']);
    const identity = identityOf({ client: 'agent-a', tokenKey: null });
    expect((await world.ask(0, search('203.0.113.7'), { identity })).effect).toBe('allow');
  });

  test('/status shows what each limit does', async () => {
    const onMissing = async (limit: object, counter: object) =>
      (await createRateWorld(limitsOf(limit, counter))).status()[0]?.limits?.map((one) => one.onMissing);
    expect(await onMissing({}, {})).toEqual(['ignore']);
    expect(await onMissing({ on_missing: 'deny' }, {})).toEqual(['deny']);
    expect(await onMissing({}, { on_missing: 'deny' })).toEqual(['deny']);
    expect(await onMissing({ on_missing: 'ignore' }, { on_missing: 'deny' })).toEqual(['ignore']);
  });

  test('another word is refused when the bundle is loaded', async () => {
    await expect(createRateWorld(limitsOf({ on_missing: 'close' }))).rejects.toMatchObject({ code: 'bundle_data_invalid' });
  });
});
