import { Redis } from 'ioredis';
import { CountersignError } from '../contract/errors.ts';
import type { StoreLogger } from './store-logger.ts';

export type RedisClientOptions = {
  /** `redis://` or `rediss://` (TLS), with `user:password@` and `/database` where wanted. */
  readonly url: string;
  readonly deadlineMs: number;
  readonly logger: StoreLogger;
};

/** A reply, or the text of why there is none. */
export type RedisReply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string };

/** One connection to Redis that fails fast: nothing is queued while it is away, nothing waits longer than the deadline. */
export interface RedisClient {
  /** True while commands can be sent. */
  readonly ready: boolean;
  /** Text of the last failure since the connection was last ready, or null. */
  readonly lastError: string | null;
  /** Sends commands in one write; never rejects: each command has its own reply. */
  send(commands: readonly (readonly [string, ...(string | number)[]])[]): Promise<readonly RedisReply[]>;
  close(): Promise<void>;
}

/**
 * The owner of `ioredis`. The settings were found by trying (a stopped server, a silent listener, a killed one): without
 * `socketTimeout` a connection to a hung server stays `ready` for ever and every timed-out command stays queued.
 */
export function createRedisClient({ url, deadlineMs, logger }: RedisClientOptions): RedisClient {
  const target = parseRedisUrl(url);
  const where = `${target.host}:${target.port}`;
  const redis = new Redis({
    ...target,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 500,
    commandTimeout: deadlineMs,
    socketTimeout: 300,
    retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  });
  let lastError: string | null = 'not connected yet';
  let reported = false;

  // without a listener ioredis prints to stderr at each retry; error objects hold the command's arguments (AUTH!), so only the text is used
  redis.on('error', (error: Error) => {
    lastError = error.message === '' ? error.name : error.message;
    if (reported) return;
    reported = true;
    logger.warn('store_unavailable', { store: 'redis', where, error: lastError });
  });
  redis.on('ready', () => {
    lastError = null;
    reported = false;
    logger.info('store_ready', { store: 'redis', where });
  });
  redis.on('close', () => {
    lastError ??= 'connection closed';
  });

  return {
    get ready() {
      return redis.status === 'ready';
    },
    get lastError() {
      return lastError;
    },
    async send(commands) {
      const pipeline = redis.pipeline();
      for (const [name, ...args] of commands) pipeline.call(name, ...args);
      try {
        const replies = (await pipeline.exec()) ?? [];
        return commands.map((_, index) => toReply(replies[index]));
      } catch (thrown) {
        const error = textOf(thrown);
        return commands.map(() => ({ ok: false, error }));
      }
    },
    async close() {
      redis.disconnect();
    },
  };
}

function toReply(reply: [Error | null, unknown] | undefined): RedisReply {
  if (reply === undefined) return { ok: false, error: 'no reply' };
  const [error, value] = reply;
  return error === null ? { ok: true, value } : { ok: false, error: textOf(error) };
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

type RedisTarget = {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: { readonly servername: string };
};

/** @throws CountersignError `config_invalid`; its text never holds the URL, which may hold a password. */
export function parseRedisUrl(text: string): RedisTarget {
  const invalid = () => new CountersignError('config_invalid', { field: 'store.url' });
  if (!URL.canParse(text)) throw invalid();
  const url = new URL(text);
  const database = /^\/?(\d{0,4})$/.exec(url.pathname)?.[1];
  if ((url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '' || database === undefined) throw invalid();
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    return {
      host,
      port: url.port === '' ? 6379 : Number(url.port),
      db: Number(database),
      ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
      ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
      ...(url.protocol === 'rediss:' ? { tls: { servername: host } } : {}),
    };
  } catch {
    // a stray % in the credentials
    throw invalid();
  }
}
