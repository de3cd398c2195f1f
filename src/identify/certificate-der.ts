import { childrenOf, type Element, elementAt, extensionsOf, hexOf, sequenceOf, TAG, timeOf, wholeHexOf } from '../formats/der.ts';

/** What node's `X509Certificate` does not give, or gives only as text that would have to be parsed back. */
export type CertificateExtensions = {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  /** RFC 5280 section 4.2.1.9; node's own `ca` is false for a CA whose key usage lacks keyCertSign. */
  readonly ca: boolean;
  /** How many CA certificates may follow below; null where it is not bounded. */
  readonly pathLength: number | null;
  /** RFC 5280 section 4.2.1.3; null where the extension is absent. */
  readonly keyUsage: ReadonlySet<string> | null;
  /** Object ids of RFC 5280 section 4.2.1.12 in hex; null where the extension is absent. */
  readonly purposes: ReadonlySet<string> | null;
  /** True where something constrains the certificate that is not processed here: name constraints, or an unknown critical extension. */
  readonly constrained: boolean;
  /** Distinguished names as their DER in hex. */
  readonly subjectName: string;
  readonly issuerName: string;
  /** Unix seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Object id of the signature algorithm in hex. */
  readonly signatureAlgorithm: string;
  /** Object id in hex of the hash that the parameters of RSASSA-PSS name (RFC 4055 section 3.1); null where there is none. */
  readonly pssHash: string | null;
};

const EXPLICIT_VERSION = 0xa0;
const EXPLICIT_HASH = 0xa0;
const EXTENSIONS = 0xa3;
const GENERAL_NAME_DNS = 0x82;
const GENERAL_NAME_URI = 0x86;
/** 2.5.29.17, .19, .15, .37, .30 and .32. */
const SUBJECT_ALT_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const KEY_USAGE = '551d0f';
const EXTENDED_KEY_USAGE = '551d25';
const NAME_CONSTRAINTS = '551d1e';
const CERTIFICATE_POLICIES = '551d20';
/** Processed here; of certificate policies every one will do (RFC 5280 section 6.1.1, any-policy). */
const PROCESSED = new Set([SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, CERTIFICATE_POLICIES]);

/** All of them are handed to policies. */
const NAMES_MAX = 256;

/** Bits 0 to 8 of the key usage. */
const KEY_USAGES = [
  'digital_signature',
  'content_commitment',
  'key_encipherment',
  'data_encipherment',
  'key_agreement',
  'key_cert_sign',
  'crl_sign',
  'encipher_only',
  'decipher_only',
] as const;

/**
 * Reads names, constraints and key usage out of a certificate's DER (RFC 5280 section 4.1), or null where it is malformed. The certificate has been
 * accepted by OpenSSL before; this still trusts no length. A name with a character outside printable ASCII makes it malformed: IA5String
 * has none in a URI or a host name, and a NUL would cut the name for some readers.
 */
export function readExtensions(der: Buffer): CertificateExtensions | null {
  const [body, algorithm] = sequenceOf(der) ?? [];
  const parts = body?.tag === TAG.sequence ? childrenOf(der, body) : null;
  const [algorithmId, parameters] = (algorithm === undefined ? null : childrenOf(der, algorithm)) ?? [];
  if (parts === null || algorithmId?.tag !== TAG.objectIdentifier) return null;
  const [, , issuer, validity, subject] = parts[0]?.tag === EXPLICIT_VERSION ? parts.slice(1) : parts;
  if (issuer === undefined || validity === undefined || subject === undefined) return null;
  // OpenSSL takes any text for a time, and node then gives whatever its memory held
  const [from, until] = childrenOf(der, validity) ?? [];
  const [notBefore, notAfter] = [timeOf(der, from), timeOf(der, until)];
  if (notBefore === null || notAfter === null) return null;
  const wrapper = parts.find((element) => element.tag === EXTENSIONS);
  const extensions = wrapper === undefined ? [] : extensionsOf(der, elementAt(der, wrapper.start, wrapper.end));
  if (extensions === null) return null;
  const contentOf = (id: string): Element | undefined => extensions.find((one) => one.id === id)?.value;
  const names = readNames(der, contentOf(SUBJECT_ALT_NAME));
  if (names === null) return null;
  return {
    ...names,
    ...readBasicConstraints(der, contentOf(BASIC_CONSTRAINTS)),
    keyUsage: readKeyUsage(der, contentOf(KEY_USAGE)),
    purposes: readPurposes(der, contentOf(EXTENDED_KEY_USAGE)),
    constrained: extensions.some(({ id, critical }) => id === NAME_CONSTRAINTS || (critical && !PROCESSED.has(id))),
    subjectName: wholeHexOf(der, subject),
    issuerName: wholeHexOf(der, issuer),
    notBefore,
    notAfter,
    signatureAlgorithm: hexOf(der, algorithmId),
    pssHash: readPssHash(der, parameters),
  };
}

