import { COUNTER_WINDOW_NAMES, type CounterAnswer, type EntityCounts, type Threshold, WINDOW_NAMES } from '../windows.ts';
import type { RedisReply } from './client.ts';

/* What the scripts of windows-script.ts answer: the sums by window, and after them a number for each threshold where one was exceeded. */

/** Counts of an entity out of a reply. */
export function toCounts(reply: RedisReply | undefined): EntityCounts {
  const sums = sumsOf(reply, WINDOW_NAMES.length);
  if (sums === null) return 'store_unavailable';
  const [tenSeconds = 0, minute = 0, tenMinutes = 0, hour = 0] = sums;
  return { '10s': tenSeconds, '1m': minute, '10m': tenMinutes, '1h': hour };
}

/** Sums of a counter out of a reply. */
export function toSums(reply: RedisReply | undefined): CounterAnswer {
  const sums = sumsOf(reply, COUNTER_WINDOW_NAMES.length);
  if (sums === null) return 'store_unavailable';
  const [tenSeconds = 0, minute = 0, tenMinutes = 0, hour = 0, day = 0] = sums;
  return { '10s': tenSeconds, '1m': minute, '10m': tenMinutes, '1h': hour, '1d': day };
}

/** Puts the milliseconds until there is room under the names of the thresholds that were exceeded: they are the last of the reply. */
export function readResets(
  reply: RedisReply | undefined,
  windows: number,
  thresholds: readonly Threshold[],
  resets: Record<string, number>,
): void {
  if (reply?.ok !== true || !Array.isArray(reply.value) || thresholds.length === 0) return;
  const told: readonly unknown[] = reply.value;
  if (told.length !== windows + thresholds.length) return;
  for (const [index, { name }] of thresholds.entries()) {
    const afterMs = told[windows + index];
    if (typeof afterMs === 'number' && afterMs > 0) resets[name] = afterMs;
  }
}

function sumsOf(reply: RedisReply | undefined, count: number): number[] | null {
  if (reply?.ok !== true || !Array.isArray(reply.value)) return null;
  const told: readonly unknown[] = reply.value;
  const sums = told.slice(0, count).filter(isCount);
  return sums.length === count ? sums : null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
