/** One DER element: its tag and where its content lies. */
export type Element = { readonly tag: number; readonly at: number; readonly start: number; readonly end: number };

/** Universal tags (X.690 section 8) that certificates and revocation lists use. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** Certificates have a dozen elements within one at most; more are an attempt at making us work. */
const CHILDREN_MAX = 64;

/** The elements within one, or null where they do not fill it or are more than `max`. */
export function childrenOf(der: Buffer, parent: Pick<Element, 'start' | 'end'>, max = CHILDREN_MAX): readonly Element[] | null {
  const children: Element[] = [];
  for (let at = parent.start; at < parent.end; ) {
    if (children.length === max) return null;
    const child = elementAt(der, at, parent.end);
    if (child === null) return null;
    children.push(child);
    at = child.end;
  }
  return children;
}

/** X.690 section 8.1: one-byte tags (all that RFC 5280 uses) and definite lengths of up to three bytes; null for all else. */
export function elementAt(der: Buffer, at: number, limit: number): Element | null {
  if (at + 2 > limit) return null;
  const tag = der.readUInt8(at);
  const first = der.readUInt8(at + 1);
  const more = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + more;
  if (first === 0x80 || more > 3 || start > limit || (tag & 0x1f) === 0x1f) return null;
  const length = more === 0 ? first : der.readUIntBE(at + 2, more);
  return start + length > limit ? null : { tag, at, start, end: start + length };
}

/** The children of the one sequence that `bytes` are, nothing before and nothing behind it; or null. */
export function sequenceOf(bytes: Buffer): readonly Element[] | null {
  const whole = elementAt(bytes, 0, bytes.length);
  return whole?.tag === TAG.sequence && whole.end === bytes.length ? childrenOf(bytes, whole) : null;
}

/** The content of an element in hex. */
export function hexOf(der: Buffer, element: Element): string {
  return der.toString('hex', element.start, element.end);
}

/** A whole element, tag and length included, in hex: two names are the same where these are. */
export function wholeHexOf(der: Buffer, element: Element): string {
  return der.toString('hex', element.at, element.end);
}

/** One extension (RFC 5280 section 4.2): its id in hex, and the element within its OCTET STRING's bounds. */
export type Extension = { readonly id: string; readonly critical: boolean; readonly value: Element };

/** A list of extensions, or null where it is malformed or names one twice. */
export function extensionsOf(der: Buffer, list: Element | null): readonly Extension[] | null {
  const items = list === null ? null : childrenOf(der, list);
  if (items === null) return null;
  const found: Extension[] = [];
  // a list of 8 MiB may name half a million
  const names = new Set<string>();
  for (const item of items) {
    const parts = childrenOf(der, item);
    const [id, second] = parts ?? [];
    const value = parts?.at(-1);
    if (id?.tag !== TAG.objectIdentifier || value?.tag !== TAG.octetString) return null;
    const name = hexOf(der, id);
    if (names.has(name)) return null;
    names.add(name);
    found.push({ id: name, critical: second?.tag === TAG.boolean && der[second.start] !== 0, value });
  }
  return found;
}

/** RFC 5280 section 4.1.2.5: UTCTime until 2049, else GeneralizedTime, both in UTC with seconds; unix seconds or null. */
export function timeOf(der: Buffer, element: Element | undefined): number | null {
  if (element === undefined) return null;
  const text = der.toString('latin1', element.start, element.end);
  if (element.tag === TAG.utcTime && /^\d{12}Z$/.test(text)) return unixSeconds(`${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`);
  return element.tag === TAG.generalizedTime && /^\d{14}Z$/.test(text) ? unixSeconds(text) : null;
}

/** @param text YYYYMMDDHHMMSSZ */
function unixSeconds(text: string): number | null {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const milliseconds = Date.parse(iso);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}
