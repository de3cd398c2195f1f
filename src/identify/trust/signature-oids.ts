import type { KeyObject } from 'node:crypto';

/** Signature algorithms of certificates and revocation lists that count, by the object id's content in hex; the value is node's name of the hash, null for EdDSA. */
export const SIGNATURE_OIDS: ReadonlyMap<string, 'sha256' | 'sha384' | 'sha512' | null> = new Map([
  // 1.2.840.113549.1.1.11 to 13: RSA PKCS #1 1.5
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  // 1.2.840.10045.4.3.2 to 4: ECDSA
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  // 1.3.101.112 and 113
  ['2b6570', null],
  ['2b6571', null],
]);

/** 1.2.840.113549.1.1.10, whose hash is in its parameters: OpenSSL reads them for certificates. */
export const RSA_PSS = '2a864886f70d01010a';

const RSA_BITS_MIN = 2048;

/** RSA from 2048 bits, elliptic and Edwards curves. */
export function isStrongKey(key: KeyObject): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa' || type === 'rsa-pss') return (details?.modulusLength ?? 0) >= RSA_BITS_MIN;
  return type === 'ec' || type === 'ed25519' || type === 'ed448';
}
