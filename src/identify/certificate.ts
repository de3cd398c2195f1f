import { X509Certificate } from 'node:crypto';
import type { CertificateValue } from '../contract/signals.ts';
import { readExtensions } from './certificate-der.ts';
import { parseSpiffeId } from './spiffe-id.ts';

const PEM_LENGTH_MAX = 65_536;
const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/**
 * The first certificate of a PEM text (RFC 7468), the leaf where a chain follows; null where it is malformed. URL-encoded PEM, as Envoy
 * sends it, is decoded. Validity is not judged: the value is the same whenever it is parsed, and may be cached by the text.
 */
export function parseCertificate(pem: string): CertificateValue | null {
  if (pem.length > PEM_LENGTH_MAX) return null;
  const text = pem.includes('%') ? decodePercent(pem) : pem;
  const begin = text?.indexOf(BEGIN) ?? -1;
  const end = text?.indexOf(END, begin) ?? -1;
  if (text === null || begin === -1 || end === -1) return null;
  const certificate = openCertificate(text.slice(begin, end + END.length));
  const extensions = certificate === null ? null : readExtensions(certificate.raw);
  if (certificate === null || extensions === null) return null;
  const { uris, dns, ca, keyUsage } = extensions;
  // X509-SVID section 4: a leaf is no CA, signs, and signs neither certificates nor revocations
  const leaf = !ca && keyUsage?.digitalSignature === true && !keyUsage.keyCertSign && !keyUsage.crlSign;
  return {
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serial: canonicalSerial(certificate.serialNumber),
    uris,
    dns,
    ...spiffeOf(uris, leaf),
    notBefore: Math.floor(certificate.validFromDate.getTime() / 1000),
    notAfter: Math.floor(certificate.validToDate.getTime() / 1000),
    chain: 'asserted',
  };
}

/** X509-SVID section 2 and 5.2: exactly one URI SAN, with a path. `leaf` is true where the certificate may be a workload's, or is not known. */
export function spiffeOf(uris: readonly string[], leaf: boolean): Pick<CertificateValue, 'spiffeId' | 'svid'> {
  if (!uris.some((uri) => uri.slice(0, 9).toLowerCase() === 'spiffe://')) return { spiffeId: null, svid: 'none' };
  const [uri = '', second] = uris;
  if (second !== undefined) return { spiffeId: null, svid: 'ambiguous' };
  const id = parseSpiffeId(uri);
  return leaf && id !== null && id.path !== '' ? { spiffeId: uri, svid: 'valid' } : { spiffeId: null, svid: 'invalid' };
}

/** Whether a certificate is valid at a time; times that the gateway did not hand on were its own to judge. */
export function isValidAt({ notBefore, notAfter }: Pick<CertificateValue, 'notBefore' | 'notAfter'>, nowSeconds: number): boolean {
  return (notBefore === null || notBefore <= nowSeconds) && (notAfter === null || nowSeconds <= notAfter);
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

function openCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
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
