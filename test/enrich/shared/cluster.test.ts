import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { slotOf } from '../../../src/stores/redis/slots.ts';
import { until } from '../../stores/redis/opened.ts';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts';
import type { Asked } from '../behaviour/client.ts';
import { HOUR_MS, T0 } from '../behaviour/fixtures.ts';
import { createProcess, numbersOf, openReplica } from './worlds.ts';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(async () => {
  for (const node of cluster.nodes) await node.command('FLUSHALL');
});

function opened(deadlineMs = 1000) {
  const [url = '', ...others] = cluster.urls;
  return openReplica({ url, cluster: others.slice(0, 1), deadlineMs });
}

/** A name of the kind that lies on this master. */
function nameOn(master: number, kind: string): string {
  for (let number = 0; ; number++) if (cluster.masterOf(slotOf(`{${kind}:n${number}}`)) === cluster.nodes[master]) return `n${number}`;
}

test('entities on different nodes: the numbers of all replicas, the same as in memory, SCRIPT FLUSH between them', async () => {
  const [one, two] = [await opened(), await opened()];
  const memory = createProcess();
  for (let index = 0; index < 120; index += 1) {
    const asked: Asked = {
      client: `agent-${index % 4}`,
      path: `/orders/${index}`,
      address: `198.51.100.${index % 9}/32`,
      token: `tok-${index % 3}`,
      ja4: `t13d1516h2_${String(index % 5).padStart(12, '0')}_b186095e22b6`,
      asn: 64_500 + (index % 7),
      refused: String(index % 2),
      atMs: T0 + index * 60_000,
    };
    const [inMemory, inRedis] = [memory.ask(asked), await (index % 2 === 0 ? one : two).ask(asked)];
    expect(numbersOf(inRedis), `step ${index}`).toEqual(numbersOf(inMemory));
    // learning is not waited for; the other replica has a connection of its own
    await (index % 2 === 0 ? one : two).shared.ask(() => [{ tag: `c:${asked.client}`, before: ['EXISTS'], args: [] }], T0, 5000);
    if (index === 60) for (const node of cluster.nodes) await node.command('SCRIPT', 'FLUSH');
  }
  expect([one.shared.status().dropped, two.shared.status().dropped]).toEqual([0, 0]);
}, 30_000);

test('a node that hangs marks its own entities; one that lost its data is told for those that lie there', async () => {
  const replica = await opened(60);
  const asked: Asked = { client: nameOn(2, 'c'), token: nameOn(1, 't'), address: nameOn(0, 'a') };
  await replica.ask({ ...asked, atMs: T0 });
  cluster.nodes[2]?.pause();
  try {
    for (let call = 0; call < 5; call += 1) {
      expect((await replica.ask({ ...asked, atMs: T0 + 1 })).behaviour).toMatchObject({
        status: 'present',
        value: { degraded: true, learning: true, resources: null, tokenAddresses: 1, addressFailedCredentials: 0 },
      });
    }
  } finally {
    cluster.nodes[2]?.resume();
  }
  const later = { ...asked, atMs: T0 + 2 * HOUR_MS };
  await until(async () => (await replica.ask(later)).device.status === 'absent' && !isDegraded(await replica.ask(later)));
  await cluster.nodes[1]?.command('FLUSHALL');
  expect((await replica.ask({ ...later, atMs: T0 + 3 * HOUR_MS })).behaviour).toMatchObject({ value: { historyLost: true } });
  const others = { client: nameOn(2, 'c'), address: nameOn(0, 'a'), token: null };
  expect((await replica.ask({ ...others, atMs: T0 + 4 * HOUR_MS })).behaviour).toMatchObject({ value: { historyLost: false } });
}, 30_000);

function isDegraded({ behaviour }: Awaited<ReturnType<Awaited<ReturnType<typeof opened>>['ask']>>): boolean {
  return behaviour.status !== 'present' || behaviour.value.degraded;
}
