import { isUtf8 } from 'node:buffer';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

const DEPTH_MAX = 32;

/**
 * The JSON object in `bytes`, or null where it is not one that two parsers must read alike: invalid UTF-8, a byte order mark,
 * a repeated name (RFC 7519 section 4, RFC 7515 section 4), `__proto__`, a lone surrogate, a number beyond double, more than
 * 32 levels. `JSON.parse` alone takes the last of two names and reads 1e400 as Infinity.
 */
export function parseStrictObject(bytes: Buffer): JsonObject | null {
  if (!isUtf8(bytes)) return null;
  const text = bytes.toString('utf8');
  const written = countMembers(text);
  if (written === null) return null;
  const value = parseJson(text);
  if (!isJsonObject(value)) return null;
  return countSoundMembers(value) === written ? value : null;
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    // the text is foreign: that it is not JSON is the answer, the parser's message would quote it
    return null;
  }
}

/** Names written in the text (colons outside strings), or null where it nests too deeply. Right for every text that is JSON. */
function countMembers(text: string): number | null {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x22) at = endOfString(text, at);
    else if (char === 0x3a) members++;
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > DEPTH_MAX) return null;
    } else if (char === 0x7d || char === 0x5d) depth--;
  }
  return members;
}

/** Index of the quote that closes the string that opens at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === 0x5c) escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}

/** Members that were kept, in all levels: fewer than written means that a name came twice. NaN where a value is not sound. */
function countSoundMembers(value: JsonValue): number {
  if (typeof value === 'string') return value.isWellFormed() ? 0 : Number.NaN;
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN;
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (!isJsonObject(value)) {
    for (const item of value) members += countSoundMembers(item);
    return members;
  }
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (name === '__proto__' || !name.isWellFormed() || member === undefined) return Number.NaN;
    members += 1 + countSoundMembers(member);
  }
  return members;
}
