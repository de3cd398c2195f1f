import { bytesOfText, textOfBytes } from './bytes.ts';

/* Percent-encoding as Go's package `net/url` does it. */

export type Part = 'path' | 'host' | 'zone' | 'user' | 'query' | 'fragment';

const HOST = '!$&\'()*+,;=:[]<>"';
/** Reserved characters that each part may hold as they are; the others are escaped. */
const RESERVED: Readonly<Record<Part, string>> = {
  path: '$&+,/:;=@',
  host: HOST,
  zone: HOST,
  user: '$&+,;=',
  query: '',
  fragment: '$&+,/:;=?@!()*',
};

function isPlain(character: string, part: Part): boolean {
  return /^[A-Za-z0-9\-_.~]$/.test(character) || RESERVED[part].includes(character);
}

/** Undefined where a `%` is not followed by two hexadecimal digits, or a host holds what no host may hold. */
export function unescapeText(text: string, part: Part): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  if ((part === 'host' || part === 'zone') && !isHostText(text, part)) return undefined;
  const spaced = part === 'query' ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  const bytes = spaced
    .split(/(%[0-9A-Fa-f]{2})/)
    .map((one) => (/^%[0-9A-Fa-f]{2}$/.test(one) ? Buffer.from(one.slice(1), 'hex') : bytesOfText(one)));
  return textOfBytes(Buffer.concat(bytes));
}

/** In a host only what is not ASCII may be escaped, and `%25`. */
function isHostText(text: string, part: 'host' | 'zone'): boolean {
  for (const one of text.match(/%../g) ?? []) {
    if (one === '%25') continue;
    const code = Number.parseInt(one.slice(1), 16);
    if (part === 'host' ? code < 0x80 : code !== 0x20 && !isPlain(String.fromCharCode(code), 'host')) return false;
  }
  return [...text.replaceAll(/%../g, '')].every((character) => character > '\x7f' || isPlain(character, part));
}

/** `%` and two upper-case digits for every byte that is not plain; a space is `+` in a query. */
export function escapeText(text: string, part: Part): string {
  let made = '';
  for (const byte of bytesOfText(text)) {
    const character = String.fromCharCode(byte);
    if (byte < 0x80 && isPlain(character, part)) made += character;
    else if (byte === 0x20 && part === 'query') made += '+';
    else made += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return made;
}
