import { X509Certificate } from 'node:crypto';
import type { CertificateValue } from '../contract/signals.ts';
import { type CertificateExtensions, readExtensions } from './certificate-der.ts';
import { parseSpiffeId } from './spiffe-id.ts';

const PEM_LENGTH_MAX = 65_536;
const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A certificate that was read and is not yet believed. */
export type Certificate = CertificateExtensions & {
  readonly x509: X509Certificate;
  /** Lower-case hex of the DER's SHA-256. */
  readonly sha256: string;
  /** As `canonicalSerial` gives it. */
  readonly serial: string;
};

/** The blocks of a PEM text (RFC 7468) in their order, text between them left out; null where there is none, or too much. URL-encoded PEM is decoded. */
export function pemBlocks(pem: string): readonly string[] | null {
  return textOf(pem)?.match(PEM_BLOCK) ?? null;
}

/** As `pemBlocks`, and nothing but white space stands before, between and behind them: the first one is the first. */
export function wholePemBlocks(pem: string): readonly string[] | null {
  const text = textOf(pem);
  return text !== null && text.replace(PEM_BLOCK, '').trim() === '' ? text.match(PEM_BLOCK) : null;
}

function textOf(pem: string): string | null {
  if (pem.length > PEM_LENGTH_MAX) return null;
  return pem.includes('%') ? decodePercent(pem) : pem;
}

/** Reads one certificate, of DER bytes that are nothing else, or of one PEM block; null where it is malformed. */
export function readCertificate(input: string | Buffer): Certificate | null {
  const x509 = openCertificate(input);
  if (x509 === null || (typeof input !== 'string' && input.length !== x509.raw.length)) return null;
  const extensions = readExtensions(x509.raw);
  const serial = canonicalSerial(x509.serialNumber);
  if (extensions === null || serial === null) return null;
  return { ...extensions, x509, sha256: x509.fingerprint256.replaceAll(':', '').toLowerCase(), serial };
}

/** What is said of a certificate. Validity is not judged: the value is the same whenever it is made. */
export function describeCertificate(certificate: Certificate): CertificateValue {
  const { x509, sha256, serial, uris, dns, notBefore, notAfter, ca, keyUsage } = certificate;
  // X509-SVID section 4: a leaf is no CA, signs, and signs neither certificates nor revocations
  const leaf = !ca && keyUsage?.has('digital_signature') === true && !keyUsage.has('key_cert_sign') && !keyUsage.has('crl_sign');
  return {
    sha256,
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
    serial,
    uris,
    dns,
    ...spiffeOf(uris, leaf),
    notBefore,
    notAfter,
    keyUsage: [...(keyUsage ?? [])],
    chain: 'asserted',
    trustBundle: null,
    revocation: 'unchecked',
  };
}

/** The first certificate of a PEM text, the leaf where a chain follows; null where it is malformed. */
export function parseCertificate(pem: string): CertificateValue | null {
  const [block] = pemBlocks(pem) ?? [];
  const certificate = block === undefined ? null : readCertificate(block);
  return certificate === null ? null : describeCertificate(certificate);
}

/** X509-SVID section 2 and 5.2: exactly one URI SAN, with a path. `leaf` is true where the certificate may be a workload's, or is not known. */
export function spiffeOf(uris: readonly string[], leaf: boolean): Pick<CertificateValue, 'spiffeId' | 'svid'> {
  if (!uris.some(isSpiffe)) return { spiffeId: null, svid: 'none' };
  const [uri = '', second] = uris;
  if (second !== undefined) return { spiffeId: null, svid: 'ambiguous' };
  const id = parseSpiffeId(uri);
  return leaf && id !== null && id.path !== '' ? { spiffeId: uri, svid: 'valid' } : { spiffeId: null, svid: 'invalid' };
}

/** Whether a certificate is valid at a time; times that the gateway did not hand on were its own to judge. */
export function isValidAt({ notBefore, notAfter }: Pick<CertificateValue, 'notBefore' | 'notAfter'>, nowSeconds: number): boolean {
  return (notBefore === null || notBefore <= nowSeconds) && (notAfter === null || nowSeconds <= notAfter);
}

/** True for a URI of the scheme `spiffe`, well-formed or not. */
export function isSpiffe(uri: string): boolean {
  return uri.slice(0, 9).toLowerCase() === 'spiffe://';
}

/** Lower-case hex without colons, blanks and leading zeros; null where it is something else. */
export function canonicalSerial(text: string): string | null {
  const hex = text.replaceAll(':', '').trim().toLowerCase();
  return /^[0-9a-f]{1,80}$/.test(hex) ? hex.replace(/^0+(?=.)/, '') : null;
}

/** Lower-case hex of a SHA-256, colons allowed; null where it is something else. */
export function canonicalSha256(text: string): string | null {
  const hex = text.replaceAll(':', '').trim().toLowerCase();
  return /^[0-9a-f]{64}$/.test(hex) ? hex : null;
}

function openCertificate(input: string | Buffer): X509Certificate | null {
  try {
    return new X509Certificate(input);
  } catch {
    // foreign bytes: that they are no certificate is the answer
    return null;
  }
}

function decodePercent(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // as above
    return null;
  }
}

/** Node prints one RDN a line in the certificate's order; RFC 2253, and Envoy's Subject, has them by commas from the last to the first. */
function oneLine(name: string | undefined): string | null {
  return name === undefined || name === '' ? null : name.trimEnd().split('\n').reverse().join(',');
}
