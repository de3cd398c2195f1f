/* Of hash tables in shared memory: open addressing with linear probing, at most half full. */

/** Slots for so many entries: a power of two. */
export function slotsFor(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, entries) * 2));
}

/** So many zeros, where other threads can read what is written there without a copy. */
export function sharedZeros(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

/** The numbers, shared in the same way. */
export function sharedInts(values: readonly number[]): Int32Array<SharedArrayBuffer> {
  const shared = sharedZeros(values.length);
  shared.set(values);
  return shared;
}

/** FNV-1a over the UTF-16 code units, mixed so that each bit of the result depends on all. */
export function hashOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mixed(hash);
}

/** Of two numbers in their order. */
export function hashOfPair(first: number, second: number): number {
  return mixed(Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b));
}

/** The finalizer of MurmurHash3. */
function mixed(hash: number): number {
  let mixing = hash;
  mixing = Math.imul(mixing ^ (mixing >>> 16), 0x85ebca6b);
  mixing = Math.imul(mixing ^ (mixing >>> 13), 0xc2b2ae35);
  return mixing ^ (mixing >>> 16);
}
