import { type PoolKind, WindowPool } from './window-pool.ts';
import {
  COUNTER_WINDOW_NAMES,
  type CounterAnswer,
  type CounterHit,
  counterSubBucketsAt,
  DAY_MS,
  ENTITIES,
  type Entity,
  type EntityCounts,
  LONGEST_WINDOW_MS,
  type SubBuckets,
  subBucketsAt,
  type Threshold,
  type WindowKeys,
  type WindowStore,
} from './windows.ts';

export type MemoryWindowsOptions = {
  /** Entities over all pools; 1.1 kB each once used. */
  readonly entriesMax: number;
  /** Keys of each named counter; 2.6 kB each once used. */
  readonly counterEntriesMax?: number;
  /** Unix milliseconds by the same clock as the hits: before it nothing was counted. */
  readonly startedAtMs: number;
};

/** Shares of `entriesMax`: apart, so that a flood of one kind (addresses cost an attacker nothing) leaves the others alone. */
const SHARES: Readonly<Record<Entity, number>> = { client: 0.2, address: 0.5, token: 0.2, api_key: 0.05, route: 0.05 };
const COUNTER_ENTRIES_MAX = 20_000;
/** Names are the policies' own; more than this are somebody's mistake, and are not counted. */
const COUNTERS_MAX = 64;

/** Milliseconds until there is room again by the name of the limit; made only where one was exceeded. */
type Resets = { byName: Record<string, number> | undefined };

/** A store with a view of it that counts as it would, and leaves everything as it is: for questions that nobody asked. */
export type SimulatedWindows = WindowStore & { readonly simulated: WindowStore };

/** Sliding windows in this process: answers at once, forgets at a restart. */
export function createMemoryWindows(options: MemoryWindowsOptions): SimulatedWindows {
  const live = openWindows(options);
  return {
    ...live.store,
    simulated: {
      ...live.store,
      count(keys, nowMs, budgetMs) {
        // a store of its own, with copies of the entries that the question is about
        const copy = openWindows({
          entriesMax: ENTITIES.length / SHARES.route,
          counterEntriesMax: COUNTERS_MAX,
          startedAtMs: options.startedAtMs,
        });
        copy.copyFrom(live, keys, nowMs);
        return copy.store.count(keys, nowMs, budgetMs);
      },
      add: (hits) => hits.map(() => 'store_unavailable'),
    },
  };
}

type OpenWindows = {
  readonly store: WindowStore;
  readonly pools: Readonly<Record<Entity, WindowPool>>;
  readonly counters: ReadonlyMap<string, WindowPool>;
  readonly copyFrom: (other: OpenWindows, keys: WindowKeys, nowMs: number) => void;
};

