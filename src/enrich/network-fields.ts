import { isJsonObject, type JsonObject } from '../contract/json.ts';

/* Fields of a database record, each checked for its type: the reader hands on whatever a file holds. */

const TEXT_MAX = 128;
const ASN_MAX = 4_294_967_295;
const TWO_LETTERS = /^[A-Z]{2}$/;
const AS_NUMBER = /^AS(\d{1,10})$/;
const DECIMAL = /^-?\d{1,3}(\.\d{1,20})?$/;
/** Half of the Earth's circumference: no two places are farther apart. */
const RADIUS_KM_MAX = 20_038;

/** An own member: names in a file are foreign and may be those of `Object.prototype`. */
export function own(value: unknown, name: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** An own member that is an object, or null. */
export function child(value: JsonObject, name: string): JsonObject | null {
  const found = own(value, name);
  return isJsonObject(found) ? found : null;
}

/** Two capital letters, or null; also for what DB-IP and others write where they do not know, and ISO 3166 gives to nobody. */
export function code(value: unknown): string | null {
  return typeof value === 'string' && TWO_LETTERS.test(value) && value !== 'ZZ' && value !== 'XX' ? value : null;
}

/** A text that is not empty, cut to 128 characters and well formed, or null. */
export function text(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  // a lone surrogate would make the policy engine throw, and cutting can leave one
  return value.slice(0, TEXT_MAX).toWellFormed();
}

/** 1 to 4,294,967,295, also as "AS15169", or null. */
export function asNumber(value: unknown): number | null {
  const number = typeof value === 'string' ? Number(AS_NUMBER.exec(value)?.[1]) : value;
  return typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= ASN_MAX ? number : null;
}

/** Degrees as a number or a decimal text, within the bound on both sides; null for everything else. */
export function degrees(value: unknown, bound: 90 | 180): number | null {
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value;
  // false for NaN too
  return typeof number === 'number' && number >= -bound && number <= bound ? number : null;
}

/** A radius in kilometres above 0, or null. */
export function radiusKm(value: unknown): number | null {
  return typeof value === 'number' && value > 0 && value <= RADIUS_KM_MAX ? value : null;
}
