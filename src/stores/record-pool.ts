import { NONE, UseOrder } from './use-order.ts';

const CHUNK_RECORDS = 1024;

/** How many cells of each width one record has. */
export type RecordShape = { readonly floats: number; readonly words: number; readonly halves: number };

/** One record as it lies in memory: its cells begin at `float`, `word` and `half`. It is valid until the next call of its pool. */
export type Cells = {
  floats: Float64Array;
  float: number;
  words: Uint32Array;
  word: number;
  halves: Uint16Array;
  half: number;
  /** True where the record was just made: all cells are zero. */
  fresh: boolean;
};

type Chunk = { readonly floats: Float64Array; readonly words: Uint32Array; readonly halves: Uint16Array };

export type RecordPoolOptions = {
  readonly entriesMax: number;
  readonly shape: RecordShape;
  /** A record that was not taken for longer than this may give its place to a new key in a full pool; no other one ever does. */
  readonly idleMs: number;
  /** Gives back what a record holds elsewhere, before its place goes to another key. */
  readonly onEvict: (cells: Cells) => void;
};

/**
 * Records of plain numbers by key, bounded, in typed arrays. Records are kept until a full pool needs a place: then the one that was not
 * used for the longest time goes, if it has been idle for longer than `idleMs`; else the new key is refused. Each record's first
 * float is the time of its last use, unix milliseconds. One call is O(1) and makes no garbage.
 */
export class RecordPool {
  readonly #options: RecordPoolOptions;
  readonly #places = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #chunks: Chunk[] = [];
  readonly #cells: Cells;
  readonly #order = new UseOrder();

  constructor(options: RecordPoolOptions) {
    this.#options = options;
    const none = { floats: new Float64Array(0), words: new Uint32Array(0), halves: new Uint16Array(0) };
    this.#cells = { ...none, float: 0, word: 0, half: 0, fresh: false };
  }

  get size(): number {
    return this.#places.size;
  }

  /** True where a new key may be refused: that nothing is known of a key says less then. */
  get full(): boolean {
    return this.#places.size >= this.#options.entriesMax;
  }

  /** The record of a key, made where there is none; it counts as used now. @returns null where the key is new and no place may go. */
  take(key: string, nowMs: number): Cells | null {
    const known = this.#places.get(key);
    const place = known ?? this.#placeFor(key, nowMs);
    if (place === NONE) return null;
    if (place !== this.#order.newest) {
      if (known !== undefined) this.#order.unlink(place);
      this.#order.append(place);
    }
    const cells = this.#open(place);
    cells.fresh = known === undefined;
    return cells;
  }

  /** The record of a key as it is, or null; it does not count as used. */
  find(key: string): Cells | null {
    const place = this.#places.get(key);
    if (place === undefined) return null;
    const cells = this.#open(place);
    cells.fresh = false;
    return cells;
  }

  /** The key that was not used for the longest time, of those that are not among `but`; null where there is none. */
  oldest(but: (key: string) => boolean): string | null {
    let place = this.#order.oldest;
    while (place !== NONE && but(this.#keys[place] ?? '')) place = this.#order.after(place);
    return place === NONE ? null : (this.#keys[place] ?? null);
  }

  #placeFor(key: string, nowMs: number): number {
    let place = this.#places.size;
    if (place >= this.#options.entriesMax) {
      place = this.#order.oldest;
      if (place === NONE) return NONE;
      const cells = this.#open(place);
      if (!mayGo(cells, nowMs, this.#options.idleMs)) return NONE;
      this.#options.onEvict(cells);
      const { floats, words, halves } = this.#options.shape;
      cells.floats.fill(0, cells.float, cells.float + floats);
      cells.words.fill(0, cells.word, cells.word + words);
      cells.halves.fill(0, cells.half, cells.half + halves);
      this.#order.unlink(place);
      this.#places.delete(this.#keys[place] ?? '');
    } else if (place >> 10 >= this.#chunks.length) this.#grow();
    this.#places.set(key, place);
    this.#keys[place] = key;
    return place;
  }

  #open(place: number): Cells {
    const cells = this.#cells;
    const chunk = this.#chunks[place >> 10];
    if (chunk === undefined) return cells;
    const { shape } = this.#options;
    const index = place & (CHUNK_RECORDS - 1);
    cells.floats = chunk.floats;
    cells.float = index * shape.floats;
    cells.words = chunk.words;
    cells.word = index * shape.words;
    cells.halves = chunk.halves;
    cells.half = index * shape.halves;
    return cells;
  }

  #grow(): void {
    const { floats, words, halves } = this.#options.shape;
    this.#chunks.push({
      floats: new Float64Array(CHUNK_RECORDS * floats),
      words: new Uint32Array(CHUNK_RECORDS * words),
      halves: new Uint16Array(CHUNK_RECORDS * halves),
    });
    this.#order.grow(this.#chunks.length * CHUNK_RECORDS);
  }
}

/** Whether a record may give its place away: a clock that was set back by more than `idleMs` must not make a full pool refuse until it comes up again. */
export function mayGo({ floats, float }: Cells, nowMs: number, idleMs: number): boolean {
  return Math.abs(nowMs - (floats[float] ?? 0)) > idleMs;
}
