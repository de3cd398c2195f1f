import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { ClientRecord } from '../contract/registry.ts';
import type { Logger } from '../contract/stages.ts';
import type { ReportedDecision } from '../enrich/behaviour/feedback.ts';
import { createMemories } from '../enrich/memories.ts';
import type { Memories } from '../enrich/remembered.ts';
import { BlockPool, createBlock } from '../stores/block-pool.ts';
import { overlayBlocks, overlayRecords } from '../stores/pool-overlay.ts';
import { RecentEntries } from '../stores/recent-entries.ts';
import { RecordPool } from '../stores/record-pool.ts';
import type { SimulatedShared } from '../stores/shared-store.ts';
import type { WindowStore } from '../stores/windows.ts';

/** How long the store may take for an amount that is reported: nobody waits for it. */
const COST_BUDGET_MS = 1000;

type MemoriesParts = {
  readonly windows: WindowStore;
  /** Null where this process remembers for itself. */
  readonly shared: SimulatedShared | null;
  readonly startedAtMs: number;
  readonly logger: Logger;
  readonly registered: (client: string) => ClientRecord | null;
};

/** What is remembered of clients, devices and decisions; `simulated` is made over it for one question that nobody asked, and keeps every change to itself. */
export type OpenMemories = { readonly memories: Memories; readonly simulated: () => Memories };

/** Opens them empty. */
export function openMemories(config: Config, { windows, shared, startedAtMs, logger, registered }: MemoriesParts): OpenMemories {
  const options = { ...config, scope: 'process' as const };
  const records: RecordPool[] = [];
  const blocks: BlockPool[] = [];
  const common = {
    pointer: createBlock,
    recent: (entriesMax: number, ageMaxMs: number) => new RecentEntries<ReportedDecision>(entriesMax, ageMaxMs),
    hashKey: [randomBytes(4).readUInt32LE(), randomBytes(4).readUInt32LE()] as const,
    startedAtMs,
    registeredOf: (client: string) => registered(client)?.fingerprints ?? null,
  };
  const memories = createMemories(options, {
    ...common,
    shared,
    records: (shaped) => kept(records, new RecordPool(shaped)),
    blocks: (blocksMax) => kept(blocks, new BlockPool(blocksMax)),
    onCost: async (hits, nowMs) => {
      const sums = await windows.add(hits, nowMs, COST_BUDGET_MS);
      // the decision it is of was made long ago: what is lost can only be told
      for (const sum of sums) if (typeof sum === 'string') logger.warn('cost_not_counted', { code: sum });
    },
  });

  /** The makers are asked in the same order, so each overlay lies over the pool of its own purpose. */
  function simulated(): Memories {
    const [nextRecords, nextBlocks] = [records.values(), blocks.values()];
    return createMemories(options, {
      ...common,
      shared: shared?.simulated ?? null,
      records: (shaped) => overlayRecords(nextRecords.next().value ?? new RecordPool(shaped), shaped),
      blocks: (blocksMax) => overlayBlocks(nextBlocks.next().value ?? new BlockPool(blocksMax), new BlockPool(OVERLAY_BLOCKS)),
      onCost: () => undefined,
    });
  }

  return { memories, simulated };
}

/** One question needs a few. */
const OVERLAY_BLOCKS = 64;

function kept<T>(list: T[], made: T): T {
  list.push(made);
  return made;
}
