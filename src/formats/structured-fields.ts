import {
  type BareItem,
  type Dictionary,
  type InnerList,
  type Item,
  type List,
  parseDictionary,
  parseItem,
  parseList,
  serializeDictionary,
  serializeInnerList,
  serializeItem,
  serializeList,
  Token,
} from 'structured-headers';

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

/** Whether a value of a dictionary or a list is an inner list. */
export function isInnerList(member: Item | InnerList): member is InnerList {
  return Array.isArray(member[0]);
}

/**
 * Whether a dictionary's text names a member, or a parameter of one, twice. A parser takes the last one (RFC 9651 section 4.2.2), another reader
 * the first. `,` and `;` stand between members and before parameters, and else only within strings.
 */
export function hasRepeatedNames(text: string, dictionary: Dictionary): boolean {
  let members = 0;
  let parameters = 0;
  for (const member of dictionary.values()) {
    members++;
    parameters += member[1].size;
    if (isInnerList(member)) for (const [, own] of member[0]) parameters += own.size;
  }
  return members !== countOutsideStrings(text, 44) + (members === 0 ? 0 : 1) || parameters !== countOutsideStrings(text, 59);
}

function countOutsideStrings(text: string, wanted: number): number {
  let count = 0;
  let quoted = false;
  // a Display String (RFC 9651 section 4.1.11) has no escapes by backslash
  let display = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      display = !quoted && text.charCodeAt(at - 1) === 37;
      quoted = !quoted;
    } else if (quoted && !display && code === 92) at++;
    else if (!quoted && code === wanted) count++;
  }
  return count;
}

/** The canonical text of a member of a dictionary (RFC 9651 section 4.1); null where a value is none that can be written. */
export function memberText(member: Item | InnerList): string | null {
  return parsed((one: Item | InnerList) => (isInnerList(one) ? serializeInnerList(one) : serializeItem(one)), member);
}

/** The canonical text of a whole field of the given type; null where `text` is none, or a dictionary that names something twice. */
export function canonicalField(type: 'dictionary' | 'list' | 'item', text: string): string | null {
  if (type === 'dictionary') {
    const dictionary = parseFieldDictionary(text);
    return dictionary === null || hasRepeatedNames(text, dictionary) ? null : parsed(serializeDictionary, dictionary);
  }
  if (type === 'list') return parsed((one: string) => serializeList(parseList(one)), text);
  return parsed((one: string) => serializeItem(parseItem(one)), text);
}

/** A Byte Sequence (RFC 9651 section 4.1.8). */
export function bytesText(bytes: Buffer): string {
  return `:${bytes.toString('base64')}:`;
}

/** The name that a Token stands for, or a string; null for other items. */
export function nameOf(item: BareItem): string | null {
  return typeof item === 'string' ? item : item instanceof Token ? item.toString() : null;
}

function parsed<F, T>(parse: (from: F) => T, from: F): T | null {
  if (typeof from === 'string' && from.length > DELIMITERS_MAX && hasTooMany(from)) return null;
  try {
    return parse(from);
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
