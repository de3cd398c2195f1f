/** What node's `X509Certificate` does not give, or gives only as text that would have to be parsed back. */
export type CertificateExtensions = {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  /** RFC 5280 section 4.2.1.9; node's own `ca` is false for a CA whose key usage lacks keyCertSign. */
  readonly ca: boolean;
  /** Bits of RFC 5280 section 4.2.1.3; null where the extension is absent. */
  readonly keyUsage: { readonly digitalSignature: boolean; readonly keyCertSign: boolean; readonly crlSign: boolean } | null;
};

/** One DER element: its tag and where its content lies. */
type Element = { readonly tag: number; readonly start: number; readonly end: number };

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;
const BOOLEAN = 0x01;
const EXTENSIONS = 0xa3;
const GENERAL_NAME_DNS = 0x82;
const GENERAL_NAME_URI = 0x86;
/** 2.5.29.17, 2.5.29.19 and 2.5.29.15. */
const SUBJECT_ALT_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';

/**
 * Reads names, constraints and key usage out of a certificate's DER (RFC 5280 section 4.1), or null where it is malformed. The certificate has been
 * accepted by OpenSSL before; this still trusts no length. A name with a character outside printable ASCII makes it malformed: IA5String
 * has none in a URI or a host name, and a NUL would cut the name for some readers.
 */
export function readExtensions(der: Buffer): CertificateExtensions | null {
  const certificate = elementAt(der, 0, der.length);
  if (certificate === null || certificate.tag !== SEQUENCE || certificate.end !== der.length) return null;
  const body = elementAt(der, certificate.start, certificate.end);
  if (body === null || body.tag !== SEQUENCE) return null;
  const wrapper = childrenOf(der, body)?.find((element) => element.tag === EXTENSIONS);
  if (wrapper === undefined) return { uris: [], dns: [], ca: false, keyUsage: null };
  const list = elementAt(der, wrapper.start, wrapper.end);
  const extensions = list === null ? null : childrenOf(der, list);
  if (extensions === null) return null;
  let names: Pick<CertificateExtensions, 'uris' | 'dns'> | null = { uris: [], dns: [] };
  let ca = false;
  let keyUsage: CertificateExtensions['keyUsage'] = null;
  for (const extension of extensions) {
    const parts = childrenOf(der, extension);
    const id = parts?.[0];
    const value = parts?.at(-1);
    if (id?.tag !== OBJECT_IDENTIFIER || value?.tag !== OCTET_STRING) return null;
    const name = der.toString('hex', id.start, id.end);
    if (name === SUBJECT_ALT_NAME) names = readNames(der, value);
    if (name === BASIC_CONSTRAINTS) ca = readCa(der, value);
    if (name === KEY_USAGE) keyUsage = readKeyUsage(der, value);
  }
  return names === null ? null : { ...names, ca, keyUsage };
}

function readNames(der: Buffer, value: Element): Pick<CertificateExtensions, 'uris' | 'dns'> | null {
  const list = elementAt(der, value.start, value.end);
  const names = list === null ? null : childrenOf(der, list);
  if (names === null) return null;
  const uris: string[] = [];
  const dns: string[] = [];
  for (const { tag, start, end } of names) {
    if (tag !== GENERAL_NAME_DNS && tag !== GENERAL_NAME_URI) continue;
    const text = der.toString('latin1', start, end);
    if (!/^[\x21-\x7e]+$/.test(text)) return null;
    (tag === GENERAL_NAME_URI ? uris : dns).push(text);
  }
  return { uris, dns };
}

/** The first member, cA, is left out where it is false. What is malformed counts as true: it takes an identity away and gives none. */
function readCa(der: Buffer, value: Element): boolean {
  const list = elementAt(der, value.start, value.end);
  const members = list === null ? null : childrenOf(der, list);
  if (members === null) return true;
  const [first] = members;
  return first?.tag === BOOLEAN && (first.end === first.start || der.readUInt8(first.start) !== 0);
}

/** First octet of the BIT STRING: unused bits; second: bit 0 (digitalSignature) is the highest, 5 keyCertSign, 6 cRLSign. */
function readKeyUsage(der: Buffer, value: Element): CertificateExtensions['keyUsage'] {
  const bits = elementAt(der, value.start, value.end);
  const octet = bits !== null && bits.tag === BIT_STRING && bits.end - bits.start >= 2 ? der.readUInt8(bits.start + 1) : 0;
  return { digitalSignature: (octet & 0x80) !== 0, keyCertSign: (octet & 0x04) !== 0, crlSign: (octet & 0x02) !== 0 };
}

function childrenOf(der: Buffer, parent: Element): readonly Element[] | null {
  const children: Element[] = [];
  for (let at = parent.start; at < parent.end; ) {
    const child = elementAt(der, at, parent.end);
    if (child === null) return null;
    children.push(child);
    at = child.end;
  }
  return children;
}

/** X.690 section 8.1: one-byte tags (all that RFC 5280 uses) and definite lengths of up to three bytes. */
function elementAt(der: Buffer, at: number, limit: number): Element | null {
  if (at + 2 > limit) return null;
  const tag = der.readUInt8(at);
  const first = der.readUInt8(at + 1);
  const more = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + more;
  if (first === 0x80 || more > 3 || start > limit || (tag & 0x1f) === 0x1f) return null;
  const length = more === 0 ? first : der.readUIntBE(at + 2, more);
  return start + length > limit ? null : { tag, start, end: start + length };
}
