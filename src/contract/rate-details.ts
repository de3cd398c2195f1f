import type { WindowCounts } from './signals.ts';

/** Sums of a named counter by window, this request included, in the unit of its amounts. */
export type CounterSums = WindowCounts & { readonly '1d': number };

/** What the rate signal says beside the counts of entities; a part that is not there is nothing: null, empty, false. */
export type RateDetails = {
  readonly apiKey?: WindowCounts | null;
  /** By name; null where the request has no key for it, or where its store failed. */
  readonly counters?: Readonly<Record<string, CounterSums | null>>;
  /** Seconds until an equal request would be within the limit, by the names of the limits that were exceeded. */
  readonly resets?: Readonly<Record<string, number>>;
  /** Entities and counters that the store could not count. */
  readonly failed?: readonly string[];
  /**
   * What was odd: `clock_back`, and `<counter>.key_missing`, `.key_long` or `.amount_invalid`; `client.key_long` where the client's name is longer
   * than 1,024 characters.
   */
  readonly flags?: readonly string[];
  /** As `historyLost`, for the day of the counters; not there where none was counted. */
  readonly dayLost?: boolean;
};
