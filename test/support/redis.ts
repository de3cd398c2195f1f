import { connect } from 'node:net';
import { type Child, startChild, waitUntil } from './child.ts';
import { freePort } from './ports.ts';

/** A real redis-server of a test on loopback: no persistence, no configuration file. */
export interface RedisServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Sends one command and gives the raw RESP answer of up to one TCP read, for FLUSHALL, SCRIPT FLUSH and the like. */
  command(...args: readonly string[]): Promise<string>;
  /** SIGSTOP: accepts connections and never answers, the best black hole (TRAPS 6). */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGKILL; `start` again on the same port with `startRedis({ port })`. */
  kill(): Promise<void>;
  /** SIGTERM (after a SIGCONT), for `afterAll`. */
  stop(): Promise<void>;
}

/** Starts redis-server (from `REDIS_SERVER_BIN`, else PATH) on a free port, or on the given one, and waits for its PONG. */
export async function startRedis(
  options: { readonly port?: number; readonly password?: string; readonly args?: readonly string[] } = {},
): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const host = '127.0.0.1';
  const auth = options.password === undefined ? [] : ['--requirepass', options.password];
  const child: Child = startChild(process.env['REDIS_SERVER_BIN'] ?? 'redis-server', [
    ...['--port', String(port), '--bind', host, '--save', '', '--appendonly', 'no', '--loglevel', 'warning'],
    ...auth,
    ...(options.args ?? []),
  ]);
  const command = (...args: readonly string[]) => askRedis(host, port, options.password, args);
  await waitUntil('redis-server', child, async () => (await command('PING')).includes('PONG'));
  return {
    url: options.password === undefined ? `redis://${host}:${port}` : `redis://:${options.password}@${host}:${port}`,
    host,
    port,
    pid: child.pid,
    command,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    kill: async () => {
      await child.stop('SIGKILL');
    },
    stop: async () => {
      child.kill('SIGCONT');
      await child.stop('SIGTERM');
    },
  };
}

/** Waits until the replica has all that the master has written. WAIT would look at the writes of its own connection only. */
export async function replicated(master: RedisServer, replica: RedisServer): Promise<void> {
  const offset = async (node: RedisServer) => /master_repl_offset:(\d+)/.exec(await node.command('INFO', 'replication'))?.[1];
  const wanted = Number(await offset(master));
  const end = Date.now() + 10_000;
  while (!(Number(await offset(replica)) >= wanted)) if (Date.now() > end) throw new Error('the replica did not catch up within 10 s');
}

/** One command over a connection of its own, in RESP arrays of bulk strings. */
export function askRedis(host: string, port: number, password: string | undefined, args: readonly string[]): Promise<string> {
  const encode = (words: readonly string[]) =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const replies = password === undefined ? 1 : 2;
    let text = '';
    socket.setTimeout(2000, () => socket.destroy(new Error(`redis-server did not answer ${args[0] ?? ''}`)));
    socket.once('error', reject);
    socket.once('connect', () => socket.write((password === undefined ? '' : encode(['AUTH', password])) + encode(args)));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.split('\r\n').length <= replies) return;
      socket.end();
      resolve(text);
    });
  });
}
