import type { Records } from '../../stores/pool-overlay.ts';
import { DISTINCT_WORDS, DistinctSets, type Hash, NOT_COUNTED } from './distinct.ts';
import { LONGEST_MS, type MemoryMakers } from './memory.ts';

/** One distinct count a key: of a token its addresses, of an address its refused credentials, of a fingerprint its clients. */
export class DistinctPool {
  readonly #records: Records;
  readonly #sets: DistinctSets;

  /** @param blocksMax keys with more than one thing, by the hour: what is beyond it is not counted. */
  constructor(makers: MemoryMakers, entriesMax: number, blocksMax: number) {
    const sets = new DistinctSets(makers.blocks(blocksMax), makers.pointer());
    this.#sets = sets;
    this.#records = makers.records({
      entriesMax,
      shape: { floats: 1, words: DISTINCT_WORDS, halves: 0 },
      idleMs: LONGEST_MS,
      onEvict: ({ words, word }) => sets.clear(words, word),
    });
  }

  get size(): number {
    return this.#records.size;
  }

  /** Adds one. @returns the number with it, or `NOT_COUNTED` where the memory is full. */
  add(key: string, nowMs: number, hash: Hash): number {
    const cells = this.#records.take(key, nowMs);
    if (cells === null) return NOT_COUNTED;
    return this.#sets.add(cells.words, cells.word, timeOf(cells, nowMs), hash);
  }

  /** The number, nothing added: 0 for a key that is not known, `NOT_COUNTED` where it may have been refused. */
  count(key: string, nowMs: number): number {
    const cells = this.#records.find(key);
    if (cells === null) return this.#records.full ? NOT_COUNTED : 0;
    return this.#sets.count(cells.words, cells.word, timeOf(cells, nowMs));
  }
}

/** The time never runs backwards for a record, unless by more than it remembers. */
export function timeOf(cells: { readonly floats: Float64Array; readonly float: number }, nowMs: number): number {
  const newest = cells.floats[cells.float] ?? 0;
  const atMs = nowMs < newest && newest - nowMs <= LONGEST_MS ? newest : nowMs;
  cells.floats[cells.float] = atMs;
  return atMs;
}
