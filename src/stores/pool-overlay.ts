import { BLOCK_BYTES, type Block, type BlockPool, createBlock, NO_BLOCK } from './block-pool.ts';
import { type Cells, mayGo, RecordPool, type RecordPoolOptions } from './record-pool.ts';

/* Pools that show what another pool holds, and keep every change to themselves. */

/** What users of a pool of records call. */
export type Records = Pick<RecordPool, 'take' | 'find' | 'size' | 'full'>;
/** What users of a pool of blocks call. */
export type Blocks = Pick<BlockPool, 'take' | 'release' | 'open'>;

/** For a few keys: each is copied when it is first looked at. */
const ENTRIES_MAX = 64;
/** Own blocks are numbered from here on; no pool has so many. */
const OWN_BLOCKS = 0x4000_0000;

/**
 * Records over those of a live pool, which stays as it is: a new key has a place where it would have one there, and another one loses its place to it.
 * @param options those of the live pool, save that `onEvict` gives back what a copy holds
 */
export function overlayRecords(live: RecordPool, { entriesMax, shape, idleMs, onEvict }: RecordPoolOptions): Records {
  const own = new RecordPool({ entriesMax: ENTRIES_MAX, shape, idleMs: 0, onEvict: () => undefined });
  /** Keys that were used since, which makes them the last to lose their place; of them those that are not in the live pool. */
  const used = new Set<string>();
  const made = new Set<string>();
  /** Keys of the live pool that lost their place. */
  const gone = new Set<string>();

  function copied(key: string, nowMs: number): Cells | null {
    const from = live.find(key);
    if (from === null) return null;
    const to = own.take(key, nowMs);
    if (to === null) return null;
    to.floats.set(from.floats.subarray(from.float, from.float + shape.floats), to.float);
    to.words.set(from.words.subarray(from.word, from.word + shape.words), to.word);
    to.halves.set(from.halves.subarray(from.half, from.half + shape.halves), to.half);
    to.fresh = false;
    return to;
  }

  const sizeNow = (): number => live.size + made.size - gone.size;
  const isThere = (key: string): boolean => made.has(key) || !gone.has(key);
  const found = (key: string, nowMs: number): Cells | null => (isThere(key) ? (own.find(key) ?? copied(key, nowMs)) : null);

  function makeRoom(nowMs: number): boolean {
    if (sizeNow() < entriesMax) return true;
    const oldest = live.oldest((key) => used.has(key) || gone.has(key));
    const copy = oldest === null ? null : found(oldest, nowMs);
    if (oldest === null || copy === null || !mayGo(copy, nowMs, idleMs)) return false;
    onEvict(copy);
    gone.add(oldest);
    return true;
  }

  function make(key: string, nowMs: number): Cells | null {
    if (!makeRoom(nowMs)) return null;
    const to = own.take(key, nowMs);
    if (to === null) return null;
    made.add(key);
    // it may have been there before it lost its place
    to.floats.fill(0, to.float, to.float + shape.floats);
    to.words.fill(0, to.word, to.word + shape.words);
    to.halves.fill(0, to.half, to.half + shape.halves);
    to.fresh = true;
    return to;
  }

  return {
    take(key, nowMs) {
      const cells = found(key, nowMs) ?? make(key, nowMs);
      if (cells !== null) used.add(key);
      return cells;
    },
    find: (key) => found(key, 0),
    get size() {
      return sizeNow();
    },
    get full() {
      return sizeNow() >= entriesMax;
    },
  };
}

/** Blocks over those of a live pool: one that is opened is copied first, and there are as many as the live one has left. */
export function overlayBlocks(live: BlockPool, own: BlockPool): Blocks {
  const copies = new Map<number, number>();
  const pointer = createBlock();
  let { left } = live;

  function ownOf(block: number): number {
    if (block >= OWN_BLOCKS) return block - OWN_BLOCKS;
    const known = copies.get(block);
    if (known !== undefined) return known;
    const copy = own.take();
    copies.set(block, copy);
    const from = live.open(block, pointer);
    const words = from.words.slice(from.word, from.word + BLOCK_BYTES / 4);
    const to = own.open(copy, pointer);
    to.words.set(words, to.word);
    return copy;
  }

  return {
    take() {
      const taken = left > 0 ? own.take() : NO_BLOCK;
      if (taken === NO_BLOCK) return NO_BLOCK;
      left -= 1;
      return taken + OWN_BLOCKS;
    },
    // all of them go with the overlay; one that is opened no more makes room for another
    release(block) {
      if (block !== NO_BLOCK) left += 1;
    },
    open: (block, into: Block) => own.open(ownOf(block), into),
  };
}
