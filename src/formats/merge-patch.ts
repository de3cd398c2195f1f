import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/** The target after a JSON merge patch (RFC 7396 section 2): members of objects are merged, null takes one away, all else replaces. */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const members = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) members.delete(name);
    else members.set(name, applyMergePatch(members.get(name), value));
  }
  // unlike an assignment this makes an own member of every name
  const merged: JsonObject = Object.fromEntries(members);
  return merged;
}
