import { randomBytes } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { SHARED_SCRIPTS } from '../enrich/shared/shared-calls.ts';
import { createMemoryReplays } from '../stores/memory-replays.ts';
import { createMemoryWindows } from '../stores/memory-windows.ts';
import { openRedisStores, type RedisStores } from '../stores/redis/stores.ts';
import type { ReplayMemory } from '../stores/replay-memory.ts';
import type { SimulatedShared } from '../stores/shared-store.ts';
import type { WindowStore } from '../stores/windows.ts';

/** What counts and what remembers nonces, with their way to close. */
export type Stores = {
  readonly windows: WindowStore;
  readonly replays: ReplayMemory;
  readonly signatureReplays: ReplayMemory;
  /** What is remembered of clients by all replicas; null where each process does so for itself. */
  readonly shared: SimulatedShared | null;
  /** Entries that replicas keep together; null where this process is alone. */
  readonly entries: RedisStores['entries'] | null;
  /** The same as seen by questions that nobody asked: nothing is counted or remembered. */
  readonly simulated: { readonly windows: WindowStore; readonly replays: ReplayMemory; readonly signatureReplays: ReplayMemory };
  readonly close: () => Promise<void>;
};

/** In this process, or over Redis: as the configuration says. */
export function openStores({ store }: Config, clock: Clock, logger: Logger): Stores {
  if (store.kind === 'redis') {
    const hashKey = [randomBytes(4).readUInt32LE(), randomBytes(4).readUInt32LE()] as const;
    const opened = openRedisStores({ ...store, hashKey, scripts: SHARED_SCRIPTS, monotonic: () => clock.monotonic(), logger });
    const { windows, replays } = opened;
    const simulated = { windows: windows.simulated, replays: replays.simulated, signatureReplays: replays.simulated };
    return { ...opened, signatureReplays: replays, simulated };
  }
  const startedAtMs = clock.now();
  const windows = createMemoryWindows({ entriesMax: store.entriesMax, counterEntriesMax: store.counterEntriesMax, startedAtMs });
  const replays = createMemoryReplays({ entriesMax: store.replayEntriesMax, startedAtMs });
  // nonces of strangers must not fill the memory that tokens depend on
  const signatureReplays = createMemoryReplays({ entriesMax: store.replayEntriesMax, startedAtMs });
  return {
    windows,
    replays,
    signatureReplays,
    simulated: { windows: windows.simulated, replays: replays.simulated, signatureReplays: signatureReplays.simulated },
    shared: null,
    entries: null,
    close: () => Promise.resolve(),
  };
}