/** RSASSA-PSS-params: of the explicit [0] the AlgorithmIdentifier's id. */
function readPssHash(der: Buffer, parameters: Element | undefined): string | null {
  if (parameters?.tag !== TAG.sequence) return null;
  const wrapper = childrenOf(der, parameters)?.find((one) => one.tag === EXPLICIT_HASH);
  const algorithm = wrapper === undefined ? null : elementAt(der, wrapper.start, wrapper.end);
  const id = algorithm?.tag === TAG.sequence ? childrenOf(der, algorithm)?.[0] : undefined;
  return id?.tag === TAG.objectIdentifier ? hexOf(der, id) : null;
}

function readNames(der: Buffer, value: Element | undefined): Pick<CertificateExtensions, 'uris' | 'dns'> | null {
  const uris: string[] = [];
  const dns: string[] = [];
  if (value === undefined) return { uris, dns };
  const list = elementAt(der, value.start, value.end);
  const names = list === null ? null : childrenOf(der, list, NAMES_MAX);
  if (names === null) return null;
  for (const { tag, start, end } of names) {
    if (tag !== GENERAL_NAME_DNS && tag !== GENERAL_NAME_URI) continue;
    const text = der.toString('latin1', start, end);
    if (!/^[\x21-\x7e]+$/.test(text)) return null;
    (tag === GENERAL_NAME_URI ? uris : dns).push(text);
  }
  return { uris, dns };
}

/**
 * The first member, cA, is left out where it is false. What is malformed counts as a CA, which takes an identity away, of the path length 0,
 * which lets it vouch for as little as can be.
 */
function readBasicConstraints(der: Buffer, value: Element | undefined): Pick<CertificateExtensions, 'ca' | 'pathLength'> {
  if (value === undefined) return { ca: false, pathLength: null };
  const list = elementAt(der, value.start, value.end);
  const members = list === null ? null : childrenOf(der, list);
  if (members === null) return { ca: true, pathLength: 0 };
  const [first, second] = members;
  const ca = first?.tag === TAG.boolean && (first.end === first.start || der.readUInt8(first.start) !== 0);
  if (second === undefined) return { ca, pathLength: null };
  // of one byte, and not negative
  const short = second.tag === TAG.integer && second.end - second.start === 1 && der.readUInt8(second.start) < 0x80;
  return { ca, pathLength: short ? der.readUInt8(second.start) : 0 };
}

/** First octet of the BIT STRING: unused bits; of the second, bit 0 is the highest. What is malformed allows nothing. */
function readKeyUsage(der: Buffer, value: Element | undefined): ReadonlySet<string> | null {
  if (value === undefined) return null;
  const bits = elementAt(der, value.start, value.end);
  if (bits?.tag !== TAG.bitString) return new Set();
  return new Set(
    KEY_USAGES.filter((_, bit) => (((der[bits.start + 1 + (bit >> 3)] ?? 0) << (bit & 7)) & 0x80) !== 0 && isInside(bits, bit)),
  );
}

function isInside(bits: Element, bit: number): boolean {
  return bits.start + 1 + (bit >> 3) < bits.end;
}

function readPurposes(der: Buffer, value: Element | undefined): ReadonlySet<string> | null {
  if (value === undefined) return null;
  const list = elementAt(der, value.start, value.end);
  const ids = list === null ? null : childrenOf(der, list);
  return new Set((ids ?? []).map((id) => hexOf(der, id)));
}
