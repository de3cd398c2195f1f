import { isUtf8 } from 'node:buffer';
import type { ErrorCode } from '../contract/codes.ts';
import type { JsonValue } from '../contract/json.ts';
import { scanJson } from './json-scan.ts';

/** Bounds of a body: containers within each other, and names of all objects together. */
export type JsonLimits = { readonly depthMax: number; readonly keysMax: number };

/** The limits of DESIGN 3, the same for `/decide` and for the client's own body. */
export const JSON_LIMITS: JsonLimits = { depthMax: 32, keysMax: 10_000 };

/** The value, or why there is none; `field` is the repeated name of `body_duplicate_key`. */
export type ParsedJson =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly code: ErrorCode; readonly field?: string };

/**
 * I-JSON (RFC 7493) from foreign bytes: valid UTF-8 without a BOM, unique names, no lone surrogate, no number beyond a double.
 * `JSON.parse` alone takes the last duplicate, any depth, `\ud800` and 1e400. Never throws.
 */
export function parseJsonBody(bytes: Uint8Array, limits: JsonLimits = JSON_LIMITS): ParsedJson {
  if (bytes.length === 0) return { ok: false, code: 'body_empty' };
  if (!isUtf8(bytes)) return { ok: false, code: 'body_invalid_utf8' };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const refused = scanJson(text, limits);
  if (refused !== null) return { ok: false, ...refused };
  try {
    const value: JsonValue = JSON.parse(text);
    return { ok: true, value };
  } catch {
    return { ok: false, code: 'body_invalid_json' };
  }
}
