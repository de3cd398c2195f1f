import type { Slices } from './slices.ts';

/** Which lists an AS number is on. */
export interface AsnIndex {
  /** The number of a set of lists, an index of `sets`; 0 is the empty one. */
  find(asn: number): number;
  readonly sets: readonly (readonly number[])[];
}

/** An index of nothing. */
export const NO_ASNS: AsnIndex = { find: () => 0, sets: [[]] };

/** Merges the AS numbers of several lists, given by list number. */
export async function buildAsnIndex(lists: readonly ReadonlySet<number>[], slices: Slices): Promise<AsnIndex> {
  const setOf = new Map<number, number>();
  const sets: (readonly number[])[] = [[]];
  const byText = new Map<string, number>();
  for (const [list, asns] of lists.entries()) {
    let step = 0;
    for (const asn of asns) {
      step += 1;
      if ((step & 255) === 0 && slices.over()) await slices.next();
      const before = setOf.get(asn) ?? 0;
      const after = [...(sets[before] ?? []), list];
      const text = after.join();
      let number = byText.get(text);
      if (number === undefined) {
        number = sets.length;
        sets.push(Object.freeze(after));
        byText.set(text, number);
      }
      setOf.set(asn, number);
    }
  }
  if (setOf.size === 0) return NO_ASNS;
  return { find: (asn) => setOf.get(asn) ?? 0, sets };
}
