import { hash } from 'node:crypto';
import type { JsonValue } from '../contract/json.ts';
import type { CounterPlan } from '../contract/rate-plan.ts';
import type { CounterHit } from '../stores/windows.ts';
import { readSource, type SourceOf } from './request-source.ts';

/** Amounts are counted in thousandths. */
export const AMOUNT_SCALE = 1000;
/** Amounts of one request are 0 to this. */
export const AMOUNT_MAX = 1e9;
/** A longer part of a key is counted as it is, and told: nobody's user name is that long. */
const PART_CHARS_MAX = 1024;

/** What is counted under named counters for a request. */
export type PlannedHits = {
  readonly hits: readonly CounterHit[];
  /** Names of the counters that the hits are for, in their order. */
  readonly names: readonly string[];
  /** Names of the counters whose key could not be made. */
  readonly missing: readonly string[];
  /** `<counter>.key_missing`, `.key_long`, `.amount_invalid`. */
  readonly flags: readonly string[];
};

/** Makes the keys and amounts of a request; whatever the request holds, it never throws. */
export function planHits(plans: readonly CounterPlan[], of: SourceOf): PlannedHits {
  const hits: CounterHit[] = [];
  const names: string[] = [];
  const missing: string[] = [];
  const flags: string[] = [];
  for (const { name, pool, key, amount, thresholds } of plans) {
    const parts = key.map((source) => textOf(readSource(source, of)));
    const known = parts.filter((part) => part !== null);
    if (known.length < parts.length) {
      missing.push(name);
      flags.push(`${name}.key_missing`);
      continue;
    }
    if (known.some((part) => part.length > PART_CHARS_MAX)) flags.push(`${name}.key_long`);
    const asked = amount.from === null ? amount.otherwise : toThousandths(readSource(amount.from, of));
    if (asked === null) flags.push(`${name}.amount_invalid`);
    hits.push({ counter: pool, key: counterKey(known), amount: asked ?? amount.otherwise, thresholds });
    names.push(name);
  }
  return { hits, names, missing, flags };
}

/** One key of parts: a hash, so that it is bounded, holds no personal data and no two lists of parts give the same. */
export function counterKey(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

const DECIMAL = /^[0-9]{1,10}(\.[0-9]{1,12})?$/;
const PRECISION = 3;

/**
 * An amount in thousandths, rounded up (beyond a millionth, so that the noise of binary fractions adds nothing): many small amounts never
 * count as nothing. Null for what is no number from 0 to `AMOUNT_MAX`; digits with a point are one, `1e3`, `-1`, ` 1` and `NaN` are not.
 */
export function toThousandths(value: JsonValue | undefined): number | null {
  const amount = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  if (typeof amount !== 'number' || !(amount >= 0 && amount <= AMOUNT_MAX)) return null;
  return Math.ceil(Number((amount * AMOUNT_SCALE).toFixed(PRECISION)));
}

/**
 * A scalar as text: 7 and "7" are one key, since most upstreams take one for the other. Null for a whole number beyond 2^53: its last digits are
 * gone, and the upstream may read others.
 */
function textOf(value: JsonValue | undefined): string | null {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : String(value);
  return typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : null;
}
