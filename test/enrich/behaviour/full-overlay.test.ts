import { describe, expect, it } from 'vitest';
import { DistinctPool } from '../../../src/enrich/behaviour/distinct-pool.ts';
import type { MemoryMakers } from '../../../src/enrich/behaviour/memory.ts';
import { BlockPool, createBlock } from '../../../src/stores/block-pool.ts';
import { overlayBlocks, overlayRecords } from '../../../src/stores/pool-overlay.ts';
import { RecordPool } from '../../../src/stores/record-pool.ts';

const HOUR_MS = 3_600_000;
const T0 = 1_780_308_000_000;

/** A live memory, and views of it as simulations have them. */
function openWorld(entriesMax: number, blocksMax: number) {
  let records: RecordPool | null = null;
  let blocks: BlockPool | null = null;
  const makers = (given: Pick<MemoryMakers, 'records' | 'blocks'>): MemoryMakers => ({ ...given, pointer: createBlock, hashKey: [1, 2] });
  const live = new DistinctPool(
    makers({
      records: (options) => {
        records = new RecordPool(options);
        return records;
      },
      blocks: (max) => {
        blocks = new BlockPool(max);
        return blocks;
      },
    }),
    entriesMax,
    blocksMax,
  );
  const view = (): DistinctPool =>
    new DistinctPool(
      makers({
        records: (options) => overlayRecords(records ?? new RecordPool(options), options),
        blocks: (max) => overlayBlocks(blocks ?? new BlockPool(max), new BlockPool(64)),
      }),
      entriesMax,
      blocksMax,
    );
  return { live, view };
}

type Step = { readonly key: string; readonly hash: { readonly high: number; readonly low: number }; readonly counts: boolean };

describe('a view of a full memory', () => {
  it.each([
    [3, 2],
    [5, 100],
    [8, 3],
  ])(
    'tells what the memory of %i keys and %i blocks tells next, for several keys at once, and changes nothing',
    (entriesMax, blocksMax) => {
      const { live, view } = openWorld(entriesMax, blocksMax);
      let seed = 7;
      const random = (max: number): number => {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 1;
        return Math.floor((seed / 0x8000_0000) * max);
      };
      let nowMs = T0;
      const answers = new Set<number>();
      for (let round = 0; round < 1500; round += 1) {
        nowMs += random(3) === 0 ? random(HOUR_MS) : random(1000);
        const steps = Array.from({ length: 1 + random(4) }, (): Step => {
          const low = random(9);
          return { key: `k${random(12)}`, hash: { high: low + 1, low }, counts: random(4) === 0 };
        });
        const run = (pool: DistinctPool): readonly number[] => [
          ...steps.map(({ key, hash, counts }) => (counts ? pool.count(key, nowMs) : pool.add(key, nowMs, hash))),
          pool.size,
        ];
        const asIf = run(view());
        expect(run(view())).toEqual(asIf);
        expect(run(live)).toEqual(asIf);
        for (const told of asIf) answers.add(told);
      }
      // refusals were among them
      expect(answers.has(-1)).toBe(true);
    },
  );
});
