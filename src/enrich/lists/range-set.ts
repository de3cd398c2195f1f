import type { Slices } from './slices.ts';

/** Ranges that neither overlap nor touch, in ascending order; `width` words of 32 bits for each end, both of which belong to the range. */
export type RangeSet = { readonly width: 1 | 4; readonly size: number; readonly starts: Uint32Array; readonly ends: Uint32Array };

/** Compares the number at index `i` of `a` with that at index `j` of `b`. */
export function compareWords(a: Uint32Array, i: number, b: Uint32Array, j: number, width: 1 | 4): number {
  let [x, y] = [i * width, j * width];
  for (let word = 0; word < width; word += 1) {
    const difference = (a[x] ?? 0) - (b[y] ?? 0);
    if (difference !== 0) return difference;
    x += 1;
    y += 1;
  }
  return 0;
}

/** Copies the number at index `i` of `from` to index `j` of `to`: a view of the array would cost more than its words. */
export function copyWords(from: Uint32Array, i: number, to: Uint32Array, j: number, width: 1 | 4): void {
  for (let word = 0; word < width; word += 1) to[j * width + word] = from[i * width + word] ?? 0;
}

/** Writes the successor of the number at index `i` of `from` to index `j` of `to`; false where there is none. */
export function successor(from: Uint32Array, i: number, to: Uint32Array, j: number, width: 1 | 4): boolean {
  let carry = 1;
  for (let word = width - 1; word >= 0; word -= 1) {
    const sum = (from[i * width + word] ?? 0) + carry;
    carry = sum > 0xffff_ffff ? 1 : 0;
    to[j * width + word] = sum;
  }
  return carry === 0;
}

/** A set with the number of ranges that were there before, as they are. */
export type JoinedRanges = RangeSet & { readonly repeated: number };

/** Sorts ranges as they came and joins those that overlap or touch. */
export async function joinRanges(
  width: 1 | 4,
  size: number,
  starts: Uint32Array,
  ends: Uint32Array,
  slices: Slices,
): Promise<JoinedRanges> {
  const order = await ascending(width, size, starts, slices);
  const joined = { starts: new Uint32Array(size * width), ends: new Uint32Array(size * width) };
  const after = new Uint32Array(width);
  let count = 0;
  let repeated = 0;
  let open = false;
  for (let step = 0; step < size; step += 1) {
    if ((step & 1023) === 1023 && slices.over()) await slices.next();
    const at = order[step] ?? 0;
    const last = count - 1;
    const before = step === 0 ? at : (order[step - 1] ?? 0);
    if (before !== at && compareWords(starts, at, starts, before, width) === 0 && compareWords(ends, at, ends, before, width) === 0)
      repeated += 1;
    // a range that ends with the last address of all takes in whatever follows
    if (last >= 0 && (!open || compareWords(starts, at, after, 0, width) <= 0)) {
      if (compareWords(ends, at, joined.ends, last, width) > 0) {
        copyWords(ends, at, joined.ends, last, width);
        open = successor(ends, at, after, 0, width);
      }
      continue;
    }
    copyWords(starts, at, joined.starts, count, width);
    copyWords(ends, at, joined.ends, count, width);
    open = successor(ends, at, after, 0, width);
    count += 1;
  }
  return { width, size: count, repeated, starts: joined.starts.slice(0, count * width), ends: joined.ends.slice(0, count * width) };
}

/** Indexes in the order of their starts: a merge sort from the bottom, which can stop anywhere, unlike the built-in one. */
async function ascending(width: 1 | 4, size: number, starts: Uint32Array, slices: Slices): Promise<Uint32Array> {
  let from = new Uint32Array(size);
  for (let index = 0; index < size; index += 1) from[index] = index;
  let to = new Uint32Array(size);
  let sinceLook = 0;
  for (let run = 1; run < size; run *= 2) {
    for (let left = 0; left < size; left += 2 * run) {
      const middle = Math.min(left + run, size);
      const end = Math.min(left + 2 * run, size);
      // what is in order already, as most lists are, is copied
      if (middle === end || compareWords(starts, from[middle - 1] ?? 0, starts, from[middle] ?? 0, width) <= 0) {
        for (let at = left; at < end; at += 1) to[at] = from[at] ?? 0;
      } else {
        let [a, b] = [left, middle];
        for (let out = left; out < end; out += 1) {
          const first = b === end || (a < middle && compareWords(starts, from[a] ?? 0, starts, from[b] ?? 0, width) <= 0);
          to[out] = (first ? from[a] : from[b]) ?? 0;
          if (first) a += 1;
          else b += 1;
          if ((out & 1023) === 1023 && slices.over()) await slices.next();
        }
      }
      sinceLook += end - left;
      if (sinceLook >= 4096) {
        sinceLook = 0;
        if (slices.over()) await slices.next();
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/** How much the ranges cover: IPv4 in addresses; IPv6 in networks of /64, begun ones counted, and above 2^53 of them about. */
export function coverageOf({ width, size, starts, ends }: RangeSet): number {
  let sum = 0;
  for (let at = 0; at < size * width; at += width) {
    const upper = (ends[at] ?? 0) - (starts[at] ?? 0);
    sum += (width === 1 ? upper : upper * 2 ** 32 + (ends[at + 1] ?? 0) - (starts[at + 1] ?? 0)) + 1;
  }
  return sum;
}
