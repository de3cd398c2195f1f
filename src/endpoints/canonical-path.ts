import { percentDecode } from './percent.ts';
import { type Noted, note } from './target-flags.ts';

/**
 * Segments of a path that has nothing to decide: no `%`, `;`, backslash, control or non-ASCII character, no empty segment but a last one,
 * none that begins with a dot. Null sends it to `resolveSegments`. Nearly every real request ends here.
 */
export function cleanSegments(path: string): readonly string[] | null {
  let previous = 0;
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code === 37 || code === 59 || code === 92 || code <= 32 || code >= 127) return null;
    if (previous === 47 && (code === 47 || code === 46)) return null;
    previous = code;
  }
  if (path.charCodeAt(0) !== 47) return path === '' ? [] : null;
  if (path.length === 1) return [];
  return path.slice(1, previous === 47 ? -1 : undefined).split('/');
}

const ENCODED_SLASH = /%2f/i;
const ENCODED_BACKSLASH = /%5c/i;
const ENCODED_DOT = /%2e/i;
const DECODABLE_AGAIN = /%[0-9a-f]{2}/i;

/**
 * Decodes each segment once, splits again at slashes that were encoded, resolves empty and dot segments (RFC 3986 5.2.4), and notes
 * everything on the way. An encoded slash is read as a slash since that is the reading in which a path reaches furthest; it is ambiguous anyhow.
 */
export function resolveSegments(path: string, noted: Noted): readonly string[] {
  const result: string[] = [];
  const raws = path.split('/');
  let empties = false;
  let dots = false;
  // WHATWG URL, `new URL(req.url, base)`, takes `//name/x` for an authority and the path `/x`
  if (path.startsWith('//')) noted.ambiguous = true;
  for (let index = path.startsWith('/') ? 1 : 0; index < raws.length; index++) {
    const raw = raws[index] ?? '';
    const decoded = raw.includes('%') ? percentDecode(raw, (problem) => note(noted, `path_${problem}`)) : raw;
    if (raw.includes('\\')) note(noted, 'path_backslash');
    if (decoded !== raw) noteEncoded(raw, decoded, noted);
    noteCharacters(decoded, noted);
    let dotsHere = false;
    for (const part of decoded.includes('/') ? decoded.split('/') : [decoded]) {
      if (part === '') {
        if (index < raws.length - 1) empties = true;
      } else if (part === '.' || part === '..') {
        dotsHere = true;
        if (part === '..') result.pop();
      } else {
        if (part.includes(';')) noteParameters(part, noted);
        result.push(part);
      }
    }
    if (dotsHere) {
      dots = true;
      // once a segment: one of 8 KiB may hold 1,600 dot segments
      if (ENCODED_DOT.test(raw)) note(noted, 'path_encoded_dot');
    }
  }
  if (dots) note(noted, 'path_dot_segments');
  if (empties) note(noted, 'path_double_slash');
  // `/a//../b` is `/a/b` by RFC 3986 and `/b` where slashes are merged first
  if (empties && dots) noted.ambiguous = true;
  return result;
}

function noteEncoded(raw: string, decoded: string, noted: Noted): void {
  if (ENCODED_SLASH.test(raw)) note(noted, 'path_encoded_slash');
  if (ENCODED_BACKSLASH.test(raw)) note(noted, 'path_encoded_backslash');
  if (decoded.includes('%') && DECODABLE_AGAIN.test(decoded)) note(noted, 'path_double_encoded');
}

function noteCharacters(decoded: string, noted: Noted): void {
  for (let at = 0; at < decoded.length; at++) {
    const code = decoded.charCodeAt(at);
    if (code === 0) note(noted, 'path_nul');
    else if (code < 32 || code === 127) note(noted, 'path_control');
  }
}

function noteParameters(part: string, noted: Noted): void {
  note(noted, 'path_parameters');
  const name = part.slice(0, part.indexOf(';'));
  if (name === '' || name === '.' || name === '..') noted.ambiguous = true;
}
