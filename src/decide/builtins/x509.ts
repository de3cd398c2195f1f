import { type KeyObject, X509Certificate } from 'node:crypto';
import { childrenOf, type Element, elementAt, extensionsOf, sequenceOf, TAG, timeOf } from '../../formats/der.ts';
import { atMost, BuiltinLimitError, type BuiltinTable, ofTexts } from './builtin.ts';
import { base64Bytes } from './encoding.ts';
import { objectOf, type RegoObject, type RegoValue, wholeNumber } from './value.ts';
import { emptyExtensions, extensionFields } from './x509-extensions.ts';
import { arcsOf, nameOf } from './x509-name.ts';

/* Certificates as Go's `x509.Certificate` looks in JSON, which is what OPA gives. Nothing is verified. */

const CHARS_MAX = 65_536;
const CERTIFICATES_MAX = 10;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\s]+?)-----END \1-----/g;

/** Go's constants of signature algorithms by object id. */
const SIGNATURES: Readonly<Record<string, number>> = {
  '1.2.840.113549.1.1.5': 3,
  '1.2.840.113549.1.1.11': 4,
  '1.2.840.113549.1.1.12': 5,
  '1.2.840.113549.1.1.13': 6,
  '1.2.840.10045.4.1': 9,
  '1.2.840.10045.4.3.2': 10,
  '1.2.840.10045.4.3.3': 11,
  '1.2.840.10045.4.3.4': 12,
  '1.3.101.112': 16,
};

/** PEM, PEM in base64, or DER in base64. */
function derOf(text: string): readonly Buffer[] | undefined {
  if (text.startsWith('-----BEGIN')) return blocksOf(text);
  const bytes = base64Bytes(text);
  if (bytes === undefined) return undefined;
  if (bytes.toString('latin1', 0, 10) === '-----BEGIN') return blocksOf(bytes.toString('latin1'));
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at, bytes.length);
    if (element === null) return undefined;
    found.push(bytes.subarray(at, element.end));
    at = element.end;
  }
  return found;
}

function blocksOf(text: string): readonly Buffer[] | undefined {
  const found: Buffer[] = [];
  for (const [, kind, body = ''] of text.matchAll(BLOCK)) {
    if (kind !== 'CERTIFICATE') return undefined;
    found.push(Buffer.from(body, 'base64'));
  }
  return found;
}

function wholeInteger(der: Buffer, { start, end }: Element): number | bigint {
  return wholeNumber(BigInt.asIntN((end - start) * 8, BigInt(`0x${der.toString('hex', start, end) || '0'}`)));
}

function bigOf(text: string | undefined): number | bigint {
  const bytes = Buffer.from(text ?? '', 'base64url');
  return wholeNumber(BigInt(`0x${bytes.toString('hex') || '0'}`));
}

/** Go's number of the kind of key, and the key. */
function publicKeyFields(key: KeyObject): readonly [number, RegoValue] {
  const { e, n, x, y } = key.export({ format: 'jwk' });
  if (key.asymmetricKeyType === 'rsa') return [1, named({ E: bigOf(e), N: bigOf(n) })];
  if (key.asymmetricKeyType === 'ec') return [3, named({ Curve: new Map(), X: bigOf(x), Y: bigOf(y) })];
  if (key.asymmetricKeyType === 'ed25519') return [4, Buffer.from(x ?? '', 'base64url').toString('base64')];
  throw new BuiltinLimitError('a key of this kind is not read');
}

function named(members: Readonly<Record<string, RegoValue>>): RegoObject {
  return objectOf(Object.entries(members));
}

function timeText(der: Buffer, element: Element | undefined): string | undefined {
  const seconds = timeOf(der, element);
  return seconds === null ? undefined : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Undefined where it is malformed. @throws BuiltinLimitError where it has what is not read */
function certificateOf(der: Buffer): RegoObject | undefined {
  const { publicKey } = new X509Certificate(der);
  const [body, algorithm, signature] = sequenceOf(der) ?? [];
  const parts = body === undefined ? null : childrenOf(der, body);
  const [algorithmId] = (algorithm === undefined ? null : childrenOf(der, algorithm)) ?? [];
  if (body === undefined || parts === null || algorithmId === undefined || signature?.tag !== TAG.bitString) return undefined;
  const version = parts[0]?.tag === 0xa0 ? wholeInteger(der, { ...parts[0], start: parts[0].start + 2 }) : 0;
  const [serial, , issuer, validity, subject, keyInfo] = parts[0]?.tag === 0xa0 ? parts.slice(1) : parts;
  if (serial === undefined || issuer === undefined || validity === undefined || subject === undefined || keyInfo === undefined)
    return undefined;
  const [from, until] = childrenOf(der, validity) ?? [];
  const wrapper = parts.find(({ tag }) => tag === 0xa3);
  const list = wrapper === undefined ? null : elementAt(der, wrapper.start, wrapper.end);
  const extensions = wrapper === undefined ? [] : extensionsOf(der, list);
  if (extensions === null) return undefined;
  const ids = list === null ? [] : (childrenOf(der, list) ?? []).map((one) => extensionId(der, one));
  const fields = extensions.length === 0 ? emptyExtensions() : extensionFields(der, ids, extensions);
  const [issuerName, subjectName] = [nameOf(der, issuer), nameOf(der, subject)];
  const [notBefore, notAfter] = [timeText(der, from), timeText(der, until)];
  if (fields === undefined || issuerName === undefined || subjectName === undefined || notBefore === undefined || notAfter === undefined)
    return undefined;
  const id = arcsOf(der, algorithmId).join('.');
  const signatureAlgorithm = SIGNATURES[id];
  if (signatureAlgorithm === undefined) throw new BuiltinLimitError(`the signature algorithm ${id} is not read`);
  const [keyAlgorithm, key] = publicKeyFields(publicKey);
  const raw = ({ at, end }: Element): string => der.toString('base64', at, end);
  return objectOf([
    ...fields,
    ['Raw', der.toString('base64')],
    ['RawTBSCertificate', raw(body)],
    ['RawSubjectPublicKeyInfo', raw(keyInfo)],
    ['RawSubject', raw(subject)],
    ['RawIssuer', raw(issuer)],
    ['Signature', der.toString('base64', signature.start + 1, signature.end)],
    ['SignatureAlgorithm', signatureAlgorithm],
    ['PublicKeyAlgorithm', keyAlgorithm],
    ['PublicKey', key],
    ['Version', Number(version) + 1],
    ['SerialNumber', wholeInteger(der, serial)],
    ['Issuer', issuerName],
    ['Subject', subjectName],
    ['NotBefore', notBefore],
    ['NotAfter', notAfter],
  ]);
}

function extensionId(der: Buffer, extension: Element): string {
  const id = childrenOf(der, extension)?.[0];
  return id === undefined ? '' : arcsOf(der, id).join('.');
}

const parseCertificates = ofTexts(1, (text) => {
  atMost(text.length, CHARS_MAX, 'characters');
  const found = derOf(text);
  if (found === undefined) return undefined;
  atMost(found.length, CERTIFICATES_MAX, 'certificates');
  const certificates = found.map(certificateOf).filter((one) => one !== undefined);
  return certificates.length === found.length ? certificates : undefined;
});

export const X509: BuiltinTable = { 'crypto.x509.parse_certificates': parseCertificates };
