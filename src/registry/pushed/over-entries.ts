import type { Clock } from '../../contract/stages.ts';
import type { SharedEntries, SharedEntry } from '../../stores/shared-entries.ts';
import type { HeldEntries } from './held-entries.ts';
import { nextTurn, portionsOf } from './portions.ts';

type Change = { readonly entries: readonly SharedEntry[]; readonly removed: readonly string[] };

/** Entries that are over: they leave here, and from what replicas share. */
export interface OverEntries {
  /** Unix seconds: of this process, or of the store where that has shown that this process is ahead of it. */
  nowSeconds(): number;
  /** Entries that were not taken because they are over are in the store still. */
  note(ids: Iterable<string>): void;
  /** Whether a store with so many entries has some that nobody here knows of, as after a restart; said once, and again where that may have come about. */
  areUnknown(total: number): boolean;
  /** Takes out what is over; where the store cannot be asked now it is asked again the next time. */
  leave(): Promise<void>;
}

type Parts = {
  readonly clock: Clock;
  readonly held: HeldEntries;
  readonly shared: SharedEntries | null;
  readonly apply: (change: Change) => Promise<void>;
};

/** Ids of one call of the store. */
const PURGED = 200;
/** Ids that wait to be taken out of the store; those beyond are found again by their number. */
const UNPURGED_MAX = 250_000;

/** Nothing is known to be over at first. `apply` puts into force and takes out. */
export function createOverEntries({ clock, held, shared, apply }: Parts): OverEntries {
  const unpurged = new Set<string>();
  let counting = true;
  let storeTime: { readonly seconds: number; readonly atMs: number } | null = null;

  const ownSeconds = (): number => Math.floor(clock.now() / 1000);

  function nowSeconds(): number {
    if (storeTime === null) return ownSeconds();
    return Math.min(ownSeconds(), storeTime.seconds + Math.floor((clock.monotonic() - storeTime.atMs) / 1000));
  }

  function note(ids: Iterable<string>): void {
    if (shared === null) return;
    for (const id of ids) {
      if (unpurged.size < UNPURGED_MAX) unpurged.add(id);
      else counting = true;
    }
  }

  /** What the store refuses is in force: it was lengthened, or this process is ahead of the store's time. */
  async function purge(store: SharedEntries, leaving: Set<string>): Promise<void> {
    for (const ids of portionsOf([...unpurged], PURGED)) {
      const own = ownSeconds();
      const purged = await store.purge(ids, own);
      if (purged.kind === 'failed') return;
      const refused = new Set(purged.refused.map(({ id }) => id));
      storeTime = purged.nowSeconds < own ? { seconds: purged.nowSeconds, atMs: clock.monotonic() } : null;
      for (const id of ids) unpurged.delete(id);
      const removed = ids.filter((id) => leaving.delete(id) && !refused.has(id));
      await apply({ entries: purged.refused, removed });
      // another replica was faster: all that is left there is in force
      if (purged.total <= held.entries.size - leaving.size) {
        unpurged.clear();
        counting = true;
        return;
      }
    }
  }

  return {
    nowSeconds,
    note,
    areUnknown(total) {
      if (!counting) return false;
      counting = false;
      return total > held.entries.size + unpurged.size;
    },
    async leave() {
      const leaving = new Set(held.over(nowSeconds()));
      note(leaving);
      if (shared !== null && unpurged.size > 0) await purge(shared, leaving);
      for (const removed of portionsOf([...leaving])) {
        await apply({ entries: [], removed });
        await nextTurn();
      }
    },
  };
}
