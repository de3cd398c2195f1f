import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../stores/redis/opened.ts';
import { replicated } from '../../support/redis.ts';
import { type SentinelGroup, startSentinelGroup } from '../../support/redis-sentinel.ts';
import { T0 } from '../behaviour/fixtures.ts';
import { openReplica } from './worlds.ts';

let group: SentinelGroup;
beforeAll(async () => {
  group = await startSentinelGroup();
}, 60_000);
afterAll(() => group.stop());

test('a failover: no answer, then the numbers of before, hashed with the key of before', async () => {
  const replica = await openReplica({ url: `redis://${group.name}`, sentinels: [...group.sentinels] });
  for (let index = 0; index < 40; index += 1) await replica.ask({ path: `/orders/${index}`, atMs: T0 });
  const before = await replica.ask({ path: '/orders/0', atMs: T0, effect: 'deny' });
  await replica.shared.ask(() => [{ tag: 'c:agent-1', before: ['EXISTS'], args: [] }], T0, 5000);
  await replicated(group.master, group.replica);
  await group.master.kill();
  expect((await replica.ask({ atMs: T0 }, 500)).behaviour).toEqual({ status: 'unavailable', code: 'store_unavailable' });
  await until(async () => (await replica.ask({ client: 'agent-2', atMs: T0 }, 500)).behaviour.status === 'present');
  const other = await openReplica({ url: `redis://${group.name}`, sentinels: [...group.sentinels], hashKey: [7, 8] });
  const after = await other.ask({ path: '/orders/39', atMs: T0 });
  if (before.behaviour.status !== 'present') throw new Error('no numbers before');
  expect(after.behaviour).toMatchObject({ status: 'present', value: { resources: before.behaviour.value.resources, denials: 1 } });
}, 60_000);
