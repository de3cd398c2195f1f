/** A value that JSON can carry (RFC 8259). */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object; look names up with `Object.hasOwn`, since foreign names may be those of `Object.prototype`. */
export type JsonObject = { readonly [name: string]: JsonValue };

/** True for a JSON object, false for arrays, null and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
