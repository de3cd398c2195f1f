import { type IpAddress, isUnspecified, parseIpAddress } from './ip-address.ts';

const ZONE = /^%[0-9A-Za-z._~-]{1,32}$/;
const PORT = /^:\d{1,5}$/;

/**
 * One hop as proxies write it: an address with an optional port, IPv6 also in brackets, a zone dropped.
 * @returns null for `unknown`, obfuscated names, the unspecified address and anything that is not strictly an address.
 */
export function parseNode(text: string): IpAddress | null {
  const plain = parseIpAddress(text);
  const address = plain ?? parseDecorated(text);
  return address === null || isUnspecified(address) ? null : address;
}

function parseDecorated(text: string): IpAddress | null {
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    if (end < 0) return null;
    const port = text.slice(end + 1);
    if (port !== '' && !PORT.test(port)) return null;
    return ofFamily6(text.slice(1, end));
  }
  const colon = text.indexOf(':');
  if (colon >= 0 && colon === text.lastIndexOf(':')) {
    return PORT.test(text.slice(colon)) ? parseIpAddress(text.slice(0, colon)) : null;
  }
  return ofFamily6(text);
}

/** IPv6 text with an optional zone; an IPv4 address has no zone and no brackets. */
function ofFamily6(text: string): IpAddress | null {
  if (!text.includes(':')) return null;
  const percent = text.indexOf('%');
  if (percent < 0) return parseIpAddress(text);
  return ZONE.test(text.slice(percent)) ? parseIpAddress(text.slice(0, percent)) : null;
}

/** Names (lower case) and values of one element of `Forwarded`, RFC 7239 section 4. */
export type ForwardedElement = ReadonlyMap<string, string>;

const NAME = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
/** Wider than a token: colons and brackets without quotes are common and harm nobody. */
const BARE_VALUE = /[!#$%&'*+\-.^_`|~0-9A-Za-z:[\]/]*/y;
const QUOTED_VALUE = /"((?:[^"\\]|\\[\t -~])*)"/y;
const SPACE = /[ \t]*/y;

/**
 * Parses one line of `Forwarded`.
 * @returns null where any part is malformed: after a stray quote nobody can say where the elements that a trusted proxy
 * appended begin, so the line as a whole counts as one entry that does not parse.
 */
export function parseForwarded(line: string): readonly ForwardedElement[] | null {
  const elements: ForwardedElement[] = [];
  let element = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match !== null) at += match[0].length;
    return match;
  };
  while (at < line.length) {
    take(SPACE);
    const mark = line[at];
    if (mark === ',' || mark === ';' || mark === undefined) {
      at += 1;
      if (mark === ';') continue;
      if (element.size > 0) elements.push(element);
      element = new Map();
      continue;
    }
    const name = take(NAME)?.[0].toLowerCase();
    if (name === undefined || line[at] !== '=' || element.has(name)) return null;
    at += 1;
    const quoted = line[at] === '"' ? take(QUOTED_VALUE) : undefined;
    if (quoted === null) return null;
    const value = quoted === undefined ? take(BARE_VALUE)?.[0] : quoted[1]?.replaceAll(/\\(.)/g, '$1');
    if (value === undefined) return null;
    element.set(name, value);
    take(SPACE);
    if (at < line.length && line[at] !== ',' && line[at] !== ';') return null;
  }
  if (element.size > 0) elements.push(element);
  return elements;
}

/**
 * The entries of a chain, left to right: `X-Forwarded-For` lists are split at commas, lines of `Forwarded` give their
 * `for` parameters. An entry that is no address, also an empty one, stays in its place: the walk shall stop there.
 */
export function chainEntries(lines: readonly string[], header: string): readonly string[] {
  const entries: string[] = [];
  for (const line of lines) {
    if (header === 'forwarded' && line.includes('=')) {
      const elements = parseForwarded(line);
      if (elements === null) entries.push('malformed');
      else for (const element of elements) entries.push(element.get('for') ?? 'unknown');
    } else if (line.includes(',')) {
      for (const part of line.split(',')) entries.push(part.trim());
    } else entries.push(line.trim());
  }
  return entries;
}
