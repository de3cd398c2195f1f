import type { Revocations } from '../../contract/registry.ts';
import type { SharedEntry } from '../../stores/shared-entries.ts';
import { createRevocationIndex } from '../revocation-index.ts';
import { readStored } from './posted-form.ts';

/** The entries that are in force here, ready for look-up. */
export interface HeldEntries {
  readonly entries: ReadonlyMap<string, SharedEntry>;
  readonly revocations: Revocations;
  readonly unreadable: number;
  set(entry: SharedEntry): void;
  drop(id: string): void;
  /** Ids of those that are over; costs nothing before the first one is. */
  over(nowSeconds: number): readonly string[];
}

/** Holds nothing at first. An entry of an id has one name to be looked up by, whatever else changes in it. */
export function createHeldEntries(): HeldEntries {
  const entries = new Map<string, SharedEntry>();
  const index = createRevocationIndex();
  const unreadable = new Set<string>();
  let firstEnd = Number.POSITIVE_INFINITY;

  return {
    entries,
    revocations: index,
    get unreadable() {
      return unreadable.size;
    },
    set(entry) {
      const known = entries.get(entry.id);
      entries.set(entry.id, entry);
      if (entry.untilSeconds !== 0) firstEnd = Math.min(firstEnd, entry.untilSeconds);
      if (known !== undefined && !unreadable.has(entry.id)) return;
      const read = readStored(entry);
      if (read === null) unreadable.add(entry.id);
      else {
        unreadable.delete(entry.id);
        index.add(read.revocation);
      }
    },
    drop(id) {
      const known = entries.get(id);
      if (known === undefined) return;
      entries.delete(id);
      if (unreadable.delete(id)) return;
      const read = readStored(known);
      if (read !== null) index.remove(read.revocation);
    },
    over(nowSeconds) {
      if (nowSeconds < firstEnd) return [];
      const ids: string[] = [];
      firstEnd = Number.POSITIVE_INFINITY;
      for (const { id, untilSeconds } of entries.values()) {
        if (untilSeconds === 0) continue;
        if (untilSeconds <= nowSeconds) ids.push(id);
        else firstEnd = Math.min(firstEnd, untilSeconds);
      }
      return ids;
    },
  };
}

/** Whether the end of an entry has come. */
export function isOver({ untilSeconds }: SharedEntry, nowSeconds: number): boolean {
  return untilSeconds !== 0 && untilSeconds <= nowSeconds;
}

/** Whether an entry revokes for longer than what is known, as the store decides it too. */
export function isLonger({ untilSeconds }: SharedEntry, known: SharedEntry | undefined): boolean {
  return known === undefined || (known.untilSeconds !== 0 && (untilSeconds === 0 || untilSeconds > known.untilSeconds));
}
