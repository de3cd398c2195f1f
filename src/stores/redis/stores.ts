import { CircuitBreaker } from '../circuit-breaker.ts';
import type { SimulatedWindows } from '../memory-windows.ts';
import type { SimulatedReplays } from '../replay-memory.ts';
import type { StoreLogger } from '../store-logger.ts';
import { connectCluster } from './cluster.ts';
import { createRedisReplays } from './replays.ts';
import { connectSingle } from './single.ts';
import { createRedisWindows } from './windows.ts';
import { COUNTERS_SCRIPT, WINDOWS_SCRIPT } from './windows-script.ts';

export type RedisStoresOptions = {
  /** The server, or the first node of a cluster; with sentinels their name of the group stands in the place of the host. */
  readonly url: string;
  /** URLs of the sentinels; empty without. */
  readonly sentinels?: readonly string[];
  /** URLs of further nodes of a cluster; null where it is none. */
  readonly cluster?: readonly string[] | null;
  readonly deadlineMs: number;
  readonly keyPrefix: string;
  /** Milliseconds that never go back, for the breakers. */
  readonly monotonic: () => number;
  readonly logger: StoreLogger;
};

/** Everything that is kept in one Redis. */
export type RedisStores = { readonly windows: SimulatedWindows; readonly replays: SimulatedReplays; close(): Promise<void> };

const BREAKER = { failuresMax: 3, openMs: 250 };
const SCRIPTS = [WINDOWS_SCRIPT, COUNTERS_SCRIPT];

/** Opens the stores over one client and one breaker: what one of them finds hanging, the others do not wait for. */
export function openRedisStores(options: RedisStoresOptions): RedisStores {
  const { url, sentinels = [], cluster = null, deadlineMs, keyPrefix, monotonic, logger } = options;
  const common = { deadlineMs, scripts: SCRIPTS, logger };
  const client =
    cluster === null
      ? connectSingle({ ...common, url, sentinels })
      : connectCluster({ ...common, urls: [url, ...cluster], breaker: BREAKER, monotonic });
  const shared = { client, breaker: new CircuitBreaker(BREAKER, monotonic), deadlineMs, keyPrefix, logger };
  return { windows: createRedisWindows(shared), replays: createRedisReplays(shared), close: () => client.close() };
}
