import type { ErrorCode } from '../contract/codes.ts';
import type { JsonValue } from '../contract/json.ts';
import type { JsonLimits } from '../formats/json-scan.ts';
import { parseStrictJson } from '../formats/strict-json.ts';

/** The limits of DESIGN 3, the same for `/decide` and for the client's own body. */
export const JSON_LIMITS: JsonLimits = { depthMax: 32, keysMax: 10_000 };

/** The value, or why there is none; `field` is the repeated name of `body_duplicate_key`. */
export type ParsedJson =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly code: ErrorCode; readonly field?: string };

/** A body in strict JSON, each refusal with its code. Never throws. */
export function parseJsonBody(bytes: Uint8Array, limits: JsonLimits = JSON_LIMITS): ParsedJson {
  const parsed = parseStrictJson(bytes, limits);
  if (parsed.ok) return parsed;
  const code = `body_${parsed.problem}` as const;
  return parsed.name === undefined ? { ok: false, code } : { ok: false, code, field: parsed.name };
}
