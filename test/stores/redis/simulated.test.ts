import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRedisStores, type RedisStores } from '../../../src/stores/redis/stores.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { heldBy } from '../../support/redis-held.ts';

const NOW = 1_790_000_000_000;
const KEYS = {
  client: 'agent-1',
  address: '203.0.113.7',
  token: null,
  route: 'default/orders',
  thresholds: { client: [{ name: 'client-10s', window: 0, limit: 3 }] },
  counters: [{ counter: 'cost', key: 'c', amount: 1500, thresholds: [{ name: 'cost', window: 4, limit: 4000 }] }],
};
let redis: RedisServer;
let stores: RedisStores;

beforeAll(async () => {
  redis = await startRedis();
  const logger = { info: () => undefined, warn: () => undefined };
  stores = openRedisStores({ url: redis.url, deadlineMs: 500, keyPrefix: 'sim', monotonic: () => performance.now(), logger });
  while (stores.windows.status().state !== 'ready') await sleep(10);
});
afterAll(async () => {
  await stores.close();
  await redis.stop();
});

test('a server that knows no script yet keeps nothing of a simulated count', async () => {
  await redis.command('SCRIPT', 'FLUSH');
  const answer = await stores.windows.simulated.count(KEYS, NOW, 1000);
  expect(answer).toMatchObject({ client: { '1h': 1 }, counters: [{ '1d': 1500 }] });
  expect(await redis.command('KEYS', '*')).toBe('*0\r\n');
});

test('windows in Redis are counted on copies that are gone at once: the next count is what was told', async () => {
  const { windows } = stores;
  await windows.count(KEYS, NOW, 1000);
  for (let step = 1; step < 12; step += 1) {
    const atMs = NOW + step * 700;
    const before = await heldBy(redis);
    expect(before.length).toBeGreaterThan(3);
    const [asIf, again] = await Promise.all([windows.simulated.count(KEYS, atMs, 1000), windows.simulated.count(KEYS, atMs, 1000)]);
    expect(again).toEqual(asIf);
    expect(await heldBy(redis)).toEqual(before);
    expect(await windows.count(KEYS, atMs, 1000)).toEqual(asIf);
  }
});

test('used proofs in Redis are looked up and not remembered', async () => {
  const { replays } = stores;
  expect(await replays.simulated.remember('j', NOW, NOW + 60_000, 1000)).toBe('fresh');
  expect(await replays.remember('j', NOW, NOW + 60_000, 1000)).toBe('fresh');
  expect(await replays.simulated.remember('j', NOW, NOW + 60_000, 1000)).toBe('replayed');
});

test.each(['copy', 'unlink'])('what a server does not let us count on copies is unavailable, and never empty: %s', async (command) => {
  const { windows } = stores;
  await windows.count(KEYS, NOW, 1000);
  await redis.command('ACL', 'SETUSER', 'default', `-${command}`);
  try {
    expect(await windows.simulated.count(KEYS, NOW, 1000)).toMatchObject({
      client: 'store_unavailable',
      address: 'store_unavailable',
      counters: ['store_unavailable'],
    });
    // in one round with a request that is one
    const [asIf, real] = await Promise.all([windows.simulated.count(KEYS, NOW, 1000), windows.count(KEYS, NOW, 1000)]);
    expect([asIf.client, real.client]).toEqual(['store_unavailable', expect.objectContaining({ '1h': expect.any(Number) })]);
  } finally {
    await redis.command('ACL', 'SETUSER', 'default', `+${command}`);
  }
  expect(await windows.simulated.count(KEYS, NOW, 1000)).toMatchObject({ client: { '1h': expect.any(Number) } });
});
