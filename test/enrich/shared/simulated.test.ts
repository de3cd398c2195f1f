import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { SharedCall } from '../../../src/stores/shared-store.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { heldBy } from '../../support/redis-held.ts';
import type { Asked } from '../behaviour/client.ts';
import { HOUR_MS, T0 } from '../behaviour/fixtures.ts';
import { openReplica, replicaOf } from './worlds.ts';

const FULL: Asked = { token: 'tok-1', ja4: 't13d1516h2_8daaf6152771_b186095e22b6', country: 'DE', asn: 64_500 };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
});

test('a simulated look tells what the next one finds, teaches nothing, and leaves all that Redis holds as it is', async () => {
  const live = await openReplica({ url: redis.url });
  const simulated = replicaOf(live.shared.simulated);
  for (let step = 0; step < 12; step += 1) {
    // new things, things known before, and an hour that ends
    const asked: Asked = { ...FULL, path: `/orders/${step % 7}`, asn: 64_500 + (step % 3), atMs: T0 + step * (HOUR_MS / 5) };
    const before = await heldBy(redis);
    const [asIf, again] = await Promise.all([simulated.ask(asked), simulated.ask(asked)]);
    expect(again).toEqual(asIf);
    if (step > 0) expect(before.length).toBeGreaterThan(3);
    expect(await heldBy(redis)).toEqual(before);
    // before the first one nothing says since when is remembered, in both
    expect(await live.ask(asked)).toEqual(asIf);
  }
  expect(live.shared.status().dropped).toBe(0);
});

test('a replica that is asked by a simulation first sets no key and takes that of the others', async () => {
  const one = await openReplica({ url: redis.url });
  const asked: Asked = { ...FULL, atMs: T0 };
  await one.ask(asked);
  const before = await heldBy(redis);
  const two = await openReplica({ url: redis.url, hashKey: [7, 8] });
  const asIf = await replicaOf(two.shared.simulated).ask({ ...asked, atMs: T0 + 1 });
  expect(await heldBy(redis)).toEqual(before);
  expect(await one.ask({ ...asked, atMs: T0 + 1 })).toEqual(asIf);
});

test('a look in a round with one that counts is as it is alone', async () => {
  const { shared } = await openReplica({ url: redis.url, keyPrefix: 'both' });
  const append: SharedCall = { tag: 'c:a', before: ['APPEND'], args: ['x'] };
  const length = async (answer: ReturnType<typeof shared.ask>) => (await answer)?.replies;
  await shared.ask(() => [append], T0, 1000);
  const all = [shared.simulated, shared, shared.simulated].map((store) => length(store.ask(() => [append], T0, 1000)));
  expect(await Promise.all(all)).toEqual([[2], [2], [3]]);
  shared.simulated.tell(() => [append], T0);
  expect(await length(shared.ask(() => [append], T0, 1000))).toEqual([3]);
});

test('what a server does not let us look at on copies is not there, and never empty', async () => {
  const { shared } = await openReplica({ url: redis.url, keyPrefix: 'acl' });
  const append: SharedCall = { tag: 'c:a', before: ['APPEND'], args: ['x'] };
  await shared.ask(() => [append], T0, 1000);
  await redis.command('ACL', 'SETUSER', 'default', '-copy');
  try {
    const answers = [shared.simulated, shared].map((store) => store.ask(() => [append], T0, 1000));
    expect((await Promise.all(answers)).map((answer) => answer?.replies)).toEqual([[undefined], [2]]);
  } finally {
    await redis.command('ACL', 'SETUSER', 'default', '+copy');
  }
});
