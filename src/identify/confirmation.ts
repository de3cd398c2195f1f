import { isJsonObject, type JsonObject } from '../contract/json.ts';

/** What a token is bound to, as far as it can be judged here; several are to be proven together. */
export type Confirmation = {
  /** RFC 9449 section 6.1: thumbprint of the key that signs the proofs. */
  readonly jkt: string | null;
  /** RFC 8705 section 3.1: SHA-256 of the certificate's DER, base64url, and the same in lower-case hex. */
  readonly certificate: { readonly thumbprint: string; readonly sha256: string } | null;
};

/** A SHA-256 in base64url without padding; RFC 8705's own example does not leave the two unused bits zero. */
const SHA256_TEXT = /^[A-Za-z0-9_-]{43}$/;

/**
 * The confirmation claim `cnf` (RFC 7800 section 3.1) of a token or of an introspection answer; null where there is none. A thumbprint that
 * is none could never be matched, so it refuses the token. Members that are not known here are left to others, as the RFC asks.
 */
export function readConfirmation(claims: JsonObject): Confirmation | null | 'claim_invalid' {
  const { cnf } = claims;
  if (cnf === undefined) return null;
  if (!isJsonObject(cnf)) return 'claim_invalid';
  const jkt = cnf['jkt'] ?? null;
  const x5t = cnf['x5t#S256'] ?? null;
  if (!isThumbprintOrNull(jkt) || !isThumbprintOrNull(x5t)) return 'claim_invalid';
  const certificate = x5t === null ? null : { thumbprint: x5t, sha256: Buffer.from(x5t, 'base64url').toString('hex') };
  return { jkt, certificate };
}

function isThumbprintOrNull(value: unknown): value is string | null {
  return value === null || (typeof value === 'string' && SHA256_TEXT.test(value));
}
