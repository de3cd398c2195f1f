import { WindowPool } from './window-pool.ts';
import { type EntityCounts, LONGEST_WINDOW_MS, type SubBuckets, subBucketsAt, type WindowStore } from './windows.ts';

export type MemoryWindowsOptions = {
  /** Entities over all pools; 1.1 kB each once used. */
  readonly entriesMax: number;
  /** Unix milliseconds by the same clock as the hits: before it nothing was counted. */
  readonly startedAtMs: number;
};

/** Shares of `entriesMax`: apart, so that a flood of one kind (addresses cost an attacker nothing) leaves the others alone. */
const SHARES = { client: 0.2, address: 0.5, token: 0.25, route: 0.05 } as const;

/** Sliding windows in this process: answers at once, forgets at a restart. */
export function createMemoryWindows({ entriesMax, startedAtMs }: MemoryWindowsOptions): WindowStore {
  const sized = (share: number) => new WindowPool(Math.max(1, Math.floor(entriesMax * share)));
  const clients = sized(SHARES.client);
  const addresses = sized(SHARES.address);
  const tokens = sized(SHARES.token);
  const routes = sized(SHARES.route);

  return {
    count(keys, nowMs) {
      const at = subBucketsAt(nowMs);
      return {
        client: hit(clients, keys.client, at),
        address: hit(addresses, keys.address, at),
        token: hit(tokens, keys.token, at),
        route: hit(routes, keys.route, at),
        historyLost: nowMs - startedAtMs < LONGEST_WINDOW_MS,
      };
    },
    status: () => ({
      kind: 'memory',
      state: 'ready',
      entries: clients.size + addresses.size + tokens.size + routes.size,
      lastError: null,
    }),
    close: () => Promise.resolve(),
  };
}

function hit(pool: WindowPool, key: string | null, at: SubBuckets): EntityCounts {
  return key === null ? null : (pool.hit(key, at) ?? 'store_full');
}
