import type { Config } from '../config/schema.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { createMemoryReplays } from '../stores/memory-replays.ts';
import { createMemoryWindows } from '../stores/memory-windows.ts';
import { openRedisStores } from '../stores/redis/stores.ts';
import type { ReplayMemory } from '../stores/replay-memory.ts';
import type { WindowStore } from '../stores/windows.ts';

/** What counts and what remembers nonces, with their way to close. */
export type Stores = {
  readonly windows: WindowStore;
  readonly replays: ReplayMemory;
  readonly signatureReplays: ReplayMemory;
  /** The same as seen by questions that nobody asked: nothing is counted or remembered. */
  readonly simulated: { readonly windows: WindowStore; readonly replays: ReplayMemory; readonly signatureReplays: ReplayMemory };
  readonly close: () => Promise<void>;
};

/** In this process, or over Redis: as the configuration says. */
export function openStores({ store }: Config, clock: Clock, logger: Logger): Stores {
  if (store.kind === 'redis') {
    const opened = openRedisStores({ ...store, monotonic: () => clock.monotonic(), logger });
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
    close: () => Promise.resolve(),
  };
}
