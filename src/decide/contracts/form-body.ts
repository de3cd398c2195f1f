import { unescape as percentDecode } from 'node:querystring';
import type { JsonObject } from '../../contract/json.ts';

const MALFORMED = /%(?![0-9a-f]{2})/i;

/**
 * `application/x-www-form-urlencoded` as Go reads it, which policies of opa-envoy-plugin are written for: `+` is a space, and a pair with `;` or with
 * a broken escape is none. Null where there are more than `pairsMax` pairs, or where `strict` and one is broken.
 */
export function parseForm(text: string, pairsMax: number, strict: boolean): JsonObject | null {
  const values = new Map<string, string[]>();
  let pairs = 0;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    if (pair.includes(';') || MALFORMED.test(pair)) {
      if (strict) return null;
      continue;
    }
    pairs += 1;
    if (pairs > pairsMax) return null;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return Object.fromEntries(values);
}

function decode(part: string): string {
  const spaced = part.replaceAll('+', ' ');
  return spaced.includes('%') ? percentDecode(spaced) : spaced;
}

/** The segments of a decoded path, as Go's `strings.Split` makes them: `/` is one empty segment. Null where an escape is broken. */
export function parsePath(path: string): readonly string[] | null {
  if (MALFORMED.test(path)) return null;
  return (path.includes('%') ? percentDecode(path) : path).replace(/^\/+/, '').split('/');
}
