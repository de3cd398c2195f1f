import type { JsonValue } from '../contract/json.ts';

const TOKENS_MAX = 16;
const INDEX = /^(0|[1-9]\d{0,8})$/;

/** The reference tokens of a JSON Pointer (RFC 6901), unescaped; null where the text is none, or has more than 16 tokens. */
export function parseJsonPointer(text: string): readonly string[] | null {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text) || !text.isWellFormed()) return null;
  const tokens = text.slice(1).split('/');
  return tokens.length > TOKENS_MAX ? null : tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What the tokens lead to (RFC 6901 section 4); undefined where there is nothing. Own members only; `-` is never there. */
export function resolveJsonPointer(document: JsonValue, tokens: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const token of tokens) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (isList(value)) value = INDEX.test(token) ? value[Number(token)] : undefined;
    else value = Object.hasOwn(value, token) ? value[token] : undefined;
  }
  return value;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
