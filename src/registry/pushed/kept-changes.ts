import type { Clock, Logger } from '../../contract/stages.ts';
import type { KeptEntries, Position, SharedEntry } from '../../stores/shared-entries.ts';
import { nextTurn, PORTION } from './portions.ts';

/** How far the entries are that are written. */
export type Place = { readonly position: Position | null; readonly acknowledged: Position | null };

/** What of a replica outlives its process, and what of it is not written yet. */
export interface KeptChanges {
  readonly persisted: boolean;
  readonly error: string | null;
  /** What the file holds; null where there is none, or where it cannot be read, which is told. */
  open(): ReturnType<KeptEntries['load']> | null;
  /** Remembers that entries are other than in the file, or gone. */
  note(ids: Iterable<string>): void;
  /** Writes all that was noted, and the place with the last of it; what fails is written by a later call. Never rejects. */
  flush(place: Place): Promise<void>;
  /** The same with each look: a disk that failed is asked more and more seldom. */
  retry(place: Place): Promise<void>;
  close(): void;
}

type Parts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly openKept: (() => KeptEntries) | null;
  readonly entries: ReadonlyMap<string, SharedEntry>;
};

/** Ids that are remembered while the disk fails; with more of them everything is written anew, at once. */
const CHANGED_MAX = 250_000;
const FIRST_PAUSE_MS = 500;
const PAUSE_MAX_MS = 30_000;

/** Nothing is kept before `open`. */
export function createKeptChanges({ clock, logger, openKept, entries }: Parts): KeptChanges {
  let kept: KeptEntries | null = null;
  let error: string | null = null;
  let written: Place = { position: null, acknowledged: null };
  const changed = new Set<string>();
  let clear = false;
  let pauseMs = 0;
  let dueMs = 0;

  /** The next of what was noted. */
  function next(): { readonly ids: readonly string[]; readonly last: boolean } {
    const ids: string[] = [];
    for (const id of changed) {
      if (ids.length >= PORTION) return { ids, last: false };
      ids.push(id);
    }
    return { ids, last: true };
  }

  function write(file: KeptEntries, ids: readonly string[], place: Place): void {
    const present = ids.flatMap((id) => entries.get(id) ?? []);
    file.write({
      clear,
      entries: clear ? entries.values() : present,
      removed: clear ? [] : ids.filter((id) => !entries.has(id)),
      ...place,
    });
    written = place;
    clear = false;
    for (const id of ids) changed.delete(id);
  }

  async function flush(place: Place): Promise<void> {
    try {
      for (let last = false; !last && kept !== null; ) {
        const portion = next();
        last = portion.last;
        if (last && portion.ids.length === 0 && !clear && error === null && isSame(place, written)) return;
        // a place is true only once everything before it is written
        write(kept, portion.ids, last ? place : written);
        if (!last) await nextTurn();
        else error = null;
      }
      pauseMs = 0;
    } catch (cause) {
      if (error === null) logger.error('revocations_not_kept', { cause });
      error = 'state_unwritable';
      pauseMs = Math.min(PAUSE_MAX_MS, Math.max(FIRST_PAUSE_MS, 2 * pauseMs));
      dueMs = clock.monotonic() + pauseMs;
    }
  }

  return {
    get persisted() {
      return kept !== null && error === null;
    },
    get error() {
      return error;
    },
    open() {
      try {
        kept = openKept?.() ?? null;
        const found = kept?.load() ?? null;
        written = { position: found?.position ?? null, acknowledged: found?.acknowledged ?? null };
        return found;
      } catch (cause) {
        logger.error('revocations_not_read', { cause });
        kept?.close();
        kept = null;
        error = 'state_invalid';
        return null;
      }
    },
    note(ids) {
      if (kept === null || clear) return;
      for (const id of ids) changed.add(id);
      clear = changed.size > CHANGED_MAX;
      if (clear) changed.clear();
    },
    flush,
    async retry(place) {
      if (pauseMs === 0 || clock.monotonic() >= dueMs) await flush(place);
    },
    close() {
      kept?.close();
      kept = null;
    },
  };
}

function isSame(a: Place, b: Place): boolean {
  return isSamePosition(a.position, b.position) && isSamePosition(a.acknowledged, b.acknowledged);
}

function isSamePosition(a: Position | null, b: Position | null): boolean {
  return a?.epoch === b?.epoch && a?.version === b?.version && a?.head === b?.head;
}
