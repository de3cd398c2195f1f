import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.ts';
import { type RedisServer, startRedis } from './redis.ts';

const SLOTS = 16_384;
const MASTERS = 3;

/** Six real redis-servers on loopback that form a cluster: three masters with a third of the slots each, and a replica of each. */
export interface RedisCluster {
  /** One URL a node, masters first. */
  readonly urls: readonly string[];
  /** Nodes as they were started: masters 0 to 2, the replica of `i` is `i + 3`. */
  readonly nodes: readonly RedisServer[];
  /** The node that had the slot at the start. */
  masterOf(slot: number): RedisServer;
  /** The slot of a key, as the server itself says. */
  slotOf(key: string): Promise<number>;
  stop(): Promise<void>;
}

/** Made with commands alone, so that nothing but redis-server is needed. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-cluster-'));
  const started = await Promise.all(
    Array.from({ length: 2 * MASTERS }, async (_, index) => {
      const busPort = await freePort();
      const node = await startRedis({
        args: [
          ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port', String(busPort)],
          ...['--dir', directory, '--dbfilename', `${index}.rdb`],
          ...['--cluster-config-file', join(directory, `nodes-${index}.conf`), '--cluster-replica-validity-factor', '0'],
        ],
      });
      return { node, busPort };
    }),
  );
  const nodes = started.map(({ node }) => node);
  const bounds = Array.from({ length: MASTERS + 1 }, (_, index) => Math.floor((index * SLOTS) / MASTERS));
  const boundOf = (index: number) => bounds[index] ?? SLOTS;
  const [first] = nodes;
  if (first === undefined) throw new Error('no node was started');
  for (const [index, node] of nodes.entries()) {
    if (index < MASTERS) await node.command('CLUSTER', 'ADDSLOTSRANGE', String(boundOf(index)), String(boundOf(index + 1) - 1));
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  for (const { node, busPort } of started.slice(1)) await first.command('CLUSTER', 'MEET', node.host, String(node.port), String(busPort));
  await until(async () => (await Promise.all(nodes.map((node) => info(node)))).every((text) => text.includes('cluster_known_nodes:6')));
  for (const [index, node] of nodes.slice(MASTERS).entries()) {
    const id = await nodes[index]?.command('CLUSTER', 'MYID');
    await until(async () => (await node.command('CLUSTER', 'REPLICATE', id?.split('\r\n')[1] ?? '')).startsWith('+OK'));
  }
  await until(async () => (await Promise.all(nodes.map((node) => info(node)))).every((text) => text.includes('cluster_state:ok')));
  await until(async () =>
    (await Promise.all(nodes.slice(MASTERS).map((node) => node.command('INFO', 'replication')))).every((text) =>
      text.includes('master_link_status:up'),
    ),
  );
  return {
    urls: nodes.map(({ url }) => url),
    nodes,
    masterOf(slot) {
      const node = nodes[bounds.findLastIndex((bound) => bound <= slot)];
      if (node === undefined) throw new Error('no such slot');
      return node;
    },
    async slotOf(key) {
      return Number((await first.command('CLUSTER', 'KEYSLOT', key)).slice(1));
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function info(node: RedisServer): Promise<string> {
  return node.command('CLUSTER', 'INFO');
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error('the cluster did not come up within 30 s');
    await sleep(50);
  }
}
