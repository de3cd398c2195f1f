import { hash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { BindingCode } from '../contract/signals.ts';
import type { CheckSignature } from './algorithms.ts';
import { checkOfJwk } from './keys-jwk.ts';
import { parseStrictObject } from './strict-json.ts';
import { decodeCanonical, readHeader } from './token-text.ts';

/** What the header of a proof says: the public key, for one algorithm. */
export type ProofKey = {
  /** RFC 7638 thumbprint by SHA-256, base64url: what `cnf.jkt` names. */
  readonly thumbprint: string;
  readonly check: CheckSignature;
};

/** Members that only a private or a shared key has (RFC 7518 section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
/** The members that the thumbprint is made of, in its order (RFC 7638 section 3.2, RFC 8037 section 2). */
const REQUIRED_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};

/**
 * Reads the header of a proof, still encoded (RFC 9449 section 4.2): the type, an algorithm of the list, a public key without a private part
 * that is fit for it. The key proves nothing by being there: it counts once its signature is checked and its thumbprint is the token's.
 */
export function readProofKey(encoded: string, algorithms: ReadonlySet<string>): ProofKey | BindingCode {
  const bytes = decodeCanonical(encoded);
  const header = bytes === null ? null : parseStrictObject(bytes);
  if (header === null) return 'dpop_malformed';
  const common = readHeader(header);
  if (typeof common === 'string') return 'dpop_malformed';
  if (common.type !== 'dpop+jwt') return 'dpop_type_invalid';
  if (!algorithms.has(common.algorithm)) return 'dpop_algorithm_not_allowed';
  const { jwk } = header;
  if (!isJsonObject(jwk) || PRIVATE_MEMBERS.some((name) => jwk[name] !== undefined)) return 'dpop_key_invalid';
  const thumbprint = thumbprintOf(jwk);
  const check = thumbprint === null ? null : checkOfJwk(jwk, common.algorithm);
  return thumbprint === null || check === null ? 'dpop_key_invalid' : { thumbprint, check };
}

/** RFC 7638; null where the key is of another type or is not written canonically, since one key must not have two thumbprints. */
export function thumbprintOf(jwk: JsonObject): string | null {
  const kty = jwk['kty'];
  const names = typeof kty === 'string' && Object.hasOwn(REQUIRED_MEMBERS, kty) ? REQUIRED_MEMBERS[kty] : undefined;
  if (names === undefined) return null;
  const members: Record<string, string> = {};
  for (const name of names) {
    const value = jwk[name];
    if (typeof value !== 'string') return null;
    if (name !== 'crv' && name !== 'kty' && decodeCanonical(value) === null) return null;
    members[name] = value;
  }
  return hash('sha256', JSON.stringify(members), 'base64url');
}
