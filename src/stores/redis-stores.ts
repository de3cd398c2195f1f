import { CircuitBreaker } from './circuit-breaker.ts';
import { createRedisClient } from './redis-client.ts';
import { createRedisReplays } from './redis-replays.ts';
import { createRedisWindows } from './redis-windows.ts';
import type { ReplayMemory } from './replay-memory.ts';
import type { StoreLogger } from './store-logger.ts';
import type { WindowStore } from './windows.ts';

export type RedisStoresOptions = {
  readonly url: string;
  readonly deadlineMs: number;
  readonly keyPrefix: string;
  /** Milliseconds that never go back, for the breaker. */
  readonly monotonic: () => number;
  readonly logger: StoreLogger;
};

/** Everything that is kept in one Redis. */
export type RedisStores = { readonly windows: WindowStore; readonly replays: ReplayMemory; close(): Promise<void> };

const BREAKER = { failuresMax: 3, openMs: 250 };

/** Opens the stores over one connection and one breaker: what one of them finds hanging, the others do not wait for. */
export function openRedisStores({ url, deadlineMs, keyPrefix, monotonic, logger }: RedisStoresOptions): RedisStores {
  const client = createRedisClient({ url, deadlineMs, logger });
  const shared = { client, breaker: new CircuitBreaker(BREAKER, monotonic), deadlineMs, keyPrefix, logger };
  return { windows: createRedisWindows(shared), replays: createRedisReplays(shared), close: () => client.close() };
}
