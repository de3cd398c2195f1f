import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { ClientRecord } from '../contract/registry.ts';
import type { Logger } from '../contract/stages.ts';
import { createMemories } from '../enrich/memories.ts';
import type { Memories } from '../enrich/remembered.ts';
import { BlockPool, createBlock } from '../stores/block-pool.ts';
import { RecentEntries } from '../stores/recent-entries.ts';
import { RecordPool } from '../stores/record-pool.ts';
import type { SharedStore } from '../stores/shared-store.ts';
import type { WindowStore } from '../stores/windows.ts';

/** How long the store may take for an amount that is reported: nobody waits for it. */
const COST_BUDGET_MS = 1000;

type MemoriesParts = {
  readonly windows: WindowStore;
  /** Null where this process remembers for itself. */
  readonly shared: SharedStore | null;
  readonly startedAtMs: number;
  readonly logger: Logger;
  readonly registered: (client: string) => ClientRecord | null;
};

/** What is remembered of clients, devices and decisions. */
export function openMemories(config: Config, { windows, shared, startedAtMs, logger, registered }: MemoriesParts): Memories {
  return createMemories(
    { ...config, scope: 'process' },
    {
      records: (options) => new RecordPool(options),
      blocks: (blocksMax) => new BlockPool(blocksMax),
      pointer: createBlock,
      recent: (entriesMax, ageMaxMs) => new RecentEntries(entriesMax, ageMaxMs),
      hashKey: [randomBytes(4).readUInt32LE(), randomBytes(4).readUInt32LE()],
      startedAtMs,
      shared,
      registeredOf: (client) => registered(client)?.fingerprints ?? null,
      onCost: async (hits, nowMs) => {
        const sums = await windows.add(hits, nowMs, COST_BUDGET_MS);
        // the decision it is of was made long ago: what is lost can only be told
        for (const sum of sums) if (typeof sum === 'string') logger.warn('cost_not_counted', { code: sum });
      },
    },
  );
}
