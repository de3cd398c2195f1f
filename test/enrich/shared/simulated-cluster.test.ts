import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { slotOf } from '../../../src/stores/redis/slots.ts';
import type { WindowKeys } from '../../../src/stores/windows.ts';
import { openReady } from '../../stores/redis/opened.ts';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts';
import { heldBy } from '../../support/redis-held.ts';
import type { Asked } from '../behaviour/client.ts';
import { HOUR_MS, T0 } from '../behaviour/fixtures.ts';
import { openReplica, replicaOf } from './worlds.ts';

/* Simulations where each entity lies on a node of its own. */

const MASTERS = [0, 1, 2];
let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(async () => {
  for (const node of cluster.nodes) await node.command('FLUSHALL');
});

const held = async () => Promise.all(MASTERS.map(async (index) => heldBy(node(index))));

function node(index: number) {
  const found = cluster.nodes[index];
  if (found === undefined) throw new Error('no such node');
  return found;
}

function address(): { readonly url: string; readonly cluster: readonly string[]; readonly deadlineMs: number } {
  const [url = '', ...others] = cluster.urls;
  return { url, cluster: others.slice(0, 1), deadlineMs: 2000 };
}

/** A name of the kind that lies on this master. */
function nameOn(master: number, kind: string, prefix = ''): string {
  for (let number = 0; ; number++) {
    const name = `${prefix}${number}`;
    if (cluster.masterOf(slotOf(`{${kind}:${name}}`)) === node(master)) return name;
  }
}

const keysOverAll = (): WindowKeys => ({
  client: nameOn(0, 'c'),
  address: nameOn(1, 'a'),
  token: nameOn(2, 't'),
  route: nameOn(0, 'r'),
  thresholds: { client: [{ name: 'client-10s', window: 0, limit: 3 }] },
  counters: [{ counter: 'cost', key: nameOn(1, 'n:cost'), amount: 1500, thresholds: [{ name: 'cost', window: 4, limit: 4000 }] }],
});

test('windows are counted on copies, each on the node of its entity: the next count is what was told', async () => {
  const { windows } = await openReady(address());
  const keys = keysOverAll();
  for (const master of MASTERS) await node(master).command('SCRIPT', 'FLUSH');
  expect(await windows.simulated.count(keys, T0, 2000)).toMatchObject({ client: { '1h': 1 }, address: { '1h': 1 }, token: { '1h': 1 } });
  expect(await held()).toEqual([[], [], []]);
  await windows.count(keys, T0, 2000);
  for (let step = 1; step < 8; step += 1) {
    const atMs = T0 + step * 700;
    const before = await held();
    for (const entries of before) expect(entries.length).toBeGreaterThan(1);
    const [asIf, again] = await Promise.all([windows.simulated.count(keys, atMs, 2000), windows.simulated.count(keys, atMs, 2000)]);
    expect(again).toEqual(asIf);
    expect(await held()).toEqual(before);
    expect(await windows.count(keys, atMs, 2000)).toEqual(asIf);
  }
}, 30_000);

test('used proofs are looked up where they lie, and not remembered', async () => {
  const { replays } = await openReady(address());
  for (const master of MASTERS) {
    const name = nameOn(master, 'u', 'j');
    const ask = (memory: typeof replays.simulated) => memory.remember(name, T0, T0 + 60_000, 2000);
    expect([await ask(replays.simulated), await ask(replays), await ask(replays.simulated)]).toEqual(['fresh', 'fresh', 'replayed']);
  }
});

test('what all replicas remember is looked at on copies, and taught nothing', async () => {
  const live = await openReplica(address());
  const simulated = replicaOf(live.shared.simulated);
  const who: Asked = { client: nameOn(0, 'c'), address: nameOn(1, 'a'), token: nameOn(2, 't'), country: 'DE' };
  for (let step = 0; step < 6; step += 1) {
    const asked: Asked = { ...who, path: `/orders/${step % 3}`, asn: 64_500 + (step % 2), atMs: T0 + step * (HOUR_MS / 3) };
    const before = await held();
    const [asIf, again] = await Promise.all([simulated.ask(asked), simulated.ask(asked)]);
    expect(again).toEqual(asIf);
    expect(await held()).toEqual(before);
    expect(await live.ask(asked)).toEqual(asIf);
  }
  expect(live.shared.status().dropped).toBe(0);
}, 30_000);

test('a slot that has moved since is followed, in the order of the three commands', async () => {
  const { windows } = await openReady(address());
  const client = nameOn(0, 'c', 'moved');
  const keys: WindowKeys = { client, address: null, token: null, route: null };
  for (let count = 0; count < 3; count += 1) await windows.count(keys, T0, 2000);
  const slot = String(slotOf(`{c:${client}}`));
  const [from, to] = [node(0), node(1)];
  const [fromId, toId] = await Promise.all([from, to].map(async (one) => (await one.command('CLUSTER', 'MYID')).split('\r\n')[1] ?? ''));
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '');

  // half way: the key is still where it was, and its copy would be nowhere
  const underWay = await windows.simulated.count(keys, T0, 2000);
  expect(['store_unavailable', { '10s': 4, '1m': 4, '10m': 4, '1h': 4 }]).toContainEqual(underWay.client);

  const names = [...(await from.command('CLUSTER', 'GETKEYSINSLOT', slot, '100')).matchAll(/^[^*$\r\n].*$/gm)].map(([name]) =>
    name.trimEnd(),
  );
  for (const name of names) expect(await from.command('MIGRATE', to.host, String(to.port), name, '0', '5000')).toContain('OK');
  const moving = await windows.simulated.count(keys, T0, 2000);
  expect(['store_unavailable', { '10s': 4, '1m': 4, '10m': 4, '1h': 4 }]).toContainEqual(moving.client);

  for (const one of cluster.nodes.slice(0, 3)) await one.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '');
  for (let again = 0; again < 5; again += 1)
    expect((await windows.simulated.count(keys, T0, 2000)).client).toEqual({ '10s': 4, '1m': 4, '10m': 4, '1h': 4 });
  expect((await windows.count(keys, T0, 2000)).client).toEqual({ '10s': 4, '1m': 4, '10m': 4, '1h': 4 });
  const left = await Promise.all(MASTERS.map((master) => heldBy(node(master))));
  expect(left.flat().filter(([name]) => name.includes('simulated'))).toEqual([]);
}, 30_000);
