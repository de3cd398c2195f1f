import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCountersign } from '../support/countersign.ts';
import { type Received, send } from '../support/http-client.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { createWorld, jsonObject, type World } from './world.ts';

/** What clients and the upstream see when a part is away. The gateway's own deadline is 200 ms: a later answer would count as an error there. */

let world: World;
let reader: string;

beforeAll(async () => {
  world = await createWorld();
  reader = await world.bearer('agent-a', 'orders:read', 'payments:write');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

describe('the service is gone', () => {
  it('the client gets 403 and nothing reaches the upstream', async () => {
    const service = await world.service();
    const envoy = await world.envoy([service]);
    expect((await send(envoy.port, { path: '/orders', headers: ['authorization', reader] })).status).toBe(200);
    world.upstream.clear();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect((await send(envoy.port, { path: '/orders', headers: ['authorization', reader] })).status).toBe(403);
    expect(world.upstream.begun).toBe(0);
  });
});

describe('no policy is loaded', () => {
  it('[asks 7, 8, 53] is a denied 503, never an RPC failure, so that failure_mode_allow lets nothing through', async () => {
    const service = await startCountersign({
      config: world.config({ policy: { bundle: join(world.directory, 'there-is-none') } }),
      until: 'live',
    });
    try {
      const envoy = await world.envoy([service], { failureModeAllow: true });
      const answer = await send(envoy.port, { path: '/orders', headers: ['authorization', reader] });
      expect(answer.status).toBe(503);
      expect(jsonObject(answer.body)).toMatchObject({ status: 503 });
      expect(world.upstream.begun).toBe(0);
      expect(await envoy.stat('http.front.ext_authz.error')).toBe(0);
      expect(await envoy.stat('http.front.ext_authz.denied')).toBe(1);
      expect((await fetch(`http://127.0.0.1:${service.operationsPort}/readyz`)).status).toBe(503);
    } finally {
      await service.stop();
    }
  });
});

describe('Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  it.each(['killed', 'silent'] as const)('%s half-way: answers go on in time, and what needs counters is never allowed', async (how) => {
    const service = await world.service({ store: { kind: 'redis', url: redis.url } }, { limits: { tiers: TIERS, rate: NO_LIMITS } });
    const envoy = await world.envoy([service]);
    const ask = async (method: string, path: string): Promise<Received> =>
      send(envoy.port, { method, path, headers: ['authorization', reader] });
    expect((await ask('GET', '/orders')).status).toBe(200);
    expect((await ask('POST', '/payments')).status).toBe(200);
    const load = repeat(16, 1500, async () => [(await ask('GET', '/orders')).status, (await ask('POST', '/payments')).status]);
    await sleep(500);
    if (how === 'killed') await redis.kill();
    else redis.pause();
    const away = Date.now();
    const pairs = await load;
    // /orders needs no counter: it stays allowed; /payments needs the rate: allowed before, 503 afterwards, and nothing else ever
    expect(new Set(pairs.map(([orders]) => orders))).toEqual(new Set([200]));
    expect(new Set(pairs.map(([, payments]) => payments))).toEqual(new Set([200, 503]));
    expect(Date.now() - away).toBeGreaterThan(500); // there was load while it was away
    const denied = await ask('POST', '/payments');
    expect(denied.status).toBe(503);
    expect(denied.headers['retry-after']).toMatch(/^\d+$/);
    world.upstream.clear();
    expect((await ask('GET', '/orders')).status).toBe(200);
    expect(world.upstream.requests[0]?.headers['x-countersign-degraded']).toContain('rate');
    expect(await envoy.stat('http.front.ext_authz.error')).toBe(0);
    if (how === 'killed') redis = await startRedis({ port: redis.port });
    else redis.resume();
    await eventually(async () => (await ask('POST', '/payments')).status === 200);
  });
});

describe('two replicas, one drained under load', () => {
  it('lose nothing', async () => {
    const changes = { limits: { rate: NO_LIMITS } };
    const [first, second] = [await world.service({}, changes), await world.service({}, changes)];
    // 2 s: a busy machine must not look like a lost request
    const envoy = await world.envoy([first, second], { healthCheck: true, timeoutMs: 2_000 });
    await eventually(async () => (await envoy.stat('cluster.authz.membership_healthy')) === 2);
    const load = repeat(32, 4500, async () => (await send(envoy.port, { path: '/orders', headers: ['authorization', reader] })).status);
    await sleep(700);
    const exit = await first.stop();
    expect(exit).toEqual({ code: 0, signal: null });
    const statuses = await load;
    expect(statuses.length).toBeGreaterThan(500);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(await envoy.stat('http.front.ext_authz.error')).toBe(0);
    expect(await envoy.stat('cluster.authz.membership_healthy')).toBe(1);
  });
});

const NO_LIMITS = { client: {}, address: {}, token: {}, route: {} };

/** The payments route needs the rate signal but no certificate here. */
const TIERS = {
  low: { assurance: 0, signals: [], risk: { allowed: 80, allowed_bound: 100 } },
  medium: { assurance: 2, signals: ['token'], risk: { allowed: 50, allowed_bound: 80 } },
  high: { assurance: 2, signals: ['token', 'rate'], risk: { allowed: 50, allowed_bound: 60 } },
  critical: { assurance: 3, signals: ['token', 'certificate', 'rate', 'network'], risk: { allowed: 20, allowed_bound: 40 } },
};

/** `width` loops for `ms`; gives every result. */
async function repeat<T>(width: number, ms: number, one: () => Promise<T>): Promise<T[]> {
  const end = Date.now() + ms;
  const results: T[] = [];
  const loop = async (): Promise<void> => {
    while (Date.now() < end) results.push(await one());
  };
  await Promise.all(Array.from({ length: width }, loop));
  return results;
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not become true in 10 s');
    await sleep(50);
  }
}
