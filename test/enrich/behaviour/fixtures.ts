import type { MemoryMakers } from '../../../src/enrich/behaviour/memory.ts';
import { BlockPool, createBlock } from '../../../src/stores/block-pool.ts';
import { RecordPool } from '../../../src/stores/record-pool.ts';

export const MAKERS: MemoryMakers = {
  records: (options) => new RecordPool(options),
  blocks: (blocksMax) => new BlockPool(blocksMax),
  pointer: createBlock,
  hashKey: [11, 13],
};

export const HOUR_MS = 3_600_000;
/** A whole hour. */
export const T0 = 497_222 * HOUR_MS;
