/*
 * How many requests a client makes in a minute in which it makes any, and how far the running minute lies from that: exponentially weighted mean
 * and variance (West 1979; Finch 2009, section 9). Minutes without a request say nothing about a client that works in bursts, and are left out.
 */

/** Floats: mean and variance. Words: the running minute, its count, minutes folded in. */
export const BASELINE_FLOATS = 2;
export const BASELINE_WORDS = 3;

/** Minutes before the mean is one to compare with; until then it is the plain mean. */
export const BASELINE_MINUTES_MIN = 30;
/** Weight of the newest minute: half of what is known is 22 active minutes old. */
const WEIGHT = 1 / 32;
/** A minute counts for no more than so many deviations above the mean, so that a burst cannot teach itself in. */
const CLIP_DEVIATIONS = 3;
const MINUTE_MS = 60_000;

/** The state as it lies in a record. */
export type BaselineCells = { readonly floats: Float64Array; readonly words: Uint32Array };

/** Counts one request. @returns the running minute's count with it. */
export function countMinute({ floats, words }: BaselineCells, float: number, word: number, nowMs: number): number {
  const minute = Math.floor(nowMs / MINUTE_MS);
  if (words[word] !== minute) {
    const count = words[word + 1] ?? 0;
    if (count > 0) fold(floats, words, float, word, count);
    words[word] = minute;
    words[word + 1] = 0;
  }
  const count = (words[word + 1] ?? 0) + 1;
  words[word + 1] = count;
  return count;
}

/** The mean, or null until enough minutes were seen. */
export function baselineMean({ floats, words }: BaselineCells, float: number, word: number): number | null {
  return (words[word + 2] ?? 0) < BASELINE_MINUTES_MIN ? null : (floats[float] ?? 0);
}

/** Deviations of `count` from the mean. */
export function baselineDeviation({ floats }: BaselineCells, float: number, count: number): number {
  const mean = floats[float] ?? 0;
  return (count - mean) / deviationOf(mean, floats[float + 1] ?? 0);
}

/** Never less than that of a Poisson process with this mean, and never below one request: a clockwork client may be late by one. */
function deviationOf(mean: number, variance: number): number {
  return Math.sqrt(Math.max(variance, mean, 1));
}

function fold(floats: Float64Array, words: Uint32Array, float: number, word: number, count: number): void {
  const minutes = words[word + 2] ?? 0;
  const mean = floats[float] ?? 0;
  const variance = floats[float + 1] ?? 0;
  const ready = minutes >= BASELINE_MINUTES_MIN;
  const clipped = ready ? Math.min(count, mean + CLIP_DEVIATIONS * deviationOf(mean, variance)) : count;
  const weight = Math.max(WEIGHT, 1 / (minutes + 1));
  const change = clipped - mean;
  const step = weight * change;
  floats[float] = mean + step;
  floats[float + 1] = (1 - weight) * (variance + change * step);
  // enough to know that the weight no longer changes; a counter that wrapped would begin afresh
  if (minutes < 1_000_000) words[word + 2] = minutes + 1;
}
