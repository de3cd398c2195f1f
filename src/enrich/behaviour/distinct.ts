import type { Block, BlockPool } from '../../stores/block-pool.ts';
import { estimateDistinct, REGISTERS, rankOf, registerOf } from './hyperloglog.ts';

/*
 * How many distinct things in the last hour: exact to 32, then HyperLogLog. Two sets are kept, of the running clock hour and of the one before, and the
 * number is that of their union: never too low (but for the estimate's error), too high at most by what came in the hour before the last.
 * The first hash of an hour lies in the record itself; a block is taken for the second, since most clients have one address only.
 */

/** Words of a record that one set takes. */
export const DISTINCT_WORDS = 10;
const SLOT_MS = 3_600_000;
const EXACT_MAX = 32;
/** `count` of a set that is an estimate. */
const ESTIMATED = EXACT_MAX + 1;
/** What is said where a second thing came and no block was free: not a number that could be taken for one. */
export const NOT_COUNTED = -1;
/** In place of the block of a set of one: a second thing came and had no place, so that one is not the number. */
const MISSED = 0xffff_ffff;

// of the record's words: the running slot; then count, block, high and low of its first hash, for the running hour and the one before; the union
const SLOT = 0;
const RUNNING = 1;
const BEFORE = 5;
const UNION = 9;
const COUNT = 0;
const BLOCK = 1;
const HIGH = 2;
const LOW = 3;

/** A hash as it lies in its maker. */
export type Hash = { readonly high: number; readonly low: number };

/** Sets over one pool of blocks. They live in the words of somebody's records, from `at` on. */
export class DistinctSets {
  readonly #blocks: Pick<BlockPool, 'take' | 'release' | 'open'>;
  readonly #block: Block;
  readonly #registers = new Uint8Array(REGISTERS);

  constructor(blocks: Pick<BlockPool, 'take' | 'release' | 'open'>, pointer: Block) {
    this.#blocks = blocks;
    this.#block = pointer;
  }

  /** Adds one. @returns the number with it, or `NOT_COUNTED`. */
  add(words: Uint32Array, at: number, nowMs: number, hash: Hash): number {
    this.#advance(words, at, nowMs);
    const running = at + RUNNING;
    const count = words[running + COUNT] ?? 0;
    if (count === ESTIMATED) {
      if (this.#raise(words[running + BLOCK] ?? 0, hash)) this.#estimate(words, at);
      return words[at + UNION] ?? 0;
    }
    if (this.#holds(words, running, hash)) return numberOf(words, at);
    if (!this.#append(words, running, count, hash)) return NOT_COUNTED;
    const before = words[at + BEFORE + COUNT] ?? 0;
    if (count === EXACT_MAX || before === ESTIMATED) this.#estimate(words, at);
    else if (!this.#holds(words, at + BEFORE, hash)) words[at + UNION] = (words[at + UNION] ?? 0) + 1;
    return numberOf(words, at);
  }

  /** The number, nothing added. */
  count(words: Uint32Array, at: number, nowMs: number): number {
    this.#advance(words, at, nowMs);
    return numberOf(words, at);
  }

  /** Forgets all, and gives its blocks back. */
  clear(words: Uint32Array, at: number): void {
    this.#release(words[at + RUNNING + BLOCK]);
    this.#release(words[at + BEFORE + BLOCK]);
    words.fill(0, at, at + DISTINCT_WORDS);
  }

  #release(block: number | undefined): void {
    if (block !== undefined && block !== MISSED) this.#blocks.release(block);
  }

  #advance(words: Uint32Array, at: number, nowMs: number): void {
    const slot = Math.floor(nowMs / SLOT_MS);
    const passed = slot - (words[at + SLOT] ?? 0);
    if (passed === 0) return;
    if (passed === 1) {
      this.#release(words[at + BEFORE + BLOCK]);
      words.copyWithin(at + BEFORE, at + RUNNING, at + BEFORE);
      words.fill(0, at + RUNNING, at + BEFORE);
      if (words[at + BEFORE + COUNT] === ESTIMATED) this.#estimate(words, at);
      else words[at + UNION] = words[at + BEFORE + COUNT] ?? 0;
    } else this.clear(words, at);
    words[at + SLOT] = slot;
  }

  /** Whether an exact set holds the hash. */
  #holds(words: Uint32Array, set: number, { high, low }: Hash): boolean {
    const count = words[set + COUNT] ?? 0;
    if (count === 0) return false;
    if (words[set + LOW] === low && words[set + HIGH] === high) return true;
    if (count === 1) return false;
    const { words: cells, word } = this.#blocks.open(words[set + BLOCK] ?? 0, this.#block);
    for (let index = word + 2, end = word + 2 * count; index < end; index += 2) {
      if (cells[index] === low && cells[index + 1] === high) return true;
    }
    return false;
  }

  /** @returns false where a block was needed and none was free. */
  #append(words: Uint32Array, set: number, count: number, hash: Hash): boolean {
    if (count === 0) {
      words[set + HIGH] = hash.high;
      words[set + LOW] = hash.low;
    } else {
      if (count === 1) {
        const taken = this.#blocks.take();
        words[set + BLOCK] = taken === 0 ? MISSED : taken;
        if (taken === 0) return false;
      }
      const { words: cells, word } = this.#blocks.open(words[set + BLOCK] ?? 0, this.#block);
      if (count === EXACT_MAX) {
        cells[word] = words[set + LOW] ?? 0;
        cells[word + 1] = words[set + HIGH] ?? 0;
        this.#toRegisters();
        this.#raise(words[set + BLOCK] ?? 0, hash);
      } else {
        cells[word + 2 * count] = hash.low;
        cells[word + 2 * count + 1] = hash.high;
      }
    }
    words[set + COUNT] = count + 1;
    return true;
  }

