import type { Config } from '../config/schema.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { createMemoryReplays } from '../stores/memory-replays.ts';
import { createMemoryWindows } from '../stores/memory-windows.ts';
import { openRedisStores, type RedisStores } from '../stores/redis/stores.ts';
import type { ReplayMemory } from '../stores/replay-memory.ts';
import type { WindowStore } from '../stores/windows.ts';

/** What counts and what remembers nonces, with their way to close. */
export type Stores = {
  readonly windows: WindowStore;
  readonly replays: ReplayMemory;
  readonly signatureReplays: ReplayMemory;
  /** Entries that replicas keep together; null where this process is alone. */
  readonly entries: RedisStores['entries'] | null;
  readonly close: () => Promise<void>;
};

/** In this process, or over Redis: as the configuration says. */
export function openStores({ store }: Config, clock: Clock, logger: Logger): Stores {
  if (store.kind === 'redis') {
    const opened = openRedisStores({ ...store, monotonic: () => clock.monotonic(), logger });
    return { ...opened, signatureReplays: opened.replays };
  }
  const startedAtMs = clock.now();
  return {
    windows: createMemoryWindows({ entriesMax: store.entriesMax, counterEntriesMax: store.counterEntriesMax, startedAtMs }),
    replays: createMemoryReplays({ entriesMax: store.replayEntriesMax, startedAtMs }),
    // nonces of strangers must not fill the memory that tokens depend on
    signatureReplays: createMemoryReplays({ entriesMax: store.replayEntriesMax, startedAtMs }),
    entries: null,
    close: () => Promise.resolve(),
  };
}
