import { NONE, UseOrder } from './use-order.ts';
import {
  COUNTER_WINDOW_MS,
  type CounterSums,
  type Counts,
  RING_SLOTS,
  roomAfterMs,
  SUB_BUCKETS,
  SUM_MAX,
  type SubBuckets,
  WINDOW_MS,
} from './windows.ts';

const CHUNK_ENTRIES = 1024;
/** An entry is cleared away three minutes after its last window ended, so that a clock that is set back a little finds it again. */
const EXPIRED_AFTER = SUB_BUCKETS + 3;

/** What a pool keeps: hits of entities (1 kB an entry), or amounts of a named counter (2.5 kB). */
export type PoolKind = 'hits' | 'amounts';

/** Memory of 1,024 entries in one piece (1 or 2.5 MB), made when the pool first needs it and kept. */
type Chunk = {
  readonly slots: Uint32Array | Float64Array;
  readonly sums: Uint32Array | Float64Array;
  /** Number of the newest sub-bucket of each ring; above 2^32 for the shortest window, hence doubles. */
  readonly newest: Float64Array;
};

/**
 * The sliding windows of one kind of entity, or of one named counter, in memory, bounded. Live entries are never evicted: a full pool refuses new keys.
 * Entries are kept in the order of their last hit, so an expired one is found at the head; each hit clears away up to two of
 * them, which keeps expiry O(1) a hit. A hit makes no garbage but the counts that it returns.
 */
export class WindowPool {
  readonly #entriesMax: number;
  readonly #kind: PoolKind;
  readonly #windows: readonly number[];
  readonly #places = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #chunks: Chunk[] = [];
  /** By their last hit. */
  readonly #order = new UseOrder();
  #used = 0;
  #full = false;

  constructor(entriesMax: number, kind: PoolKind = 'hits') {
    this.#entriesMax = entriesMax;
    this.#kind = kind;
    this.#windows = kind === 'hits' ? WINDOW_MS : COUNTER_WINDOW_MS;
  }

  /** Entries that have had a hit within the longest window, and those that were not cleared away yet. */
  get size(): number {
    return this.#places.size;
  }

