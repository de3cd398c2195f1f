import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { bytesOfText } from './bytes.ts';
import type { JwtKey } from './jwt-keys.ts';

/* Signatures of JWTs (RFC 7518) over node:crypto. Nothing is kept of a verification: a revoked key is a key that is not in the document. */

const HASH: Readonly<Record<string, string>> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' };
/** What Go's package `rsa` refuses. */
const RSA_BITS_MIN = 1024;

export type SaltLength = 'any' | 'of_hash';

/** True where a key signed the text under an algorithm; a key of another kind did not. */
export function isSignedBy(key: KeyObject, algorithm: string, text: string, signature: Buffer, salt: SaltLength): boolean {
  const data = Buffer.from(text, 'latin1');
  const hash = HASH[algorithm.slice(2)];
  const kind = key.asymmetricKeyType;
  if (algorithm === 'EdDSA') return kind === 'ed25519' && verify(null, data, key, signature);
  if (hash === undefined) return false;
  if (algorithm.startsWith('ES')) return kind === 'ec' && verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature);
  if (kind !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < RSA_BITS_MIN) return false;
  if (algorithm.startsWith('RS')) return verify(hash, data, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
  if (!algorithm.startsWith('PS')) return false;
  const saltLength = salt === 'any' ? constants.RSA_PSS_SALTLEN_AUTO : constants.RSA_PSS_SALTLEN_DIGEST;
  return verify(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature);
}

/** True where a shared secret signed the text. */
export function isSignedBySecret(secret: string, algorithm: string, text: string, signature: Buffer): boolean {
  const hash = algorithm.startsWith('HS') ? HASH[algorithm.slice(2)] : undefined;
  if (hash === undefined) return false;
  const mac = createHmac(hash, bytesOfText(secret)).update(text, 'latin1').digest();
  return mac.length === signature.length && timingSafeEqual(mac, signature);
}

/**
 * True where one of the keys signed: the one that the header names, or else any that is for this algorithm or for none in particular.
 * `accepts` judges one key.
 */
export function isSignedByAny(keys: readonly JwtKey[], kid: string, algorithm: string, accepts: (key: KeyObject) => boolean): boolean {
  const named = kid === '' ? undefined : keys.find((one) => one.kid === kid);
  if (named !== undefined) return accepts(named.key);
  return keys.some((one) => (one.algorithm === '' || one.algorithm === algorithm) && accepts(one.key));
}
