import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryWindows } from '../../../src/stores/memory-windows.ts';
import { slotOf, tagOfSlot } from '../../../src/stores/redis/slots.ts';
import type { WindowKeys } from '../../../src/stores/windows.ts';
import { replicated } from '../../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts';
import { openReady, until } from './opened.ts';

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const once = { '10s': 1, '1m': 1, '10m': 1, '1h': 1 };
const twice = { '10s': 2, '1m': 2, '10m': 2, '1h': 2 };

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
}, 60_000);
afterAll(() => cluster.stop());
beforeEach(async () => {
  for (const node of cluster.nodes) await node.command('FLUSHALL');
});

function opened(deadlineMs = 500) {
  const [url = '', ...others] = cluster.urls;
  return openReady({ url, cluster: others.slice(0, 1), deadlineMs });
}

/** Names by the master that their entity lies on. */
function keysOn(master: number): WindowKeys {
  const node = cluster.nodes[master];
  const find = (tag: string): string => {
    for (let number = 0; ; number++) if (cluster.masterOf(slotOf(`{${tag}:${number}}`)) === node) return String(number);
  };
  return { client: find('c'), address: find('a'), token: find('t'), route: find('r') };
}

test('slots are those of the server, and each has a tag', async () => {
  const keys = ['', 'a', 'foo{hash_tag}', 'foo{}{bar}', 'foo{{bar}}zap', '{user1000}.following', 'ünï{cödé}', '}{', 'test:{c:agent-1}'];
  for (const key of keys) expect(slotOf(key), key).toBe(await cluster.slotOf(key));
  for (const slot of [0, 1, 5460, 5461, 16_383]) expect(slotOf(`x{${tagOfSlot(slot)}}`)).toBe(slot);
});

describe('counting in a cluster', () => {
  test('entities on different nodes are counted in one round, by all replicas of this service together', async () => {
    const [one, two] = [await opened(), await opened()];
    const keys: WindowKeys = { ...keysOn(0), address: keysOn(1).address, token: keysOn(2).token };
    expect(await one.windows.count(keys, NOW, 500)).toMatchObject({ client: once, address: once, token: once, route: once });
    expect(await two.windows.count(keys, NOW, 500)).toMatchObject({ client: twice, address: twice, token: twice, route: twice });
  });

  test('memory and the cluster give the same numbers', async () => {
    const { windows } = await opened(5000);
    const step = fc.record({ key: fc.integer({ min: 0, max: 5 }), move: fc.integer({ min: -3000, max: 90_000 }) });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        run += 1;
        const memory = createMemoryWindows({ entriesMax: 10_000, startedAtMs: 0 });
        let now = NOW;
        const pairs = steps.map(({ key, move }) => {
          now += move;
          const name = `${run}-${key}`;
          const keys: WindowKeys = { client: name, address: name, token: name, route: null };
          return [memory.count(keys, now, 5000), windows.count(keys, now, 5000)] as const;
        });
        for (const [inMemory, inRedis] of pairs) {
          const { client, address, token } = await inMemory;
          expect(await inRedis).toMatchObject({ client, address, token });
        }
      }),
      { numRuns: 40 },
    );
  });

  test("a policy's counters lie where their keys say, in the same round, and SCRIPT FLUSH loses none", async () => {
    const { windows } = await opened(5000);
    const counters = Array.from({ length: 12 }, (_, index) => ({ counter: 'p/spend', key: `k${index}`, amount: 1500, thresholds: [] }));
    const keys: WindowKeys = { ...keysOn(0), counters: [...counters, { counter: 'p/spend', key: 'k0', amount: 1, thresholds: [] }] };
    await windows.count(keys, NOW, 5000);
    for (const node of cluster.nodes) await node.command('SCRIPT', 'FLUSH');
    const { client, counters: sums } = await windows.count(keys, NOW, 5000);
    expect(client).toEqual(twice);
    expect(sums?.map((one) => (typeof one === 'object' ? one['1d'] : one))).toEqual([
      3001,
      ...Array.from({ length: 11 }, () => 3000),
      3002,
    ]);
  });

  test('[asks 75] SCRIPT FLUSH on every node between two calls: the next one counts, once', async () => {
    const { windows } = await opened();
    const keys: WindowKeys = { ...keysOn(0), address: keysOn(1).address, token: keysOn(2).token };
    await windows.count(keys, NOW, 500);
    for (const node of cluster.nodes) await node.command('SCRIPT', 'FLUSH');
    expect(await windows.count(keys, NOW, 500)).toMatchObject({ client: twice, address: twice, token: twice, route: twice });
  });

  test('[asks 70] a node that lost its data is told for the keys that lie there, and for no others', async () => {
    const { windows } = await opened();
    const [kept, lost] = [keysOn(0), keysOn(1)];
    await windows.count(kept, NOW - HOUR, 500);
    await windows.count(lost, NOW - HOUR, 500);
    await cluster.nodes[1]?.command('FLUSHALL');
    expect(await windows.count(kept, NOW, 500)).toMatchObject({ historyLost: false });
    expect(await windows.count(lost, NOW, 500)).toMatchObject({ historyLost: true });
    expect(await windows.count(lost, NOW + HOUR, 500)).toMatchObject({ historyLost: false });
  });

  test('used proofs are remembered by all replicas', async () => {
    const [one, two] = [await opened(), await opened()];
    const names = Array.from({ length: 30 }, (_, index) => `proof-${index}`);
    const first = await Promise.all(names.map((name) => one.replays.remember(name, NOW, NOW + 60_000, 500)));
    const second = await Promise.all(names.map((name) => two.replays.remember(name, NOW, NOW + 60_000, 500)));
    expect(new Set(first)).toEqual(new Set(['fresh']));
    expect(new Set(second)).toEqual(new Set(['replayed']));
  });
});

