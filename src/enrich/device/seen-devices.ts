import type { Hash } from '../behaviour/distinct.ts';

/* Devices that a client was allowed with: hash and first time of each, the last used one first. */

/** More than this and the client is one of many users. */
export const DEVICES_MAX = 8;
const CELLS = 3;

/** Words of a record: whether the list ever was too short, then low, high and unix seconds of each device. */
export const SEEN_WORDS = 1 + DEVICES_MAX * CELLS;

/** Where the device lies, or -1. */
export function findDevice(words: Uint32Array, at: number, { high, low }: Hash): number {
  for (let device = at + 1; device < at + SEEN_WORDS; device += CELLS) {
    if (words[device] === low && words[device + 1] === high && words[device + 2] !== 0) return device;
  }
  return -1;
}

/** When the client was first allowed with the device that lies there, unix seconds. */
export function firstSeenAt(words: Uint32Array, device: number): number {
  return words[device + 2] ?? 0;
}

/** True where more devices came than are kept: nobody can say then which are new. */
export function hasOverflown(words: Uint32Array, at: number): boolean {
  return words[at] !== 0;
}

/** Puts the device first; where it is new and the list full, the one that was not used for the longest time goes. */
export function rememberDevice(words: Uint32Array, at: number, hash: Hash, nowSeconds: number): void {
  const first = at + 1;
  const found = findDevice(words, at, hash);
  if (found === first) return;
  const last = at + SEEN_WORDS - CELLS;
  let end = found;
  let since = nowSeconds;
  if (found < 0) {
    end = first;
    while (end < last && words[end + 2] !== 0) end += CELLS;
    if (end === last && words[end + 2] !== 0) words[at] = 1;
  } else since = words[found + 2] ?? nowSeconds;
  words.copyWithin(first + CELLS, first, end);
  words[first] = hash.low;
  words[first + 1] = hash.high;
  words[first + 2] = since;
}