  /** True where every window of every entry is over. @param running the running sub-bucket of the longest window. */
  isOver(running: number): boolean {
    const last = this.#order.newest;
    return last === NONE || Math.abs(running - this.#newestOf(last)) > EXPIRED_AFTER;
  }

  /** Counts one hit. @returns null where the key is new and the pool is full. */
  hit(key: string, at: SubBuckets): Counts | null {
    const place = this.#touch(key, at);
    const chunk = this.#chunks[place >> 10];
    if (chunk === undefined) return null;
    const entry = (place & (CHUNK_ENTRIES - 1)) * WINDOW_MS.length;
    return {
      '10s': addToRing(chunk, entry, at[0], 1),
      '1m': addToRing(chunk, entry + 1, at[1], 1),
      '10m': addToRing(chunk, entry + 2, at[2], 1),
      '1h': addToRing(chunk, entry + 3, at[3], 1),
    };
  }

  /** Adds an amount, in a pool of amounts. @returns null where the key is new and the pool is full. */
  add(key: string, at: readonly number[], amount: number): CounterSums | null {
    const place = this.#touch(key, at);
    const chunk = this.#chunks[place >> 10];
    if (chunk === undefined) return null;
    const entry = (place & (CHUNK_ENTRIES - 1)) * COUNTER_WINDOW_MS.length;
    const sum = (window: number) => addToRing(chunk, entry + window, at[window] ?? 0, amount);
    return { '10s': sum(0), '1m': sum(1), '10m': sum(2), '1h': sum(3), '1d': sum(4) };
  }

  /** Takes a copy of one entry; a pool that would refuse the key makes this one refuse it too. For a pool that has none yet. */
  copyFrom(other: WindowPool, key: string): void {
    const from = other.#places.get(key);
    if (from === undefined) {
      if (other.#places.size >= other.#entriesMax) this.#full = true;
      return;
    }
    const place = this.#take(key);
    const source = other.#chunks[from >> 10];
    const target = this.#chunks[place >> 10];
    if (place === NONE || source === undefined || target === undefined) return;
    this.#order.append(place);
    const windows = this.#windows.length;
    const first = (from & (CHUNK_ENTRIES - 1)) * windows;
    const own = (place & (CHUNK_ENTRIES - 1)) * windows;
    target.slots.set(source.slots.subarray(first * RING_SLOTS, (first + windows) * RING_SLOTS), own * RING_SLOTS);
    target.sums.set(source.sums.subarray(first, first + windows), own);
    target.newest.set(source.newest.subarray(first, first + windows), own);
  }

  /** Milliseconds until a window of a known key has lost `tooMany`; see `roomAfterMs`. */
  roomAfterMs(key: string, window: number, tooMany: number, nowMs: number): number {
    const place = this.#places.get(key) ?? NONE;
    const chunk = this.#chunks[place >> 10];
    if (chunk === undefined) return 0;
    const ring = (place & (CHUNK_ENTRIES - 1)) * this.#windows.length + window;
    const slotAt = (subBucket: number) => chunk.slots[ring * RING_SLOTS + (subBucket % RING_SLOTS)] ?? 0;
    return roomAfterMs(slotAt, chunk.newest[ring] ?? 0, this.#windows[window] ?? 0, tooMany, nowMs);
  }

  /** Finds or makes a key's entry, as the one with the last hit. @returns its place, or NONE where the pool is full. */
  #touch(key: string, at: readonly number[]): number {
    const windows = this.#windows.length;
    const running = at[windows - 1] ?? 0;
    this.#clearExpired(running);
    const known = this.#places.get(key);
    const place = known ?? this.#take(key);
    if (place === NONE) return NONE;
    if (known !== undefined) this.#order.unlink(place);
    this.#order.append(place);
    const chunk = this.#chunks[place >> 10];
    if (chunk === undefined) return NONE;
    const entry = (place & (CHUNK_ENTRIES - 1)) * windows;
    const newest = chunk.newest[entry + windows - 1] ?? 0;
    if (known === undefined || Math.abs(running - newest) > SUB_BUCKETS) startAfresh(chunk, entry, at, windows);
    return place;
  }

  #clearExpired(running: number): void {
    for (let cleared = 0; cleared < 2 && this.#order.oldest !== NONE; cleared += 1) {
      const place = this.#order.oldest;
      // also after a clock that was set back by more than the window: waiting for it to come up again could fill the pool
      if (Math.abs(running - this.#newestOf(place)) <= EXPIRED_AFTER) return;
      this.#order.giveBack(place);
      this.#places.delete(this.#keys[place] ?? '');
      this.#keys[place] = '';
    }
  }

  /** The newest sub-bucket of an entry's longest window. */
  #newestOf(place: number): number {
    const windows = this.#windows.length;
    return this.#chunks[place >> 10]?.newest[(place & (CHUNK_ENTRIES - 1)) * windows + windows - 1] ?? 0;
  }

  #take(key: string): number {
    let place = this.#order.takeFree();
    if (place === NONE) {
      if (this.#used >= this.#entriesMax || this.#full) return NONE;
      place = this.#used;
      this.#used += 1;
      if (place >> 10 >= this.#chunks.length) this.#grow();
    }
    this.#places.set(key, place);
    this.#keys[place] = key;
    return place;
  }

  #grow(): void {
    const rings = CHUNK_ENTRIES * this.#windows.length;
    const Numbers = this.#kind === 'hits' ? Uint32Array : Float64Array;
    this.#chunks.push({ slots: new Numbers(rings * RING_SLOTS), sums: new Numbers(rings), newest: new Float64Array(rings) });
    this.#order.grow(this.#chunks.length * CHUNK_ENTRIES);
  }
}

/** `entry` is the entry's first ring. */
function startAfresh(chunk: Chunk, entry: number, at: readonly number[], windows: number): void {
  chunk.slots.fill(0, entry * RING_SLOTS, (entry + windows) * RING_SLOTS);
  chunk.sums.fill(0, entry, entry + windows);
  chunk.newest.set(at, entry);
}

/** Moves one ring to `running`, adds the amount, and gives the window's sum. */
function addToRing(chunk: Chunk, ring: number, running: number, amount: number): number {
  const { slots, sums, newest } = chunk;
  const base = ring * RING_SLOTS;
  let last = newest[ring] ?? running;
  let sum = sums[ring] ?? 0;
  if (Math.abs(running - last) > SUB_BUCKETS) {
    slots.fill(0, base, base + RING_SLOTS);
    sum = 0;
    last = running;
    newest[ring] = running;
  } else if (running > last) {
    while (last < running) {
      last += 1;
      const stale = base + (last % RING_SLOTS);
      sum -= slots[stale] ?? 0;
      slots[stale] = 0;
    }
    newest[ring] = running;
  }
  const added = Math.min(amount, SUM_MAX - sum);
  const slot = base + (last % RING_SLOTS);
  slots[slot] = (slots[slot] ?? 0) + added;
  sums[ring] = sum + added;
  return sum + added;
}
