import { type Counts, RING_SLOTS, SUB_BUCKETS, type SubBuckets, WINDOW_COUNT } from './windows.ts';

const CHUNK_ENTRIES = 1024;
const ENTRY_SLOTS = WINDOW_COUNT * RING_SLOTS;
const LONGEST = WINDOW_COUNT - 1;
const NONE = -1;
/** An entry is cleared away three minutes after its last window ended, so that a clock that is set back a little finds it again. */
const EXPIRED_AFTER = SUB_BUCKETS + 3;

/** Memory of 1,024 entries in one piece (1 MB), made when the pool first needs it and kept. */
type Chunk = {
  readonly slots: Uint32Array;
  readonly sums: Uint32Array;
  /** Number of the newest sub-bucket of each ring; above 2^32 for the shortest window, hence doubles. */
  readonly newest: Float64Array;
};

/**
 * The sliding windows of one kind of entity in memory, bounded. Live entries are never evicted: a full pool refuses new keys.
 * Entries are kept in the order of their last hit, so an expired one is found at the head; each hit clears away up to two of
 * them, which keeps expiry O(1) a hit. A hit makes no garbage but the counts that it returns.
 */
export class WindowPool {
  readonly #entriesMax: number;
  readonly #places = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #chunks: Chunk[] = [];
  /** Neighbours in the order of the last hit; `next` also links the free places. */
  #previous = new Int32Array(CHUNK_ENTRIES);
  #next = new Int32Array(CHUNK_ENTRIES);
  #head = NONE;
  #tail = NONE;
  #free = NONE;
  #used = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** Entries that have had a hit within the longest window, and those that were not cleared away yet. */
  get size(): number {
    return this.#places.size;
  }

  /** Counts one hit. @returns null where the key is new and the pool is full. */
  hit(key: string, at: SubBuckets): Counts | null {
    this.#clearExpired(at[3]);
    const known = this.#places.get(key);
    const place = known ?? this.#take(key);
    if (place === NONE) return null;
    if (known !== undefined) this.#unlink(place);
    this.#append(place);

    const chunk = this.#chunks[place >> 10];
    if (chunk === undefined) return null;
    const entry = place & (CHUNK_ENTRIES - 1);
    const hour = chunk.newest[entry * WINDOW_COUNT + LONGEST] ?? 0;
    if (known === undefined || Math.abs(at[3] - hour) > SUB_BUCKETS) startAfresh(chunk, entry, at);
    return {
      '10s': hitRing(chunk, entry, 0, at[0]),
      '1m': hitRing(chunk, entry, 1, at[1]),
      '10m': hitRing(chunk, entry, 2, at[2]),
      '1h': hitRing(chunk, entry, 3, at[3]),
    };
  }

  #clearExpired(running: number): void {
    for (let cleared = 0; cleared < 2 && this.#head !== NONE; cleared += 1) {
      const place = this.#head;
      const newest = this.#chunks[place >> 10]?.newest[(place & (CHUNK_ENTRIES - 1)) * WINDOW_COUNT + LONGEST] ?? 0;
      // also after a clock that was set back by more than the window: waiting for it to come up again could fill the pool
      if (Math.abs(running - newest) <= EXPIRED_AFTER) return;
      this.#unlink(place);
      this.#places.delete(this.#keys[place] ?? '');
      this.#keys[place] = '';
      this.#next[place] = this.#free;
      this.#free = place;
    }
  }

  #take(key: string): number {
    let place = this.#free;
    if (place !== NONE) this.#free = this.#next[place] ?? NONE;
    else if (this.#used < this.#entriesMax) {
      place = this.#used;
      this.#used += 1;
      if (place >> 10 >= this.#chunks.length) this.#grow();
    } else return NONE;
    this.#places.set(key, place);
    this.#keys[place] = key;
    return place;
  }

  #grow(): void {
    this.#chunks.push({
      slots: new Uint32Array(CHUNK_ENTRIES * ENTRY_SLOTS),
      sums: new Uint32Array(CHUNK_ENTRIES * WINDOW_COUNT),
      newest: new Float64Array(CHUNK_ENTRIES * WINDOW_COUNT),
    });
    const wanted = this.#chunks.length * CHUNK_ENTRIES;
    if (wanted <= this.#next.length) return;
    // doubled, so that growing stays O(1) amortised
    const previous = new Int32Array(this.#next.length * 2);
    const next = new Int32Array(this.#next.length * 2);
    previous.set(this.#previous);
    next.set(this.#next);
    this.#previous = previous;
    this.#next = next;
  }

  #unlink(place: number): void {
    const before = this.#previous[place] ?? NONE;
    const after = this.#next[place] ?? NONE;
    if (before === NONE) this.#head = after;
    else this.#next[before] = after;
    if (after === NONE) this.#tail = before;
    else this.#previous[after] = before;
  }

  #append(place: number): void {
    this.#previous[place] = this.#tail;
    this.#next[place] = NONE;
    if (this.#tail === NONE) this.#head = place;
    else this.#next[this.#tail] = place;
    this.#tail = place;
  }
}

function startAfresh(chunk: Chunk, entry: number, at: SubBuckets): void {
  chunk.slots.fill(0, entry * ENTRY_SLOTS, (entry + 1) * ENTRY_SLOTS);
  chunk.sums.fill(0, entry * WINDOW_COUNT, (entry + 1) * WINDOW_COUNT);
  chunk.newest.set(at, entry * WINDOW_COUNT);
}

/** Moves one ring to `running`, counts the hit, and gives the window's count. */
function hitRing(chunk: Chunk, entry: number, window: number, running: number): number {
  const { slots, sums, newest } = chunk;
  const ring = entry * WINDOW_COUNT + window;
  const base = entry * ENTRY_SLOTS + window * RING_SLOTS;
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
  const slot = base + (last % RING_SLOTS);
  slots[slot] = (slots[slot] ?? 0) + 1;
  sums[ring] = sum + 1;
  return sum + 1;
}
