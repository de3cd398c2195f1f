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

/** 1.2.840.113549.1.1.10, whose hash is in its parameters, and is SHA-1 where they do not name one (RFC 4055 section 3.1). */
const RSA_PSS = '2a864886f70d01010a';
/** 2.16.840.1.101.3.4.2.1 to 3: SHA-256, 384 and 512. */
const STRONG_HASHES = new Set(['608648016503040201', '608648016503040202', '608648016503040203']);

/** Whether a certificate's signature is by an algorithm that counts; OpenSSL, which checks it, would take the others too. */
export function isStrongSignature({
  signatureAlgorithm,
  pssHash,
}: {
  readonly signatureAlgorithm: string;
  readonly pssHash: string | null;
}): boolean {
  return SIGNATURE_OIDS.has(signatureAlgorithm) || (signatureAlgorithm === RSA_PSS && pssHash !== null && STRONG_HASHES.has(pssHash));
}

const RSA_BITS_MIN = 2048;
/** A check with a larger key, or a larger exponent, holds up everything else for milliseconds; whoever sends a chain chooses its keys. */
const RSA_BITS_MAX = 8192;
const RSA_EXPONENT_MAX = 2n ** 64n;
/** OpenSSL's names of P-256, P-384 and P-521; it knows curves of 112 bits as well. */
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** RSA from 2048 bits to 8192, the curves of FIPS 186-5. */
export function isStrongKey({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === 'rsa' || type === 'rsa-pss') {
    const { modulusLength: bits = 0, publicExponent = 0n } = details ?? {};
    return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && publicExponent >= 3n && publicExponent <= RSA_EXPONENT_MAX;
  }
  if (type === 'ec') return CURVES.has(details?.namedCurve ?? '');
  return type === 'ed25519' || type === 'ed448';
}
