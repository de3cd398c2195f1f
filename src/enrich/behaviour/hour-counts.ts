/*
 * Events of the last hour by kind, in twelve sub-buckets of five minutes and the running one: a count is never too low, and too high at most by
 * the events of the five minutes before the hour. A sub-bucket holds 65,535 and stays there.
 */

const BUCKET_MS = 300_000;
export const BUCKETS = 13;

/** Kinds, by their place. */
export const DENIALS = 0;
export const STEP_UPS = 1;
export const FIRST_OUTCOME = 2;
export const KINDS = 4;

/** Halves of a record that the counts take, and words: the newest bucket. */
export const HOUR_HALVES = KINDS * BUCKETS;
export const HOUR_WORDS = 1;
const FULL = 65_535;

/** The counts as they lie in a record. */
export type HourCells = { readonly words: Uint32Array; readonly halves: Uint16Array };

/** Counts one event. */
export function countEvent({ words, halves }: HourCells, word: number, half: number, nowMs: number, kind: number): void {
  const bucket = advance(words, halves, word, half, nowMs);
  const at = half + kind * BUCKETS + (bucket % BUCKETS);
  const count = halves[at] ?? 0;
  if (count < FULL) halves[at] = count + 1;
}

/** Events of the kind. */
export function eventsOf({ words, halves }: HourCells, word: number, half: number, nowMs: number, kind: number): number {
  advance(words, halves, word, half, nowMs);
  let sum = 0;
  for (let index = half + kind * BUCKETS, end = index + BUCKETS; index < end; index += 1) sum += halves[index] ?? 0;
  return sum;
}

function advance(words: Uint32Array, halves: Uint16Array, word: number, half: number, nowMs: number): number {
  const bucket = Math.floor(nowMs / BUCKET_MS);
  let newest = words[word] ?? 0;
  if (bucket === newest) return bucket;
  if (bucket - newest >= BUCKETS || bucket < newest) halves.fill(0, half, half + HOUR_HALVES);
  else {
    while (newest < bucket) {
      newest += 1;
      for (let kind = 0; kind < KINDS; kind += 1) halves[half + kind * BUCKETS + (newest % BUCKETS)] = 0;
    }
  }
  words[word] = bucket;
  return bucket;
}