  /** Makes registers of the 32 hashes in the block that is open. */
  #toRegisters(): void {
    const { words, word, bytes, byte } = this.#block;
    this.#registers.fill(0);
    for (let index = word; index < word + 2 * EXACT_MAX; index += 2) raise(this.#registers, 0, words[index] ?? 0, words[index + 1] ?? 0);
    bytes.set(this.#registers, byte);
  }

  #raise(block: number, { high, low }: Hash): boolean {
    const { bytes, byte } = this.#blocks.open(block, this.#block);
    return raise(bytes, byte, low, high);
  }

  /** The union where one of the two sets is an estimate, or both. */
  #estimate(words: Uint32Array, at: number): void {
    this.#registers.fill(0);
    this.#merge(words, at + RUNNING);
    this.#merge(words, at + BEFORE);
    words[at + UNION] = Math.max(ESTIMATED, estimateDistinct(this.#registers));
  }

  #merge(words: Uint32Array, set: number): void {
    const count = words[set + COUNT] ?? 0;
    if (count === 0) return;
    if (count !== ESTIMATED) raise(this.#registers, 0, words[set + LOW] ?? 0, words[set + HIGH] ?? 0);
    if (count === 1) return;
    const { words: cells, word, bytes, byte } = this.#blocks.open(words[set + BLOCK] ?? 0, this.#block);
    if (count === ESTIMATED) {
      for (let index = 0; index < REGISTERS; index += 1) {
        const rank = bytes[byte + index] ?? 0;
        if (rank > (this.#registers[index] ?? 0)) this.#registers[index] = rank;
      }
      return;
    }
    for (let index = word + 2; index < word + 2 * count; index += 2) raise(this.#registers, 0, cells[index] ?? 0, cells[index + 1] ?? 0);
  }
}

/** The number, unless something of it had no place and nothing counted has come since. */
export function numberOf(words: Uint32Array, at: number): number {
  const running = at + RUNNING;
  const before = at + BEFORE;
  const lost = words[running + BLOCK] === MISSED || ((words[running + COUNT] ?? 0) <= 1 && words[before + BLOCK] === MISSED);
  return lost ? NOT_COUNTED : (words[at + UNION] ?? 0);
}

/** @returns whether a register rose. */
function raise(bytes: Uint8Array, byte: number, low: number, high: number): boolean {
  const index = byte + registerOf(low);
  const rank = rankOf(high);
  if ((bytes[index] ?? 0) >= rank) return false;
  bytes[index] = rank;
  return true;
}
