import { CountersignError } from '../../contract/errors.ts';
import { compareWords, copyWords, type RangeSet, successor } from './range-set.ts';
import type { Slices } from './slices.ts';

/** Which lists an address is on. A look-up costs one binary search, however many lists there are and however they overlap. */
export interface RangeIndex {
  readonly segments: number;
  /** The number of a set of lists, an index of `sets`; 0 is the empty one. Takes the 16-bit groups of an address. Allocates nothing. */
  find(groups: readonly number[]): number;
  /** Sets of list numbers, ascending. */
  readonly sets: readonly (readonly number[])[];
}

/** More combinations of overlapping lists than any real ones have; what has more was made to eat memory. */
const SETS_MAX = 65_536;

const EMPTY_SETS: readonly (readonly number[])[] = [[]];

/** An index of nothing. */
export const NO_RANGES: RangeIndex = { segments: 0, find: () => 0, sets: EMPTY_SETS };

/**
 * Merges the ranges of several lists, given by list number, into segments that do not overlap, each with the set of lists that hold it.
 * @throws CountersignError list_invalid where there are too many such sets
 */
export async function buildRangeIndex(lists: readonly RangeSet[], slices: Slices): Promise<RangeIndex> {
  const width = lists[0]?.width ?? 1;
  const ranges = lists.reduce((sum, { size }) => sum + size, 0);
  if (ranges === 0) return NO_RANGES;
  const { starts, setOf, segments, sets } = await sweep(lists, width, ranges, slices);
  return { segments, sets, find: width === 1 ? finder4(starts, setOf) : finder6(starts, setOf) };
}

type Swept = {
  readonly starts: Uint32Array;
  readonly setOf: Uint16Array;
  readonly segments: number;
  readonly sets: readonly (readonly number[])[];
};

/** Walks all ends of all ranges from the left; where a set begins, a segment begins. */
async function sweep(lists: readonly RangeSet[], width: 1 | 4, ranges: number, slices: Slices): Promise<Swept> {
  const starts = new Uint32Array((2 * ranges + 1) * width);
  const setOf = new Uint16Array(2 * ranges + 1);
  const sets = createSetTable();
  const cursors = lists.map((list, number) => new Cursor(list, number)).filter((cursor) => !cursor.done);
  const now = new Uint32Array(width);
  // before the first range nothing is listed
  let segments = 1;
  let current = 0;
  for (let step = 0; ; step += 1) {
    if ((step & 255) === 255 && slices.over()) await slices.next();
    let nearest: Cursor | null = null;
    for (const cursor of cursors) {
      if (!cursor.done && (nearest === null || compareWords(cursor.at, 0, nearest.at, 0, width) < 0)) nearest = cursor;
    }
    if (nearest === null) break;
    copyWords(nearest.at, 0, now, 0, width);
    let set = current;
    for (const cursor of cursors) {
      if (cursor.done || compareWords(cursor.at, 0, now, 0, width) !== 0) continue;
      set = sets.toggled(set, cursor.list);
      cursor.advance();
    }
    if (set === current) continue;
    current = set;
    copyWords(now, 0, starts, segments, width);
    setOf[segments] = set;
    segments += 1;
  }
  return { starts: starts.slice(0, segments * width), setOf: setOf.slice(0, segments), segments, sets: sets.sets };
}

/** The ends of a list's ranges one after the other: where one begins, where it is over, where the next begins. */
class Cursor {
  readonly at: Uint32Array;
  readonly list: number;
  done: boolean;
  readonly #ranges: RangeSet;
  #range = 0;
  #inside = false;

  constructor(ranges: RangeSet, list: number) {
    this.list = list;
    this.#ranges = ranges;
    this.done = ranges.size === 0;
    this.at = ranges.starts.slice(0, ranges.width);
  }

  advance(): void {
    const { starts, ends, width, size } = this.#ranges;
    this.#inside = !this.#inside;
    if (this.#inside) {
      this.done = !successor(ends, this.#range, this.at, 0, width);
      return;
    }
    this.#range += 1;
    this.done = this.#range === size;
    if (!this.done) copyWords(starts, this.#range, this.at, 0, width);
  }
}

type SetTable = { readonly sets: (readonly number[])[]; toggled(set: number, list: number): number };

/** Sets by number, each one once; steps from one to the next are remembered, so that most cost one look-up. */
function createSetTable(): SetTable {
  const sets: (readonly number[])[] = [[]];
  const byText = new Map<string, number>([['', 0]]);
  const steps = new Map<number, number>();
  return {
    sets,
    toggled(set, list) {
      const step = list * SETS_MAX + set;
      const known = steps.get(step);
      if (known !== undefined) return known;
      const before = sets[set] ?? [];
      const after = before.includes(list) ? before.filter((one) => one !== list) : [...before, list].sort((a, b) => a - b);
      const text = after.join();
      let number = byText.get(text);
      if (number === undefined) {
        number = sets.length;
        if (number >= SETS_MAX) throw new CountersignError('list_invalid', { detail: 'the lists overlap in too many ways' });
        sets.push(Object.freeze(after));
        byText.set(text, number);
      }
      steps.set(step, number);
      return number;
    },
  };
}

function finder4(starts: Uint32Array, setOf: Uint16Array): RangeIndex['find'] {
  return (groups) => {
    const address = (groups[0] ?? 0) * 65_536 + (groups[1] ?? 0);
    let low = 0;
    let high = setOf.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= address) low = middle;
      else high = middle;
    }
    return setOf[low] ?? 0;
  };
}

function finder6(starts: Uint32Array, setOf: Uint16Array): RangeIndex['find'] {
  return (groups) => {
    const a = (groups[0] ?? 0) * 65_536 + (groups[1] ?? 0);
    const b = (groups[2] ?? 0) * 65_536 + (groups[3] ?? 0);
    const c = (groups[4] ?? 0) * 65_536 + (groups[5] ?? 0);
    const d = (groups[6] ?? 0) * 65_536 + (groups[7] ?? 0);
    let low = 0;
    let high = setOf.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const at = middle * 4;
      let difference = (starts[at] ?? 0) - a;
      if (difference === 0) difference = (starts[at + 1] ?? 0) - b;
      if (difference === 0) difference = (starts[at + 2] ?? 0) - c;
      if (difference === 0) difference = (starts[at + 3] ?? 0) - d;
      if (difference <= 0) low = middle;
      else high = middle;
    }
    return setOf[low] ?? 0;
  };
}
