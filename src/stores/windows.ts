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

/** Windows of named counters: those of entities, and the day that money and tokens are limited by; its sub-buckets are 24 minutes. */
export const COUNTER_WINDOW_NAMES = [...WINDOW_NAMES, '1d'] as const;
export type CounterWindowName = (typeof COUNTER_WINDOW_NAMES)[number];
export const DAY_MS = 86_400_000;
export const COUNTER_WINDOW_MS = [...WINDOW_MS, DAY_MS] as const;

/** Amounts are counted in thousandths, whole: sums of them are exact in a double, so memory and Redis cannot differ by rounding. */
export const AMOUNT_SCALE = 1000;
/** Sums and amounts stay at or below this, within what doubles and the replies of Redis hold exactly; what is added beyond it is left out. */
export const SUM_MAX = 2 ** 52;

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

/** The running sub-bucket of each window of a named counter. */
export function counterSubBucketsAt(nowMs: number): readonly number[] {
  return [...subBucketsAt(nowMs), Math.floor((Math.floor(nowMs) * SUB_BUCKETS) / DAY_MS)];
}

/** Sums of one named counter by window, in thousandths. */
export type CounterSums = Counts & { readonly '1d': number };

/** The entities of one request, each with its own pool or key space. */
export const ENTITIES = ['client', 'address', 'token', 'route', 'api_key'] as const;
export type Entity = (typeof ENTITIES)[number];

/** A limit of one window: where the count is above it, the store tells when there is room again. */
export type Threshold = {
  readonly name: string;
  /** Place in `COUNTER_WINDOW_NAMES`. */
  readonly window: number;
  readonly limit: number;
};

/** An amount for one key of a named counter. */
export type CounterHit = {
  /** Each has its own pool or key space; a name is never a foreign text. */
  readonly counter: string;
  /** Bounded in length by whoever makes it. */
  readonly key: string;
  /** Whole thousandths from 0 to `SUM_MAX`. */
  readonly amount: number;
  readonly thresholds: readonly Threshold[];
};

/** Keys to count a request under; bounded in length by whoever makes them; null where the entity is not known. */
export type WindowKeys = Readonly<Record<Exclude<Entity, 'api_key'>, string | null>> & {
  readonly api_key?: string | null;
  readonly thresholds?: Readonly<Partial<Record<Entity, readonly Threshold[]>>>;
  readonly counters?: readonly CounterHit[];
};

/** Counts, or why this entity could not be counted; null where no key was given. */
export type EntityCounts = Counts | 'store_unavailable' | 'store_full' | null;
export type CounterAnswer = CounterSums | 'store_unavailable' | 'store_full';

export type WindowAnswer = Readonly<Record<Exclude<Entity, 'api_key'>, EntityCounts>> & {
  readonly api_key?: EntityCounts;
  /** In the order of the keys' counters. */
  readonly counters?: readonly CounterAnswer[];
  /**
   * Milliseconds until an equal hit would be within the limit, if none came before it, by the names of the thresholds that were exceeded;
   * see `roomAfterMs`.
   */
  readonly resets?: Readonly<Record<string, number>>;
  /** True until the store has counted without a loss (restart, flush) for as long as the longest window of entities. */
  readonly historyLost: boolean;
  /** The same for the longest window of counters; there only where counters were asked for. */
  readonly dayLost?: boolean;
};

/**
 * When a window has room for a hit of `amount` again. Sub-bucket `n` leaves it when sub-bucket `n + 61` begins, so it is the begin of that
 * of the oldest sub-buckets with which at least `sum + amount − limit` have left. The exact window has the room up to one sub-bucket
 * earlier, never later: `exact < told ≤ exact + W/60`. Where the amount alone is above the limit it is when the window is empty.
 * @param slotAt what was counted in a sub-bucket, by its number.
 */
export function roomAfterMs(
  slotAt: (subBucket: number) => number,
  newest: number,
  windowMs: number,
  tooMany: number,
  nowMs: number,
): number {
  let leaving = newest - SUB_BUCKETS;
  for (let left = slotAt(leaving); left < tooMany && leaving < newest; left += slotAt(leaving)) leaving += 1;
  return Math.ceil(((leaving + RING_SLOTS) * windowMs) / SUB_BUCKETS) - Math.floor(nowMs);
}

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
  /** Adds amounts to named counters and to nothing else: what a request cost is often known only after it was let through. */
  add(hits: readonly CounterHit[], nowMs: number, budgetMs: number): readonly CounterAnswer[] | Promise<readonly CounterAnswer[]>;
  status(): WindowStoreStatus;
  close(): Promise<void>;
}
