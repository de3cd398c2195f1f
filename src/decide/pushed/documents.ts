import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { EXCEPTIONS, startsWith } from './roots.ts';

/** One document that was pushed, at its path; no pushed document lies within another. */
export type Pushed = {
  readonly path: readonly string[];
  readonly value: JsonValue;
  /** Unix seconds. */
  readonly at: number;
  readonly by: string;
};

/** The value at a path; undefined where nothing is. Objects only: a list is one value. */
export function valueAt(document: JsonValue, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A copy with a value at a path, which is made where it is not there; null where something on the way is no object. */
export function withValue(document: JsonValue | undefined, [name, ...rest]: readonly string[], value: JsonValue): JsonValue | null {
  if (name === undefined) return value;
  if (document !== undefined && !isJsonObject(document)) return null;
  const members = new Map(document === undefined ? [] : Object.entries(document));
  const inner = withValue(members.get(name), rest, value);
  return inner === null && rest.length > 0 ? null : Object.fromEntries(members.set(name, inner));
}

/** A copy without the member at a path; null where there is none. */
export function withoutValue(document: JsonValue, [name, ...rest]: readonly string[]): JsonValue | null {
  if (name === undefined || !isJsonObject(document) || !Object.hasOwn(document, name)) return null;
  const members = new Map(Object.entries(document));
  if (rest.length === 0) members.delete(name);
  else {
    const inner = withoutValue(document[name] ?? null, rest);
    if (inner === null) return null;
    members.set(name, inner);
  }
  return Object.fromEntries(members);
}

/** The data of a bundle with what was pushed over it; null where a pushed document has no place in it. */
export function laidOver(data: JsonObject, documents: readonly Pushed[]): JsonObject | null {
  let laid: JsonValue = data;
  for (const { path, value } of documents) {
    if (startsWith(path, EXCEPTIONS)) continue;
    const next = withValue(laid, path, value);
    if (!isJsonObject(next)) return null;
    laid = next;
  }
  return isJsonObject(laid) ? laid : null;
}
