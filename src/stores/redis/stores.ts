import { CircuitBreaker } from '../circuit-breaker.ts';
import type { SimulatedWindows } from '../memory-windows.ts';
import type { SimulatedReplays } from '../replay-memory.ts';
import type { SharedEntries } from '../shared-entries.ts';
import type { HashKey, SimulatedShared } from '../shared-store.ts';
import type { StoreLogger } from '../store-logger.ts';
import type { RedisClient } from './client.ts';
import { connectCluster } from './cluster.ts';
import { createRedisEntries } from './entries.ts';
import { ENTRIES_SCRIPTS } from './entries-script.ts';
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
  readonly windows: SimulatedWindows;
  readonly replays: SimulatedReplays;
  readonly shared: SimulatedShared;
  /** Entries that replicas keep together under a name, over a connection of their own. */
  entries(name: string, nonce: () => string): SharedEntries;
  close(): Promise<void>;
};

const BREAKER = { failuresMax: 3, openMs: 250 };
/** Below `socketTimeout`, so that a slow answer costs no connection. */
const BACKGROUND_DEADLINE_MS = 250;
const SCRIPTS = [WINDOWS_SCRIPT, COUNTERS_SCRIPT, ...ENTRIES_SCRIPTS];

/** Opens the stores that decisions wait for over one client and one breaker: what one of them finds hanging, the others do not wait for. */
export function openRedisStores(options: RedisStoresOptions): RedisStores {
  const { url, sentinels = [], cluster = null, deadlineMs, keyPrefix, hashKey = [0, 0], scripts = [], monotonic, logger } = options;
  const connect = (deadline: number, told: StoreLogger): RedisClient => {
    const common = { deadlineMs: deadline, scripts: [...SCRIPTS, ...scripts], logger: told };
    return cluster === null
      ? connectSingle({ ...common, url, sentinels })
      : connectCluster({ ...common, urls: [url, ...cluster], breaker: BREAKER, monotonic });
  };
  const client = connect(deadlineMs, logger);
  const clients = [client];
  const parts = { client, round: createRound(client, deadlineMs), deadlineMs, keyPrefix, logger };
  const counting = { ...parts, breaker: new CircuitBreaker(BREAKER, monotonic) };
  return {
    windows: createRedisWindows(counting),
    replays: createRedisReplays(counting),
    shared: createRedisShared({ ...parts, breaker: new CircuitBreaker(BREAKER, monotonic), hashKey, scripts }),
    entries(name, nonce) {
      // long answers must not hold up those that a decision waits for, and nobody waits for these
      const own = connect(Math.max(deadlineMs, BACKGROUND_DEADLINE_MS), onlyDeaf(logger));
      clients.push(own);
      return createRedisEntries({ client: own, key: `${keyPrefix}:{${name}}`, nonce });
    },
    async close() {
      await Promise.all(clients.map((one) => one.close()));
    },
  };
}

/** The first connection says for all whether the server is there. */
function onlyDeaf(logger: StoreLogger): StoreLogger {
  return {
    info: () => undefined,
    warn(event, fields) {
      if (event === 'store_not_heard') logger.warn(event, fields);
    },
  };
}