describe('a cluster that changes', () => {
  test('a slot that has moved to another node is followed', async () => {
    const { windows } = await opened();
    const keys: WindowKeys = { client: keysOn(0).client, address: keysOn(1).address, token: null, route: null };
    expect(await windows.count(keys, NOW, 500)).toMatchObject({ client: once, address: once });
    const key = `test:{c:${keys.client}}`;
    const slot = String(await cluster.slotOf(key));
    const [from, to] = [cluster.nodes[0], cluster.nodes[1]];
    if (from === undefined || to === undefined) throw new Error('no nodes');
    const idOf = async (node: typeof from) => (await node.command('CLUSTER', 'MYID')).split('\r\n')[1] ?? '';
    const [fromId, toId] = [await idOf(from), await idOf(to)];
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    await from.command('MIGRATE', to.host, String(to.port), key, '0', '1000');
    // on the way: the old node redirects by ASK, to one that is new and knows no script
    await to.command('SCRIPT', 'FLUSH');
    expect(await windows.count({ ...keys, address: null }, NOW, 500)).toMatchObject({ client: twice });
    expect(await windows.count({ ...keys, client: null }, NOW, 500)).toMatchObject({ address: twice });
    await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    await from.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    const third = { '10s': 3, '1m': 3, '10m': 3, '1h': 3 };
    expect(await windows.count(keys, NOW, 500)).toMatchObject({ client: third, address: third });
    await from.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
  });

  test('a node that says CLUSTERDOWN has answered: its keys are unavailable, and count on as soon as it serves them', async () => {
    const { windows } = await opened();
    const keys: WindowKeys = { client: null, address: keysOn(1).address, token: null, route: keysOn(0).route };
    await windows.count(keys, NOW, 500);
    const slot = String(await cluster.slotOf(`test:{r:${keys.route}}`));
    const [node] = cluster.nodes;
    await node?.command('CLUSTER', 'DELSLOTS', slot);
    try {
      for (let call = 2; call < 8; call++) {
        expect(await windows.count(keys, NOW, 500)).toMatchObject({ route: 'store_unavailable', address: { '1h': call } });
      }
      expect(windows.status()).toMatchObject({ state: 'ready', lastError: expect.stringContaining('CLUSTERDOWN') });
    } finally {
      await node?.command('CLUSTER', 'ADDSLOTS', slot);
    }
    await until(async () => typeof (await windows.count(keys, NOW, 500)).route === 'object');
    expect(await windows.count(keys, NOW, 500)).toMatchObject({ route: { '1h': 3 } });
  });

  test('[asks 74] a node that hangs marks its own entities, and after three failures nobody waits for it', async () => {
    const { windows } = await opened(60);
    const mixed: WindowKeys = { client: keysOn(2).client, address: keysOn(1).address, token: null, route: null };
    await windows.count(mixed, NOW, 500);
    cluster.nodes[2]?.pause();
    try {
      for (let call = 0; call < 3; call++) {
        expect(await windows.count(mixed, NOW, 500)).toMatchObject({ client: 'store_unavailable', address: { '1m': call + 2 } });
      }
      const answers = await Promise.all(Array.from({ length: 200 }, () => windows.count(mixed, NOW, 500)));
      for (const answer of answers) expect(answer).toMatchObject({ client: 'store_unavailable', address: { '1m': expect.any(Number) } });
      expect(windows.status()).toMatchObject({ state: 'ready', lastError: expect.any(String) });
    } finally {
      cluster.nodes[2]?.resume();
    }
    await until(async () => typeof (await windows.count(mixed, NOW, 500)).client === 'object');
  });

  test('a master that is killed: its replica takes over, and the counts go on', async () => {
    const { windows } = await opened();
    const keys: WindowKeys = { client: keysOn(2).client, address: keysOn(1).address, token: null, route: null };
    const [master, replica] = [cluster.nodes[2], cluster.nodes[5]];
    if (master === undefined || replica === undefined) throw new Error('no nodes');
    const before = await windows.count(keys, NOW, 500);
    await replicated(master, replica);
    await master.kill();
    const seen: unknown[] = [];
    await until(async () => {
      const { client, address } = await windows.count(keys, NOW, 500);
      seen.push(client);
      expect(address).not.toBe(null);
      return typeof client === 'object';
    });
    const last = seen.at(-1);
    expect(seen.slice(0, -1).every((client) => client === 'store_unavailable')).toBe(true);
    const count = typeof before.client === 'object' ? (before.client?.['1h'] ?? 0) : 0;
    expect(last).toMatchObject({ '1h': count + 1 });
  }, 40_000);
});
