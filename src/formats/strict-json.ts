import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '../contract/json.ts';
import { type JsonLimits, type JsonRefusal, scanJson } from './json-scan.ts';

/** The value, or why two parsers might not read the same one. */
export type StrictJson =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: JsonRefusal['problem'] | 'empty' | 'invalid_utf8'; readonly name?: string };

/**
 * I-JSON (RFC 7493) from foreign bytes: valid UTF-8 without a BOM, unique names, no lone surrogate, no number beyond a double.
 * `JSON.parse` alone takes the last duplicate, any depth, `\ud800` and 1e400. Never throws.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): StrictJson {
  if (bytes.length === 0) return { ok: false, problem: 'empty' };
  if (!isUtf8(bytes)) return { ok: false, problem: 'invalid_utf8' };
  const text = (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)).toString('utf8');
  const refused = scanJson(text, limits);
  if (refused !== null) return { ok: false, ...refused };
  try {
    const value: JsonValue = JSON.parse(text);
    return { ok: true, value };
  } catch {
    // the text is foreign: that it is no JSON is the answer, the parser's message would quote it
    return { ok: false, problem: 'invalid_json' };
  }
}
