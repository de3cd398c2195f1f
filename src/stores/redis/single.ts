import { Redis } from 'ioredis';
import { parseRedisUrl } from './address.ts';
import type { RedisClient, RedisClientOptions } from './client.ts';
import { sendTo, textOf } from './pipeline.ts';
import { connectionSettings, listenerSettings, retryMs } from './settings.ts';
import { listenTo } from './subscription.ts';

export type SingleOptions = RedisClientOptions & {
  /** The server; with sentinels their name of the group stands in the place of the host. */
  readonly url: string;
  /** URLs of the sentinels, with the credentials that they ask for; empty where there are none. */
  readonly sentinels: readonly string[];
};

const SENTINEL_PORT = 26_379;

/** One connection: to one server, or to the master that the sentinels name, whoever that is after a failover. */
export function connectSingle({ url, sentinels, deadlineMs, scripts, logger }: SingleOptions): RedisClient {
  const target = parseRedisUrl(url);
  const where = sentinels.length === 0 ? `${target.host}:${target.port}` : `sentinel:${target.host}`;
  const server = {
    ...target,
    ...(sentinels.length === 0 ? {} : sentinelSettings(target.host, sentinels, target.tls !== undefined)),
    enableOfflineQueue: false,
    retryStrategy: retryMs,
  };
  const redis = new Redis({ ...server, ...connectionSettings(deadlineMs) });
  const listeners: Redis[] = [];
  let lastError: string | null = 'not connected yet';
  let reported = false;

  // without a listener ioredis prints to stderr at each retry
  redis.on('error', (error: Error) => {
    lastError = textOf(error);
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
    send: (commands) => sendTo(redis, commands, scripts),
    shardTag: () => 'started',
    listen(channel, listener) {
      const subscriber = new Redis({ ...server, ...listenerSettings });
      listeners.push(subscriber);
      listenTo(subscriber, channel, listener, logger);
    },
    async close() {
      for (const subscriber of listeners) subscriber.disconnect();
      redis.disconnect();
    },
  };
}

/** One user and password for all sentinels: ioredis has one place for them, and so do the sentinels themselves. */
function sentinelSettings(name: string, urls: readonly string[], tls: boolean) {
  const sentinels = urls.map((url) => parseRedisUrl(url, 'store.sentinels', SENTINEL_PORT));
  const [first] = sentinels;
  return {
    name,
    sentinels: sentinels.map(({ host, port }) => ({ host, port })),
    role: 'master' as const,
    sentinelRetryStrategy: retryMs,
    // a sentinel that hangs must not keep the others from being asked
    sentinelCommandTimeout: 500,
    // ioredis' own detector prints to stderr for each sentinel that is away; sentinels cut the clients of a master that they send down,
    // and one that was left says READONLY
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    ...(first?.username === undefined ? {} : { sentinelUsername: first.username }),
    ...(first?.password === undefined ? {} : { sentinelPassword: first.password }),
    ...(first?.tls === undefined ? {} : { sentinelTLS: {} }),
    // the name of the group is none on the master's certificate: its address is
    ...(tls ? { enableTLSForSentinelMode: true, tls: {} } : {}),
  };
}
