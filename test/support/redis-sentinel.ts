import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from './child.ts';
import { freePort } from './ports.ts';
import { askRedis, type RedisServer, startRedis } from './redis.ts';

/** A master, a replica and three sentinels on loopback, all real. */
export interface SentinelGroup {
  /** What the sentinels call the group. */
  readonly name: string;
  readonly sentinels: readonly string[];
  readonly master: RedisServer;
  readonly replica: RedisServer;
  stop(): Promise<void>;
}

/** Needs nothing but redis-server: `redis-server --sentinel` is the sentinel. */
export async function startSentinelGroup(name = 'countersign'): Promise<SentinelGroup> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-sentinel-'));
  const master = await startRedis({ args: ['--dir', directory, '--dbfilename', 'master.rdb'] });
  const replica = await startRedis({ args: ['--replicaof', master.host, String(master.port), '--dir', directory] });
  const sentinels = await Promise.all(
    Array.from({ length: 3 }, async (_, index) => {
      const port = await freePort();
      const file = join(directory, `sentinel-${index}.conf`);
      await writeFile(
        file,
        [
          `port ${port}`,
          'bind 127.0.0.1',
          `sentinel monitor ${name} ${master.host} ${master.port} 2`,
          `sentinel down-after-milliseconds ${name} 500`,
          `sentinel failover-timeout ${name} 2000`,
        ].join('\n'),
      );
      return { port, child: startChild(process.env['REDIS_SERVER_BIN'] ?? 'redis-server', [file, '--sentinel']) };
    }),
  );
  const ask = (port: number, ...words: readonly string[]) => askRedis('127.0.0.1', port, undefined, words).catch(() => '');
  // each knows the replica and the two others, else they cannot agree on a failover
  await until(async () => {
    const seen = await Promise.all(sentinels.map(({ port }) => ask(port, 'SENTINEL', 'MASTER', name)));
    return seen.every((text) => /num-slaves\r\n\$1\r\n1\r\n/.test(text) && /num-other-sentinels\r\n\$1\r\n2\r\n/.test(text));
  });
  return {
    name,
    sentinels: sentinels.map(({ port }) => `redis://127.0.0.1:${port}`),
    master,
    replica,
    async stop() {
      await Promise.all(sentinels.map(({ child }) => child.stop()));
      await Promise.all([master.stop(), replica.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error('the sentinels did not find each other within 30 s');
    await sleep(50);
  }
}
