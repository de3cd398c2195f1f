import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../src/contract/json.ts';
import type { RateValue } from '../src/contract/signals.ts';
import { createMemoryWindows } from '../src/stores/memory-windows.ts';
import { openRedisStores } from '../src/stores/redis/stores.ts';
import type { CounterHit, WindowAnswer, WindowStore } from '../src/stores/windows.ts';
import { editData } from './decide/bundles.ts';
import { baseBundle, createTestPolicies } from './decide/fixtures.ts';
import { type AuthzenWorld, startAuthzenWorld } from './support/authzen-world.ts';
import { startRedis } from './support/redis.ts';

/* Named counters of a batch: by each item's own values where they are made of those, else once. */

const ROUTES = { search: { methods: ['GET'], path: '/search', tier: 'low', public: true } };
const COUNTERS = {
  resources: { key: ['resource_id'] },
  kinds: { key: ['address', 'resource_type'] },
  actions: { key: ['action'] },
  spend: { key: ['address'], amount: { from: 'context:/amount' } },
  accounts: { key: ['context:/account'] },
  calls: { key: ['address'] },
};
const EVIDENCE = { request: { method: 'GET', host: 'api.example', path: '/search', headers: {} }, source: { ip: '203.0.113.7' } };
const Answers = z.strictObject({ evaluations: z.array(z.looseObject({ decision: z.boolean(), context: z.looseObject({}) })) });

let world: AuthzenWorld;
afterEach(() => world.stop());

const memory = (): WindowStore => createMemoryWindows({ entriesMax: 1000, startedAtMs: 0 });

/** The same store by promises. */
function later(windows: WindowStore): WindowStore {
  return { ...windows, count: async (keys, nowMs, budgetMs) => windows.count(keys, nowMs, budgetMs) };
}

async function start(limits: JsonObject, windows: WindowStore = memory()): Promise<void> {
  const policies = createTestPolicies();
  const bundle = await editData(await baseBundle(), (data) => {
    const ours = Object(data['countersign']);
    const rate = { client: {}, address: {}, token: {}, route: {} };
    return { ...data, countersign: { ...ours, routes: ROUTES, limits: { ...ours.limits, rate, counters: COUNTERS, ...limits } } };
  });
  await policies.activate('default', bundle);
  world = await startAuthzenWorld({ policies, trusts: ['subject', 'client_address'], windows });
}

type Item = { readonly id: string; readonly type?: string; readonly action?: string; readonly context?: JsonObject };

async function ask(items: readonly Item[], more: JsonObject = {}): Promise<(readonly string[] | true)[]> {
  const evaluations = items.map(({ id, type = 'record', action = 'read', context }) => ({
    resource: { type, id },
    action: { name: action },
    ...(context === undefined ? {} : { context }),
  }));
  const answer = await world.post('/access/v1/evaluations', {
    subject: { type: 'user', id: 'alice' },
    context: EVIDENCE,
    evaluations,
    ...more,
  });
  expect(answer.status).toBe(200);
  return Answers.parse(JSON.parse(answer.body)).evaluations.map(({ decision, context }) => decision || codesOf(context['reasons']));
}

function codesOf(reasons: unknown): readonly string[] {
  return Array.isArray(reasons) ? reasons.map((one: unknown) => (isJsonObject(one) ? String(one['code']) : '')) : [];
}

/** What the policy was told of each item. */
function rates(): (RateValue | string)[] {
  return world.records.map(({ enrichment }) =>
    enrichment?.rate.status === 'present' ? enrichment.rate.value : (enrichment?.rate.code ?? ''),
  );
}

function days(name: string): unknown[] {
  return rates().map((rate) => (typeof rate === 'string' ? rate : (rate.counters?.[name]?.['1d'] ?? null)));
}

const RESOURCE_LIMIT = { rate_limits: { per_resource: { of: 'resources', window: '1d', limit: 2 } } };

