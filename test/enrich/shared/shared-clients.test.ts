import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRedisStores } from '../../../src/stores/redis/stores.ts';
import type { SharedStore } from '../../../src/stores/shared-store.ts';
import { until } from '../../stores/redis/opened.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import type { Asked } from '../behaviour/client.ts';
import { HOUR_MS, T0 } from '../behaviour/fixtures.ts';
import { closing, openReplica, replicaOf, type Signals } from './worlds.ts';

const JA4 = 't13d1516h2_8daaf6152771_b186095e22b6';
const FULL: Asked = { token: 'tok-1', ja4: JA4, country: 'DE', asn: 64_500 };
const DAY_MS = 86_400_000;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
});

/** The numbers of both signals; throws where there are none. */
function valuesOf({ device, behaviour }: Signals) {
  if (device.status !== 'present' || behaviour.status !== 'present') throw new Error(JSON.stringify({ device, behaviour }));
  return { device: device.value, behaviour: behaviour.value };
}

describe('what one replica saw, another one tells', () => {
  test('distinct things, a device, a place, denials, outcomes, the last use', async () => {
    const [one, two] = [await openReplica({ url: redis.url }), await openReplica({ url: redis.url, hashKey: [1, 2] })];
    for (let index = 0; index < 3; index += 1) await one.ask({ ...FULL, path: `/orders/${index}`, atMs: T0 + index });
    await one.ask({ ...FULL, atMs: T0 + 3, effect: 'deny' });
    one.clients.outcome('agent-1', 'abuse', T0 + 4);
    await one.ask({ client: 'agent-2', ja4: JA4, atMs: T0 + 5 });
    const { device, behaviour } = valuesOf(await two.ask({ ...FULL, address: '203.0.113.8/32', asn: 64_501, atMs: T0 + HOUR_MS }));
    expect(behaviour).toMatchObject({
      scope: 'shared',
      learning: false,
      degraded: false,
      resources: 4,
      addresses: 2,
      asns: 2,
      denials: 1,
      outcomes: { failure: 0, abuse: 1 },
      idleSeconds: 3599,
      countryNew: false,
      asnNew: true,
      tokenAddresses: 2,
    });
    expect(device).toMatchObject({ scope: 'shared', newForClient: false, firstSeen: Math.floor(T0 / 1000), sharedByClients: 2 });
  });

  test('credentials that were refused from an address', async () => {
    const [one, two] = [await openReplica({ url: redis.url }), await openReplica({ url: redis.url })];
    await one.ask({ client: null, refused: 'a.b.c' });
    await one.ask({ client: null, refused: 'a.b.c' });
    expect(valuesOf(await two.ask({ client: null, refused: 'd.e.f', ja4: JA4 })).behaviour).toMatchObject({
      addressFailedCredentials: 2,
      resources: null,
      learning: true,
    });
  });

  test('requests at one time are each counted', async () => {
    const [one, two] = [await openReplica({ url: redis.url }), await openReplica({ url: redis.url })];
    const asked = Array.from({ length: 100 }, (_, index) => [one, two][index % 2]?.ask({ ...FULL, path: `/orders/${index % 20}` }));
    const minutes = (await Promise.all(asked)).map((signals) => (signals === undefined ? 0 : valuesOf(signals).behaviour.requestsMinute));
    expect(minutes.toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(valuesOf(await two.ask({ ...FULL, path: '/orders/0' })).behaviour).toMatchObject({ resources: 20, requestsMinute: 101 });
  });
});

test('keys: a hash tag an entity, a time to live, nothing for who is not verified, and never beyond their size', async () => {
  const replica = await openReplica({ url: redis.url, keyPrefix: 'mine' });
  await replica.ask({ client: null, address: '198.51.100.9/32' });
  expect(await redis.command('KEYS', 'mine:*:m')).toBe('*0\r\n');
  for (let index = 0; index < 200; index += 1) {
    const address = `198.51.100.${index}/32`;
    await replica.ask({ ...FULL, path: `/orders/${index}`, address, asn: index, atMs: T0 + index * 36_000, refused: 'a.b.c' });
  }
  await replica.ask({ ...FULL, atMs: T0 + 201 * 36_000 });
  for (const [name, bytes, lifeMs] of [
    ['mine:{c:agent-1}:m', 2200, 30 * DAY_MS],
    ['mine:{t:tok-1}:m', 600, 3 * HOUR_MS],
    ['mine:{a:198.51.100.7/32}:m', 600, 3 * HOUR_MS],
    [`mine:{f:${JA4}}:m`, 600, 3 * HOUR_MS],
  ] as const) {
    expect(Number((await redis.command('STRLEN', name)).slice(1)), name).toBeLessThan(bytes);
    const leftMs = Number((await redis.command('PTTL', name)).slice(1));
    expect([leftMs > lifeMs - HOUR_MS, leftMs <= lifeMs], name).toEqual([true, true]);
  }
});

describe('[asks 70, 75] a server that forgets', () => {
  test('SCRIPT FLUSH: the next request counts, once, and what was told before it is learnt', async () => {
    const replica = await openReplica({ url: redis.url });
    await replica.ask(FULL);
    await redis.command('SCRIPT', 'FLUSH');
    await replica.ask({ ...FULL, effect: 'deny' });
    await redis.command('SCRIPT', 'FLUSH');
    const { behaviour } = valuesOf(await replica.ask(FULL));
    expect(behaviour).toMatchObject({ requestsMinute: 3, denials: 1, idleSeconds: 0 });
    expect(replica.shared.status()).toEqual({ state: 'ready', dropped: 0, lastError: null });
  });

  test('FLUSHALL: history is lost for two hours, everybody is learnt anew, and replicas hash alike still', async () => {
    const [one, two] = [await openReplica({ url: redis.url }), await openReplica({ url: redis.url, hashKey: [5, 6] })];
    expect(valuesOf(await one.ask({ ...FULL, atMs: T0 })).behaviour.historyLost).toBe(true);
    expect(valuesOf(await two.ask({ ...FULL, atMs: T0 + 2 * HOUR_MS })).behaviour).toMatchObject({ historyLost: false });
    await redis.command('FLUSHALL');
    const after = valuesOf(await two.ask({ ...FULL, atMs: T0 + 3 * HOUR_MS })).behaviour;
    expect(after).toMatchObject({ historyLost: true, learning: true, resources: 1, idleSeconds: null });
    expect(valuesOf(await one.ask({ ...FULL, atMs: T0 + 3 * HOUR_MS })).behaviour).toMatchObject({ resources: 1, addresses: 1 });
    expect(valuesOf(await one.ask({ ...FULL, atMs: T0 + 5 * HOUR_MS })).behaviour.historyLost).toBe(false);
  });

  test('values of another form start afresh', async () => {
    const replica = await openReplica({ url: redis.url });
    for (const tag of ['c:agent-1', 't:tok-1', `f:${JA4}`]) await redis.command('SET', `test:{${tag}}:m`, 'short');
    const { device, behaviour } = valuesOf(await replica.ask(FULL));
    expect([behaviour.resources, behaviour.tokenAddresses, device.sharedByClients]).toEqual([1, 1, 1]);
  });
});

test.each([
  ['c:agent-1', { resources: null, learning: true, tokenAddresses: 1, addressFailedCredentials: 0 }, { newForClient: null, ja4: JA4 }],
  ['t:tok-1', { resources: 1, tokenAddresses: null, addressFailedCredentials: 0 }, { sharedByClients: 1, degraded: false }],
  ['a:203.0.113.7/32', { resources: 1, tokenAddresses: 1, addressFailedCredentials: null }, { sharedByClients: 1, degraded: false }],
])('%s cannot be read: its numbers are null and no others', async (tag, ofBehaviour, ofDevice) => {
  await redis.command('LPUSH', `test:{${tag}}:m`, 'foreign');
  const replica = await openReplica({ url: redis.url });
  const { device, behaviour } = valuesOf(await replica.ask(FULL));
  expect(behaviour).toMatchObject({ ...ofBehaviour, degraded: true });
  expect(device).toMatchObject({ ...ofDevice, degraded: tag === 'c:agent-1' });
  expect(replica.shared.status()).toMatchObject({ state: 'ready', lastError: expect.stringContaining('WRONGTYPE') });
});

test('a fingerprint that cannot be read leaves what is known of the client', async () => {
  await redis.command('LPUSH', `test:{f:${JA4}}:m`, 'foreign');
  const { device, behaviour } = valuesOf(await (await openReplica({ url: redis.url })).ask(FULL));
  expect(device).toMatchObject({ sharedByClients: null, degraded: true });
  expect(behaviour).toMatchObject({ resources: 1, degraded: false });
});

describe('[asks 73, 74] Redis away', () => {
  const AWAY = {
    behaviour: { status: 'unavailable', code: 'store_unavailable' },
    device: { status: 'present', value: { degraded: true, ja4: JA4 } },
  };

  test('nothing listens: an answer at once, as a plain value, and what is learnt is dropped and counted', () => {
    const logger = { info: () => undefined, warn: () => undefined };
    const stores = openRedisStores({ url: 'redis://127.0.0.1:1', deadlineMs: 25, keyPrefix: 't', monotonic: () => 0, logger });
    closing(stores.close);
    const { clients } = replicaOf(stores.shared);
    clients.outcome('agent-1', 'failure', T0);
    expect(stores.shared.status()).toMatchObject({ state: 'unavailable', dropped: 1 });
    expect(stores.shared.ask(() => [], T0, 25)).toBeNull();
  });

  test('a stopped server: each request ends by its deadline, the breaker answers without asking, and it comes back', async () => {
    const own = await startRedis();
    closing(() => own.stop());
    const replica = await openReplica({ url: own.url, deadlineMs: 25 });
    await replica.ask(FULL);
    own.pause();
    for (let call = 0; call < 4; call += 1) expect(await replica.ask(FULL, 25)).toMatchObject(AWAY);
    expect(replica.shared.ask(() => [], T0, 25)).toBeNull();
    const { dropped } = replica.shared.status();
    expect(dropped).toBeGreaterThan(0);
    own.resume();
    await until(async () => (await replica.ask(FULL, 25)).behaviour.status === 'present');
    expect(replica.shared.status()).toMatchObject({ state: 'ready', lastError: null });
  });

  test('a shorter budget than the deadline ends the wait', async () => {
    const own = await startRedis();
    closing(() => own.stop());
    const replica = await openReplica({ url: own.url, deadlineMs: 60_000 });
    await replica.ask(FULL);
    own.pause();
    expect(await replica.ask(FULL, 10)).toMatchObject(AWAY);
    expect(await replica.ask(FULL, 0)).toMatchObject(AWAY);
  });

  test('no more than 4,096 ask, and no more are told, at one time', async () => {
    const { shared }: { shared: SharedStore } = await openReplica({ url: redis.url, deadlineMs: 60_000 });
    const ping = () => [{ tag: 'x', before: ['GET'] as const, args: [] }];
    const asked = Array.from({ length: 4100 }, () => shared.ask(ping, T0, 60_000));
    expect(asked.filter((one) => one !== null)).toHaveLength(4096);
    for (let call = 0; call < 4100; call += 1) shared.tell(ping, T0);
    expect(shared.status().dropped).toBe(4);
    // what the server says of so many depends on how busy it is; that each is answered does not
    for (const one of await Promise.all(asked.slice(0, 4096))) expect(one?.replies).toBeInstanceOf(Array);
  });

  test('a killed server: a new one on the same port is used, and the loss is told', async () => {
    const first = await startRedis();
    const replica = await openReplica({ url: first.url });
    await replica.ask({ ...FULL, atMs: T0 });
    await first.kill();
    expect(await replica.ask({ ...FULL, atMs: T0 + 2 * HOUR_MS }, 500)).toMatchObject(AWAY);
    const second = await startRedis({ port: first.port });
    closing(() => second.stop());
    await until(async () => (await replica.ask({ ...FULL, client: 'agent-9', atMs: T0 }, 500)).behaviour.status === 'present');
    const { behaviour } = valuesOf(await replica.ask({ ...FULL, atMs: T0 + 100 }));
    expect(behaviour).toMatchObject({ historyLost: true, requestsMinute: 1 });
  });
});
