import { expect, onTestFinished, test } from 'vitest';
import { askRedis, replicated } from '../../support/redis.ts';
import { startRedisCluster } from '../../support/redis-cluster.ts';
import { startSentinelGroup } from '../../support/redis-sentinel.ts';
import { createFollower, entry } from './follower.ts';
import { until } from './opened.ts';

test('a cluster: one node holds it all, others hear of it, and a replica that takes over has it', async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const [url = '', other = ''] = cluster.urls;
  const [a, b] = [await createFollower({ url, cluster: [other] }), await createFollower({ url, cluster: [other] })];
  for (const one of [a, b]) await until(async () => (await one.once()).kind !== 'failed');
  let heard = 0;
  b.shared.onChange(() => {
    heard += 1;
  });
  await until(() => heard > 0);
  const before = heard;
  expect(await a.shared.put([entry('x'), entry('y')], 10)).toEqual({
    kind: 'put',
    position: { epoch: expect.any(String), version: 3, head: expect.any(String) },
  });
  await until(() => heard > before);
  expect(await b.once()).toMatchObject({ kind: 'changed', position: { version: 3 } });

  const slot = await cluster.slotOf('test:{things}');
  const master = cluster.masterOf(slot);
  const replica = cluster.nodes[cluster.nodes.indexOf(master) + 3];
  if (replica === undefined) throw new Error('no replica');
  await replicated(master, replica);
  await master.kill();
  await until(async () => (await a.shared.put([entry('z')], 10)).kind === 'put');
  await until(async () => (await b.once()).kind === 'changed');
  expect(b.ids()).toEqual(['x', 'y', 'z']);
}, 60_000);

test('sentinels: what the new master had not got is put back', async () => {
  const group = await startSentinelGroup();
  onTestFinished(() => group.stop());
  const options = { url: `redis://${group.name}`, sentinels: group.sentinels };
  const [a, b] = [await createFollower(options), await createFollower(options)];
  for (const one of [a, b]) await until(async () => (await one.once()).kind !== 'failed');
  await a.shared.put([entry('old')], 10);
  for (const one of [a, b]) await one.once();
  await replicated(group.master, group.replica);
  // its last change goes to nobody: the replica is put out, and cannot sign in again
  await group.master.command('CONFIG', 'SET', 'requirepass', 'nobody-knows');
  await askRedis(group.master.host, group.master.port, 'nobody-knows', ['CLIENT', 'KILL', 'TYPE', 'replica']);
  await a.shared.put([entry('new')], 10);
  await b.once();
  await group.master.kill();
  // a change of the new master's own, to the same version
  const late = await createFollower(options);
  await until(async () => (await late.once()).kind === 'all');
  expect(late.ids()).toEqual(['old']);
  await until(async () => (await late.shared.put([entry('other')], 10)).kind === 'put');
  await until(async () => (await b.once()).kind === 'all');
  // who had not got it either is only behind
  await until(async () => (await a.once()).kind === 'changed');
  await late.once();
  expect([a, b, late].map((one) => one.ids())).toEqual(Array(3).fill(['new', 'old', 'other']));
}, 60_000);
