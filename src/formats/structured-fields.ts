import { type BareItem, type Dictionary, type Item, type List, parseDictionary, parseItem, parseList } from 'structured-headers';

/* Structured Field Values for HTTP (RFC 9651, and RFC 8941 before it); the owner of `structured-headers`. Several lines of a field are one, joined by commas. */

/**
 * More members, parameters and blanks than any field of ours has: the library makes a map for each member, and a field of 64 KiB could hold 32,000 of
 * them, whose collection took ten times as long as the parsing.
 */
const DELIMITERS_MAX = 4096;

/** The lines of one field as one text (RFC 9651 section 4.2). */
export function fieldText(lines: readonly string[]): string {
  return lines.length === 1 ? (lines[0] ?? '') : lines.join(', ');
}

/** One item with its parameters, or null where the text is none. */
export function parseFieldItem(text: string): Item | null {
  return parsed(parseItem, text);
}

/** A list of items and inner lists, or null. The empty text is the empty list. */
export function parseFieldList(text: string): List | null {
  return parsed(parseList, text);
}

/** A dictionary, in the order of its text, or null. */
export function parseFieldDictionary(text: string): Dictionary | null {
  return parsed(parseDictionary, text);
}

/** The bytes of a bare item that is a Byte Sequence, or null. */
export function bytesOf(item: BareItem): Buffer | null {
  return item instanceof ArrayBuffer ? Buffer.from(item) : null;
}

function parsed<T>(parse: (text: string) => T, text: string): T | null {
  if (text.length > DELIMITERS_MAX && hasTooMany(text)) return null;
  try {
    return parse(text);
  } catch {
    // foreign text: that it is no such field is the answer
    return null;
  }
}

function hasTooMany(text: string): boolean {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // blank, tab, opening bracket, comma, semicolon
    if (code === 32 || code === 9 || code === 40 || code === 44 || code === 59) count++;
  }
  return count > DELIMITERS_MAX;
}
