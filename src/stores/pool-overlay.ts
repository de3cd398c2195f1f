import { BLOCK_BYTES, type Block, type BlockPool, createBlock, NO_BLOCK } from './block-pool.ts';
import { type Cells, RecordPool, type RecordShape } from './record-pool.ts';

/* Pools that show what another pool holds, and keep every change to themselves. */

/** What users of a pool of records call. */
export type Records = Pick<RecordPool, 'take' | 'find' | 'size' | 'full'>;
/** What users of a pool of blocks call. */
export type Blocks = Pick<BlockPool, 'take' | 'release' | 'open'>;

/** For a few keys: each is copied when it is first looked at. */
const ENTRIES_MAX = 64;
/** Own blocks are numbered from here on; no pool has so many. */
const OWN_BLOCKS = 0x4000_0000;

/** Records over those of a live pool, which stays as it is. */
export function overlayRecords(live: Records, shape: RecordShape): Records {
  const own = new RecordPool({ entriesMax: ENTRIES_MAX, shape, idleMs: 0, onEvict: () => undefined });

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

  return {
    take: (key, nowMs) => own.find(key) ?? copied(key, nowMs) ?? own.take(key, nowMs),
    find: (key) => own.find(key) ?? copied(key, 0),
    get size() {
      return live.size;
    },
    get full() {
      return live.full;
    },
  };
}

/** Blocks over those of a live pool: one that is opened is copied first. */
export function overlayBlocks(live: Blocks, own: BlockPool): Blocks {
  const copies = new Map<number, number>();
  const pointer = createBlock();

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
      const taken = own.take();
      return taken === NO_BLOCK ? NO_BLOCK : taken + OWN_BLOCKS;
    },
    // all of them go with the overlay
    release: () => undefined,
    open: (block, into: Block) => own.open(ownOf(block), into),
  };
}
