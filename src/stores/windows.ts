/**
 * Sliding windows: what both stores count and how exactly, so that memory and Redis give the same numbers.
 *
 * Each window is cut into 60 sub-buckets of equal width `w` (166.7 ms, 1 s, 10 s, 1 min), and an entity keeps 61 of them: the one
 * that is running and the 60 before it. The count of a window of length `W` is their sum, this hit included. Error bound:
 *
 *     hits in (now − W, now]  ≤  count  ≤  hits in (now − W − w, now]      with w = W / 60
 *
 * so a count is never too low, and too high at most by the hits of one sixtieth of the window just before it: a limit that is
 * compared with it is never exceeded in any interval of length W.
 *
 * Time: an entity's windows never run backwards. A hit that is older than the newest sub-bucket (clocks of replicas differ, a
 * clock is set back) by up to 60 sub-buckets is counted in the newest one; where it is older than that, or more than 60
 * sub-buckets newer, the window starts afresh, and with the longest window all of them.
 */
export const WINDOW_NAMES = ['10s', '1m', '10m', '1h'] as const;
export type WindowName = (typeof WINDOW_NAMES)[number];

export const SUB_BUCKETS = 60;
/** Slots of one ring: the running sub-bucket and the 60 before it. */
export const RING_SLOTS = SUB_BUCKETS + 1;
export const WINDOW_COUNT = WINDOW_NAMES.length;
export const LONGEST_WINDOW_MS = 3_600_000;

export const WINDOW_MS = [10_000, 60_000, 600_000, LONGEST_WINDOW_MS] as const;

/** Numbers of the running sub-buckets since the epoch, one a window; the script of redis/windows-script.ts rounds in the same way. */
export type SubBuckets = readonly [number, number, number, number];

/** The running sub-bucket of each window at this time, shortest window first. */
export function subBucketsAt(nowMs: number): SubBuckets {
  const scaled = Math.floor(nowMs) * SUB_BUCKETS;
  const [tenSeconds, minute, tenMinutes, hour] = WINDOW_MS;
  return [Math.floor(scaled / tenSeconds), Math.floor(scaled / minute), Math.floor(scaled / tenMinutes), Math.floor(scaled / hour)];
}

/** Counts of one entity by window. */
export type Counts = { readonly '10s': number; readonly '1m': number; readonly '10m': number; readonly '1h': number };

/** The entities of one request, each with its own pool or key space. */
export const ENTITIES = ['client', 'address', 'token', 'route'] as const;
export type Entity = (typeof ENTITIES)[number];

/** Keys to count a request under; bounded in length by whoever makes them; null where the entity is not known. */
export type WindowKeys = Readonly<Record<Entity, string | null>>;

/** Counts, or why this entity could not be counted; null where no key was given. */
export type EntityCounts = Counts | 'store_unavailable' | 'store_full' | null;

export type WindowAnswer = Readonly<Record<Entity, EntityCounts>> & {
  /** True until the store has counted without a loss (restart, flush) for as long as the longest window. */
  readonly historyLost: boolean;
};

/** What `/status` says of a store. */
export type WindowStoreStatus = {
  readonly kind: 'memory' | 'redis';
  readonly state: 'ready' | 'unavailable';
  readonly entries: number | null;
  readonly lastError: string | null;
};

/** A store of sliding windows. Its failures are values. */
export interface WindowStore {
  /**
   * Counts one hit for each given key and tells the counts with it.
   * @param nowMs unix milliseconds by the caller's clock.
   * @param budgetMs how long the answer may take; a store that answers at once does not look at it.
   */
  count(keys: WindowKeys, nowMs: number, budgetMs: number): WindowAnswer | Promise<WindowAnswer>;
  status(): WindowStoreStatus;
  close(): Promise<void>;
}
