import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { parseStrictJson } from '../formats/strict-json.ts';

/** The size of a token is bounded before this, and with it the number of its names. */
const LIMITS = { depthMax: 32, keysMax: 10_000, protoRefused: true };

/**
 * The JSON object in `bytes`, or null where it is not one that two parsers must read alike (RFC 7519 section 4 and RFC 7515 section 4
 * forbid repeated names).
 */
export function parseStrictObject(bytes: Buffer): JsonObject | null {
  const parsed = parseStrictJson(bytes, LIMITS);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}
