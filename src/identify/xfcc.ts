/** One pair of an element: the key in lower case, the value without its quotes and escapes. */
export type XfccPair = readonly [key: string, value: string];

/** What one proxy said about the client certificate that it saw. */
export type XfccElement = readonly XfccPair[];

const HEADER_LENGTH_MAX = 65_536;
const ELEMENTS_MAX = 64;
/** Of one element; a certificate with more names is read by none of our forms. */
const PAIRS_MAX = 264;
/** The proxy writes each of these once (Envoy, "x-forwarded-client-cert"); By, URI and DNS may repeat. */
const SINGLE_KEYS = new Set(['hash', 'cert', 'chain', 'subject']);
const KEY = /^[A-Za-z][A-Za-z0-9_-]*$/;

/**
 * Parses `x-forwarded-client-cert`: elements by comma, pairs by semicolon, values bare or wholly in double quotes with `\"` and `\\`.
 * Several header lines are to be joined by commas. Null where it is malformed: a quote in a bare value or text behind a closing one
 * could hide a pair from one of two parsers, so nothing of such a header is used. Unknown keys are kept; the empty header has no element.
 */
export function parseXfcc(header: string): readonly XfccElement[] | null {
  if (header === '') return [];
  if (header.length > HEADER_LENGTH_MAX) return null;
  const elements: XfccPair[][] = [];
  let element: XfccPair[] = [];
  let at = skipBlanks(header, 0);
  for (;;) {
    const equals = header.indexOf('=', at);
    const key = equals === -1 ? '' : header.slice(at, equals);
    if (!KEY.test(key)) return null;
    const value = header.charCodeAt(equals + 1) === 0x22 ? readQuoted(header, equals + 1) : readBare(header, equals + 1);
    if (value === null) return null;
    const name = key.toLowerCase();
    if (SINGLE_KEYS.has(name) && element.some(([known]) => known === name)) return null;
    if (element.push([name, value.text]) > PAIRS_MAX) return null;

    at = value.end;
    const separator = header[at];
    if (separator !== ';') {
      elements.push(element);
      element = [];
      at = skipBlanks(header, at);
      if (at === header.length) return elements;
      if (header[at] !== ',' || elements.length === ELEMENTS_MAX) return null;
    }
    at = separator === ';' ? at + 1 : skipBlanks(header, at + 1);
  }
}

type Read = { readonly text: string; readonly end: number };

/** Up to the next separator; blanks before it belong to the list, not to the value. */
function readBare(header: string, start: number): Read | null {
  let end = start;
  for (; end < header.length; end++) {
    const char = header.charCodeAt(end);
    if (char === 0x22) return null;
    if (char === 0x2c || char === 0x3b) break;
  }
  while (end > start && isBlank(header.charCodeAt(end - 1))) end--;
  return { text: header.slice(start, end), end };
}

/** `start` is at the opening quote. A backslash before any other character than `"` and `\` stays, as in `O=Acme\, Inc.`. */
function readQuoted(header: string, start: number): Read | null {
  let text = '';
  let copied = start + 1;
  for (let at = start + 1; at < header.length; at++) {
    const char = header.charCodeAt(at);
    if (char === 0x22) return { text: text + header.slice(copied, at), end: at + 1 };
    const next = header.charCodeAt(at + 1);
    if (char !== 0x5c || (next !== 0x22 && next !== 0x5c)) continue;
    text += header.slice(copied, at);
    copied = ++at;
  }
  return null;
}

function skipBlanks(header: string, start: number): number {
  let at = start;
  while (isBlank(header.charCodeAt(at))) at++;
  return at;
}

function isBlank(char: number): boolean {
  return char === 0x20 || char === 0x09;
}
