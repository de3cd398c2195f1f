import { CircuitBreaker } from '../circuit-breaker.ts';
import type { ReplayMemory } from '../replay-memory.ts';
import type { HashKey, SharedStore } from '../shared-store.ts';
import type { StoreLogger } from '../store-logger.ts';
import type { WindowStore } from '../windows.ts';
import { connectCluster } from './cluster.ts';
import { createRedisReplays } from './replays.ts';
import { createRound } from './round.ts';
import { createRedisShared } from './shared-memory.ts';
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
  /** What shared memory hashes with where no replica has chosen a key yet: random. */
  readonly hashKey?: HashKey;
  /** Texts of the scripts that calls of shared memory name. */
  readonly scripts?: readonly string[];
  /** Milliseconds that never go back, for the breakers. */
  readonly monotonic: () => number;
  readonly logger: StoreLogger;
};

/** Everything that is kept in one Redis. */
export type RedisStores = {
  readonly windows: WindowStore;
  readonly replays: ReplayMemory;
  readonly shared: SharedStore;
  close(): Promise<void>;
};

const BREAKER = { failuresMax: 3, openMs: 250 };
const SCRIPTS = [WINDOWS_SCRIPT, COUNTERS_SCRIPT];

/** Opens the stores over one client and one breaker: what one of them finds hanging, the others do not wait for. */
export function openRedisStores(options: RedisStoresOptions): RedisStores {
  const { url, sentinels = [], cluster = null, deadlineMs, keyPrefix, hashKey = [0, 0], scripts = [], monotonic, logger } = options;
  const common = { deadlineMs, scripts: [...SCRIPTS, ...scripts], logger };
  const client =
    cluster === null
      ? connectSingle({ ...common, url, sentinels })
      : connectCluster({ ...common, urls: [url, ...cluster], breaker: BREAKER, monotonic });
  const round = createRound(client, deadlineMs);
  const parts = { client, round, deadlineMs, keyPrefix, logger };
  const counting = { ...parts, breaker: new CircuitBreaker(BREAKER, monotonic) };
  return {
    windows: createRedisWindows(counting),
    replays: createRedisReplays(counting),
    shared: createRedisShared({ ...parts, breaker: new CircuitBreaker(BREAKER, monotonic), hashKey }),
    close: () => client.close(),
  };
}
