import type { Block } from '../../stores/block-pool.ts';
import type { Blocks, Records } from '../../stores/pool-overlay.ts';
import type { RecordPoolOptions } from '../../stores/record-pool.ts';

/** Makes the bounded memories that device and behaviour are kept in. */
export type MemoryMakers = {
  readonly records: (options: RecordPoolOptions) => Records;
  readonly blocks: (blocksMax: number) => Blocks;
  readonly pointer: () => Block;
  /** Two random 32-bit numbers, this process's own. */
  readonly hashKey: readonly [number, number];
  /** When these memories were made, unix milliseconds: what was before is lost. */
  readonly startedAtMs?: number;
};

/** Longest window: a distinct count spans up to two hours. What was idle for longer may give way to a new key. */
export const LONGEST_MS = 7_200_000;
