import { sorted } from './order.ts';
import { isArray, isNumber, RegoSet, type RegoValue } from './value.ts';
import { numberText } from './value-text.ts';

/* Values as OPA prints them. */

const SHORT: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Go's `strconv.Quote`. */
export function quoted(text: string): string {
  return `"${Array.from(text, (one) => SHORT[one] ?? (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(one) ? one : escaped(one))).join('')}"`;
}

function escaped(one: string): string {
  const code = one.codePointAt(0) ?? 0;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Rego's own notation. */
export function termText(value: RegoValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (isNumber(value)) return numberText(value);
  if (isArray(value)) return `[${value.map(termText).join(', ')}]`;
  if (value instanceof RegoSet) return value.items.length === 0 ? 'set()' : `{${value.items.map(termText).join(', ')}}`;
  return `{${sorted([...value.keys()])
    .map((key) => `${termText(key)}: ${termText(value.get(key) ?? null)}`)
    .join(', ')}}`;
}
