import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/** Values of the data by path below `data`, joined by dots. */
export type Thresholds = Readonly<Record<string, JsonValue>>;

/** A list of ten thousand entries is no threshold, and would be kept by every revision. */
const CHARS_MAX = 2048;

type Reading = { readonly data?: readonly (readonly string[])[] | undefined };

/** What the rules read of the data; of what is large its size, and what is not there is left out. */
export function thresholdsIn(data: JsonObject, rules: Readonly<Record<string, Reading>>): Thresholds {
  const found: Record<string, JsonValue> = {};
  for (const { data: paths = [] } of Object.values(rules)) {
    for (const path of paths) {
      const name = path.join('.');
      const value = Object.hasOwn(found, name) ? undefined : valueAt(data, path);
      if (value !== undefined) found[name] = small(value);
    }
  }
  return found;
}

/** The value at a path, or undefined where there is none; null is a value. */
export function valueAt(document: JsonValue, path: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = document;
  for (const name of path) at = isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at;
}

/** The value itself, or what it is like where it is large. */
export function small(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value.slice(0, CHARS_MAX) : value;
  const chars = JSON.stringify(value).length;
  return chars <= CHARS_MAX ? value : { left_out: Array.isArray(value) ? 'list' : 'object', chars, entries: Object.keys(value).length };
}
