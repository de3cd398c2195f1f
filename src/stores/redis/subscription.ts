import type { Cluster, Redis } from 'ioredis';
import type { StoreLogger } from '../store-logger.ts';
import { textOf } from './pipeline.ts';

/** Calls back at each message of a channel, and subscribes again whenever the connection is there again. A failure is told once and costs nothing else. */
export function listenTo(redis: Redis | Cluster, channel: string, listener: () => void, logger: StoreLogger): void {
  let reported = false;
  const failed = (thrown: unknown): void => {
    if (reported) return;
    reported = true;
    logger.warn('store_not_heard', { store: 'redis', channel, error: textOf(thrown) });
  };
  const subscribe = (): void => {
    redis.subscribe(channel).then(() => {
      reported = false;
      // whatever was said while nobody listened
      listener();
    }, failed);
  };
  // without a listener ioredis prints to stderr at each retry
  redis.on('error', failed);
  redis.on('ready', subscribe);
  redis.on('message', (on: string) => {
    if (on === channel) listener();
  });
  if (redis.status === 'ready') subscribe();
}
