/*
 * Rego values as host builtins see them. Sets, objects with any keys, integers of any size and decimals keep what they are, which JSON
 * would lose: what passes through a builtin comes out as it went in.
 */

/** A number that is no whole one within 64 bits of a double: its text says it exactly. */
export class RegoDecimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A set; read ones are in the order of Rego, and of made ones the Wasm drops what is twice. */
export class RegoSet {
  readonly items: readonly RegoValue[];
  constructor(items: readonly RegoValue[]) {
    this.items = items;
  }
}

/** Keys are any values, in no order; look up with `lookup`. */
export type RegoObject = ReadonlyMap<RegoValue, RegoValue>;

export type RegoNumber = number | bigint | RegoDecimal;
export type RegoValue = null | boolean | string | RegoNumber | readonly RegoValue[] | RegoSet | RegoObject;

/** True for a row of values. */
export function isArray(value: RegoValue | undefined): value is readonly RegoValue[] {
  return Array.isArray(value);
}

/** True for an object. */
export function isObject(value: RegoValue | undefined): value is RegoObject {
  return value instanceof Map;
}

/** True for a number of any kind. */
export function isNumber(value: RegoValue | undefined): value is RegoNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof RegoDecimal;
}

/** The nearest double. */
export function doubleOf(value: RegoNumber): number {
  return value instanceof RegoDecimal ? Number(value.text) : Number(value);
}

/** A whole number, as small as it can be held. */
export function wholeNumber(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** The whole number that a value is (`2.0` is one), or undefined. */
export function wholeOf(value: RegoValue | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (!(value instanceof RegoDecimal)) return undefined;
  const plain = /^(-?\d{1,40})(?:\.0*)?$/.exec(value.text)?.[1];
  if (plain !== undefined) return BigInt(plain);
  const double = Number(value.text);
  return Number.isSafeInteger(double) ? BigInt(double) : undefined;
}

/** The same text for equal values (`1.0` and `1` are equal), another one for others: the key of a value in a Map. */
export function canonical(value: RegoValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (isNumber(value)) return numberKey(value);
  if (isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value instanceof RegoSet) return `<${[...new Set(value.items.map(canonical))].sort().join()}>`;
  const members = [...value].map(([key, member]) => `${canonical(key)}:${canonical(member)}`);
  return `{${members.sort().join()}}`;
}

/** A number beyond the doubles is known by its text. */
function numberKey(value: RegoNumber): string {
  const double = doubleOf(value);
  if (value instanceof RegoDecimal && !Number.isFinite(double)) return value.text;
  return String(wholeOf(value) ?? double);
}

/** Rego's equality: `1.0` is `1`. */
export function isEqual(one: RegoValue, other: RegoValue): boolean {
  return one === other || canonical(one) === canonical(other);
}

/** The member of an object under a key of any kind. */
export function lookup(object: RegoObject, key: RegoValue): RegoValue | undefined {
  const direct = object.get(key);
  if (direct !== undefined || typeof key === 'string') return direct;
  const wanted = canonical(key);
  for (const [name, member] of object) if (typeof name !== 'string' && canonical(name) === wanted) return member;
  return undefined;
}

/** An object with names for keys. */
export function objectOf(members: Iterable<readonly [string, RegoValue | undefined]>): RegoObject {
  const made = new Map<RegoValue, RegoValue>();
  for (const [name, member] of members) if (member !== undefined) made.set(name, member);
  return made;
}

/** A Rego value out of what `JSON.parse` gives; whole numbers beyond 53 bits are lost there, so parse texts by `parseValue`. */
export function fromJson(value: unknown): RegoValue | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) return value.map((item) => fromJson(item) ?? null);
  if (typeof value !== 'object') return undefined;
  return objectOf(Object.entries(value).map(([name, member]) => [name, fromJson(member)] as const));
}
