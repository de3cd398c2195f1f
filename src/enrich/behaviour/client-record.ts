import type { Cells } from '../../stores/record-pool.ts';
import { BASELINE_FLOATS, BASELINE_WORDS } from './baseline.ts';
import { DISTINCT_WORDS } from './distinct.ts';
import { HOUR_HALVES, HOUR_WORDS } from './hour-counts.ts';
import { noveltyCells } from './novelty.ts';

/* Where each number of a client lies in its record. Times are unix milliseconds, 0 for never. */

export const COUNTRIES_MAX = 8;
export const ASNS_MAX = 16;

/** Floats. `NEWEST` is the pool's own: the time of the last use. */
export const NEWEST = 0;
export const FIRST = 1;
export const LAST_ALLOWED = 2;
export const PLACE_AT = 3;
export const LATITUDE = 4;
export const LONGITUDE = 5;
/** Below 0: not known. */
export const ACCURACY = 6;
export const BASELINE = 7;

/** Words. */
export const ALLOWED = 0;
export const MINUTE = 1;
export const HOUR = MINUTE + BASELINE_WORDS;
export const RESOURCES = HOUR + HOUR_WORDS;
export const ADDRESSES = RESOURCES + DISTINCT_WORDS;
export const ASNS = ADDRESSES + DISTINCT_WORDS;
export const ASNS_KNOWN = ASNS + DISTINCT_WORDS;

/** Halves. */
export const EVENTS = 0;
export const COUNTRIES_KNOWN = EVENTS + HOUR_HALVES;

/** 408 bytes. */
export const CLIENT_SHAPE = {
  floats: BASELINE + BASELINE_FLOATS,
  words: ASNS_KNOWN + noveltyCells(ASNS_MAX),
  halves: COUNTRIES_KNOWN + noveltyCells(COUNTRIES_MAX),
};

/** Distinct sets of a client, and the blocks that they may take. */
export const CLIENT_SETS = [RESOURCES, ADDRESSES, ASNS] as const;
export const BLOCKS_PER_CLIENT = CLIENT_SETS.length * 2;

/** One float of a record. */
export function floatOf({ floats, float }: Cells, field: number): number {
  return floats[float + field] ?? 0;
}

/** A country's two letters as one number, never 0; null for anything else. */
export function countryNumber(country: string | null): number | null {
  return country === null || country.length !== 2 ? null : (country.charCodeAt(0) << 8) | (country.charCodeAt(1) & 255);
}