function openWindows(options: MemoryWindowsOptions): OpenWindows {
  const { entriesMax, counterEntriesMax = COUNTER_ENTRIES_MAX, startedAtMs } = options;
  const sized = (size: number, kind?: PoolKind) => new WindowPool(Math.max(1, Math.floor(size)), kind);
  const clients = sized(entriesMax * SHARES.client);
  const addresses = sized(entriesMax * SHARES.address);
  const tokens = sized(entriesMax * SHARES.token);
  const apiKeys = sized(entriesMax * SHARES.api_key);
  const routes = sized(entriesMax * SHARES.route);
  const pools: Readonly<Record<Entity, WindowPool>> = {
    client: clients,
    address: addresses,
    token: tokens,
    route: routes,
    api_key: apiKeys,
  };
  const counters = new Map<string, WindowPool>();

  function poolOf(name: string, running: number): WindowPool | null {
    const known = counters.get(name);
    if (known !== undefined) return known;
    // policies come and go, and with them the names of their counters
    if (counters.size >= COUNTERS_MAX) for (const [old, pool] of counters) if (pool.isOver(running)) counters.delete(old);
    if (counters.size >= COUNTERS_MAX) return null;
    const pool = sized(counterEntriesMax, 'amounts');
    counters.set(name, pool);
    return pool;
  }

  function add(hits: readonly CounterHit[], nowMs: number, resets: Resets): CounterAnswer[] {
    const at = counterSubBucketsAt(nowMs);
    return hits.map(({ counter, key, amount, thresholds }) => {
      const pool = poolOf(counter, at[at.length - 1] ?? 0);
      const sums = pool?.add(key, at, amount) ?? null;
      if (pool === null || sums === null) return 'store_full';
      for (const { name, window, limit } of thresholds) {
        const sum = sums[COUNTER_WINDOW_NAMES[window] ?? '1d'];
        if (sum > limit) tell(resets, name, pool.roomAfterMs(key, window, sum + amount - limit, nowMs));
      }
      return sums;
    });
  }

  function judge(entity: Entity, key: string, counts: EntityCounts, thresholds: readonly Threshold[], nowMs: number, resets: Resets): void {
    if (typeof counts !== 'object' || counts === null) return;
    for (const { name, window, limit } of thresholds) {
      const count = countOf(counts, window);
      if (count > limit) tell(resets, name, pools[entity].roomAfterMs(key, window, count + 1 - limit, nowMs));
    }
  }

  const store: WindowStore = {
    count(keys, nowMs) {
      const at = subBucketsAt(nowMs);
      const historyLost = nowMs - startedAtMs < LONGEST_WINDOW_MS;
      const client = hit(clients, keys.client, at);
      const address = hit(addresses, keys.address, at);
      const token = hit(tokens, keys.token, at);
      const route = hit(routes, keys.route, at);
      const api_key = hit(apiKeys, keys.api_key ?? null, at);
      const counted = { client, address, token, route, api_key, historyLost };
      const { thresholds, counters: hits } = keys;
      if (thresholds === undefined && hits === undefined) return counted;
      const resets: Resets = { byName: undefined };
      if (thresholds !== undefined) {
        for (const entity of ENTITIES) {
          const key = keys[entity] ?? null;
          const limits = thresholds[entity];
          if (key !== null && limits !== undefined) judge(entity, key, counted[entity], limits, nowMs, resets);
        }
      }
      const told = hits === undefined ? counted : { ...counted, counters: add(hits, nowMs, resets), dayLost: nowMs - startedAtMs < DAY_MS };
      return resets.byName === undefined ? told : { ...told, resets: resets.byName };
    },
    add: (hits, nowMs) => add(hits, nowMs, { byName: undefined }),
    status() {
      let entries = 0;
      for (const pool of [...Object.values(pools), ...counters.values()]) entries += pool.size;
      return { kind: 'memory', state: 'ready', entries, lastError: null };
    },
    close: () => Promise.resolve(),
  };

  function copyFrom(other: OpenWindows, keys: WindowKeys, nowMs: number): void {
    const at = counterSubBucketsAt(nowMs);
    for (const entity of ENTITIES) {
      const key = keys[entity] ?? null;
      if (key !== null) pools[entity].copyFrom(other.pools[entity], key);
    }
    for (const { counter, key } of keys.counters ?? []) {
      const from = other.counters.get(counter);
      if (from !== undefined) poolOf(counter, at[at.length - 1] ?? 0)?.copyFrom(from, key);
    }
  }

  return { store, pools, counters, copyFrom };
}

function hit(pool: WindowPool, key: string | null, at: SubBuckets): EntityCounts {
  return key === null ? null : (pool.hit(key, at) ?? 'store_full');
}

/** 0 where entities have no such window. */
function countOf(counts: Exclude<EntityCounts, string | null>, window: number): number {
  const name = COUNTER_WINDOW_NAMES[window];
  return name === undefined || name === '1d' ? 0 : counts[name];
}

function tell(resets: Resets, name: string, afterMs: number): void {
  resets.byName ??= {};
  resets.byName[name] = afterMs;
}
