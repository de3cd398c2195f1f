import { percentDecode } from './percent.ts';
import { type Noted, note } from './target-flags.ts';

/** DESIGN 4: pairs that a policy sees. */
export const QUERY_PAIRS_MAX = 64;

/** A query string (without `?`) as `application/x-www-form-urlencoded` reads it: `&` separates, `+` is a space, values in order. */
export function parseQuery(text: string, noted: Noted): ReadonlyMap<string, readonly string[]> {
  const result = new Map<string, string[]>();
  let pairs = 0;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    if (pairs === QUERY_PAIRS_MAX) {
      note(noted, 'query_capped');
      break;
    }
    pairs++;
    const equals = pair.indexOf('=');
    const name = decodePart(equals < 0 ? pair : pair.slice(0, equals), noted);
    const value = equals < 0 ? '' : decodePart(pair.slice(equals + 1), noted);
    const values = result.get(name);
    if (values === undefined) {
      result.set(name, [value]);
    } else {
      note(noted, 'query_duplicate_key');
      values.push(value);
    }
  }
  return result;
}

function decodePart(part: string, noted: Noted): string {
  const spaced = part.includes('+') ? part.replaceAll('+', ' ') : part;
  if (!spaced.includes('%')) return spaced;
  return percentDecode(spaced, () => note(noted, 'query_invalid_encoding'));
}