describe.each([
  ['in memory', (windows: WindowStore) => windows],
  ['by promises', later],
])('counters %s', (_how, over) => {
  test('are of each item where they are made of what it asks about, all others of the call', async () => {
    await start({}, over(memory()));
    const first = { id: 'a', context: { amount: 1, account: 'x' } };
    await ask([first, { id: 'b', type: 'file', action: 'write', context: { amount: 2.5, account: 'y' } }, first]);
    expect(days('resources')).toEqual([1, 1, 2]);
    expect(days('kinds')).toEqual([1, 1, 2]);
    expect(days('actions')).toEqual([1, 1, 2]);
    expect(days('spend')).toEqual([1, 3.5, 4.5]);
    expect(days('accounts')).toEqual([1, 1, 2]);
    expect(days('calls')).toEqual([1, 1, 1]);
    for (const rate of rates()) expect(rate).toMatchObject({ address: { '1h': 1 }, degraded: false });
    await ask([first]);
    expect(days('calls').at(-1)).toBe(2);
  });

  test('hold each item to its limit, with the time of its own counter', async () => {
    await start(RESOURCE_LIMIT, over(memory()));
    const answers = await ask([{ id: 'a' }, { id: 'a' }, { id: 'a' }, { id: 'b' }, { id: 'a' }]);
    expect(answers).toEqual([true, true, ['rate.limited'], true, ['rate.limited']]);
    const resets = rates().map((rate) => (typeof rate === 'string' ? null : Object.keys(rate.resets ?? {})));
    expect(resets).toEqual([[], [], ['per_resource'], [], ['per_resource']]);
  });

  test('an amount that only a further item has is counted before that item is decided', async () => {
    await start({ rate_limits: { budget: { of: 'spend', window: '1d', limit: 100 } } }, over(memory()));
    const small = { id: 'a', context: { amount: 1 } };
    expect(await ask([small, { id: 'a', context: { amount: 100 } }, small])).toEqual([true, ['rate.limited'], ['rate.limited']]);
  });

  test('on_missing: deny holds each item that lacks its key, and no other', async () => {
    await start({ rate_limits: { strict: { of: 'accounts', window: '1d', limit: 9, on_missing: 'deny' } } }, over(memory()));
    const full = { id: 'a', context: { account: 'x' } };
    const none = { id: 'a', context: { amount: 1 } };
    expect(await ask([full, none, full, none])).toEqual([true, ['rate.uncounted'], true, ['rate.uncounted']]);
    expect(await ask([none, full])).toEqual([['rate.uncounted'], true]);
    const flags = rates().map((rate) =>
      typeof rate === 'string' ? [] : (rate.flags ?? []).filter((flag) => flag.startsWith('accounts.')),
    );
    expect(flags).toEqual([[], ['accounts.key_missing'], [], ['accounts.key_missing'], ['accounts.key_missing'], []]);
  });

  test('a store that fails for one item marks the counters of that item alone', async () => {
    const failing = failsAt(2);
    await start({ rate_limits: { strict: { of: 'resources', window: '1d', limit: 9, on_store_error: 'deny' } } }, over(failing));
    expect(await ask([{ id: 'a' }, { id: 'a' }, { id: 'a' }])).toEqual([true, ['rate.store_unavailable'], true]);
    const failed = rates().map((rate) => (typeof rate === 'string' ? rate : [rate.degraded, rate.failed]));
    expect(failed).toEqual([
      [false, undefined],
      [true, expect.arrayContaining(['resources', 'kinds', 'actions'])],
      [false, undefined],
    ]);
    expect(days('resources')).toEqual([1, null, 2]);
    expect(days('calls')).toEqual([1, 1, 1]);
  });

  test('a store that fails for the first item alone counts the others, and still says what it lacks', async () => {
    await start({ rate_limits: RESOURCE_LIMIT.rate_limits }, over(failsAt(1)));
    expect(await ask([{ id: 'a' }, { id: 'a' }, { id: 'a' }, { id: 'a' }])).toEqual([true, true, true, ['rate.limited']]);
    expect(days('resources')).toEqual(['store_unavailable', 1, 2, 3]);
    const [, second] = rates();
    expect(second).toMatchObject({ address: null, degraded: true, failed: expect.arrayContaining(['address', 'route', 'calls']) });
    expect(second).not.toMatchObject({ failed: expect.arrayContaining(['resources']) });
  });

  test('a store that fails for all is told for each', async () => {
    await start({}, over(failsAt(1, 2, 3)));
    await ask([{ id: 'a' }, { id: 'b' }]);
    expect(rates()).toEqual(['store_unavailable', 'store_unavailable']);
  });
});

test('are the same in Redis', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const logger = { info: () => undefined, warn: () => undefined };
  const opened = openRedisStores({ url: redis.url, deadlineMs: 500, keyPrefix: 'test', monotonic: () => performance.now(), logger });
  onTestFinished(() => opened.close());
  await vi.waitFor(() => expect(opened.windows.status().state).toBe('ready'), { timeout: 10_000 });
  await start(RESOURCE_LIMIT, opened.windows);
  const answers = await ask([{ id: 'a' }, { id: 'b', context: { amount: 2.5 } }, { id: 'a' }, { id: 'a' }]);
  expect(answers).toEqual([true, true, true, ['rate.limited']]);
  expect(days('resources')).toEqual([1, 1, 2, 3]);
  expect(days('kinds')).toEqual([1, 2, 3, 4]);
  expect(days('calls')).toEqual([1, 1, 1, 1]);
});

test('a route without such a counter asks the store once', async () => {
  let asked = 0;
  const windows = memory();
  const counting: WindowStore = {
    ...windows,
    count(keys, nowMs, budgetMs) {
      asked += 1;
      return windows.count(keys, nowMs, budgetMs);
    },
  };
  await start({ counters: { calls: COUNTERS.calls } }, counting);
  await ask([{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
  expect(asked).toBe(1);
  expect(new Set(world.records.map(({ enrichment }) => enrichment)).size).toBe(1);
});

/** A store that is away for these calls, the first is 1. */
function failsAt(...places: readonly number[]): WindowStore {
  const windows = memory();
  let calls = 0;
  return {
    ...windows,
    count(keys, nowMs, budgetMs) {
      calls += 1;
      return places.includes(calls) ? away(keys) : windows.count(keys, nowMs, budgetMs);
    },
  };
}

function away(keys: Parameters<WindowStore['count']>[0]): WindowAnswer {
  const of = (key: string | null | undefined) => (key == null ? null : ('store_unavailable' as const));
  const counters = (keys.counters ?? []).map((_hit: CounterHit) => 'store_unavailable' as const);
  const { client, address, token, route } = keys;
  return { client: of(client), address: of(address), token: of(token), route: of(route), counters, historyLost: true, dayLost: true };
}
