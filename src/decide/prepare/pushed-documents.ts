import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';

/** A document of data that came from elsewhere than the bundle: as text, so that no thread but the preparing one parses it. */
export type PushedDocument = {
  /** Where it lies in `data`: `["tenants", "acme"]`. */
  readonly path: readonly string[];
  /** JSON in UTF-8. */
  readonly json: Uint8Array;
};

/**
 * The data with each document in the place of what was at its path.
 * @throws CountersignError bundle_data_invalid, the field is the path
 */
export function placeDocuments(data: JsonObject, pushed: readonly PushedDocument[]): JsonObject {
  return pushed.reduce((whole, one) => place(whole, one.path, parse(one), one.path), data);
}

function place(into: JsonObject, [name, ...rest]: readonly string[], value: JsonValue, path: readonly string[]): JsonObject {
  if (name === undefined) throw new CountersignError('bundle_data_invalid', { field: 'data', detail: 'the whole of it cannot be pushed' });
  if (rest.length === 0) return withMember(into, name, value);
  const below = Object.hasOwn(into, name) ? into[name] : {};
  if (!isJsonObject(below)) throw new CountersignError('bundle_data_invalid', { field: path.join('.'), detail: `${name} is no object` });
  return withMember(into, name, place(below, rest, value, path));
}

/** A name such as `__proto__` is a member like any other. */
function withMember(object: JsonObject, name: string, value: JsonValue): JsonObject {
  return Object.fromEntries([...Object.entries(object).filter(([other]) => other !== name), [name, value]]);
}

function parse({ path, json }: PushedDocument): JsonValue {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    throw new CountersignError('bundle_data_invalid', { field: path.join('.'), detail: 'not JSON', cause });
  }
}
