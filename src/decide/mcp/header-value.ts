import { isUtf8 } from 'node:buffer';
import type { JsonValue } from '../../contract/json.ts';

const SENTINEL = '=?base64?';
const END = '?=';
/** RFC 9110 section 5.5 without obs-text. */
const PLAIN = /^[\x20-\x7e\t]*$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const NUMBER = /^-?(?:0|[1-9][0-9]{0,15})(?:\.0{1,15})?$/;

/** A header's value without the blanks around it, which are not part of it (RFC 9110 section 5.5). */
export function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '');
}

/**
 * The text that a value of `Mcp-Name` or `Mcp-Param-…` stands for (MCP 2026-07-28, Streamable HTTP, Value Encoding); null for what no client may
 * send: other characters, base64 that is not in its one form, bytes that are no UTF-8.
 */
export function decodeHeaderValue(value: string): string | null {
  if (!value.startsWith(SENTINEL) || !value.endsWith(END) || value.length < SENTINEL.length + END.length) {
    return PLAIN.test(value) ? value : null;
  }
  const encoded = value.slice(SENTINEL.length, -END.length);
  if (!BASE64.test(encoded)) return null;
  const bytes = Buffer.from(encoded, 'base64');
  // the last character may hold bits that are dropped: two texts would be one value
  if (bytes.toString('base64') !== encoded || !isUtf8(bytes)) return null;
  return bytes.toString('utf8');
}

/** Whether a decoded header is what the body has: whole numbers are compared as such (`42.0` is 42), all else as text. */
export function isMirrored(text: string, value: JsonValue | undefined): boolean {
  switch (typeof value) {
    case 'string':
      return text === value;
    case 'boolean':
      return text === String(value);
    case 'number':
      return Number.isSafeInteger(value) && NUMBER.test(text) && Number(text) === value;
    default:
      return false;
  }
}
