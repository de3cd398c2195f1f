import { createHash, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { bindSignatureCheck, type CheckSignature, SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from './algorithms.ts';
import type { IssuerOptions } from './options.ts';
import { isSoundRsaKey } from './rsa-strength.ts';

const KEYS_MAX = 200;
/** `sig` is RFC 7517 section 4.2, `jwt-svid` SPIFFE's. */
const USES = new Set(['sig', 'jwt-svid']);

/** A public key of one issuer with all that it may check. */
export type VerificationKey = {
  readonly kid: string | null;
  /** By algorithm name: what the key's own `alg` and type allow, and the issuer's allow-list. */
  readonly checks: ReadonlyMap<string, CheckSignature>;
  /** Hash of the whole JWK: tells whether a fetched key is the one that was known. */
  readonly fingerprint: string;
};

/** The keys of one fetch. */
export type KeyRing = {
  readonly keys: readonly VerificationKey[];
  readonly byKid: ReadonlyMap<string, readonly VerificationKey[]>;
};

/**
 * The usable keys of a JWK set (RFC 7517 section 5); keys that are not for us (other type, `use`, `key_ops`, `alg`, too weak, with a
 * private part, malformed) are left out. A key that was in `known` stays the same object. Fails with `keys_invalid` where the
 * document is no key set, has more than 200 keys, or none that is usable: an empty set is an accident, and the last one is better.
 */
export function parseKeyRing(
  document: unknown,
  allowed: ReadonlySet<string>,
  known: KeyRing | null,
  kind: IssuerOptions['kind'] = 'jwt',
): KeyRing {
  const entries = isJsonObject(document) ? document['keys'] : undefined;
  if (!Array.isArray(entries)) throw new CountersignError('keys_invalid', { field: 'keys' });
  if (entries.length > KEYS_MAX) throw new CountersignError('keys_invalid', { detail: 'too many keys' });
  const keys = new Map<string, VerificationKey>();
  for (const entry of entries) {
    if (!isJsonObject(entry) || (kind === 'jwt_svid' && !isForSvids(entry))) continue;
    const fingerprint = createHash('sha256')
      .update(JSON.stringify(entry, Object.keys(entry).sort()))
      .digest('base64url');
    const key = known?.keys.find((one) => one.fingerprint === fingerprint) ?? parseKey(entry, fingerprint, allowed);
    if (key !== null) keys.set(fingerprint, key);
  }
  if (keys.size === 0) throw new CountersignError('keys_invalid', { detail: 'no usable key' });
  const list = [...keys.values()];
  const kids = new Set(list.flatMap((key) => (key.kid === null ? [] : [key.kid])));
  return { keys: list, byKid: new Map([...kids].map((kid) => [kid, list.filter((key) => key.kid === kid)])) };
}

function parseKey(jwk: JsonObject, fingerprint: string, allowed: ReadonlySet<string>): VerificationKey | null {
  const kid = jwk['kid'];
  if (kid !== undefined && typeof kid !== 'string') return null;
  if (!isForVerification(jwk)) return null;
  const key = importPublicKey(jwk);
  if (key === null) return null;
  const checks = new Map<string, CheckSignature>();
  for (const name of allowed) {
    const algorithm = SIGNATURE_ALGORITHMS.get(name);
    if (algorithm !== undefined && fits(algorithm, key, jwk['alg'])) checks.set(name, bindSignatureCheck(algorithm, key));
  }
  return checks.size === 0 ? null : { kid: kid ?? null, checks, fingerprint };
}

/** The check of one algorithm with a public key that is not part of a set, or null where the key is not fit for it. */
export function checkOfJwk(jwk: JsonObject, algorithmName: string): CheckSignature | null {
  const algorithm = SIGNATURE_ALGORITHMS.get(algorithmName);
  const key = isForVerification(jwk) ? importPublicKey(jwk) : null;
  return algorithm !== undefined && key !== null && fits(algorithm, key, jwk['alg']) ? bindSignatureCheck(algorithm, key) : null;
}

/** RFC 7517 sections 4.2 and 4.3; a published private part means that anyone can sign. */
function isForVerification(jwk: JsonObject): boolean {
  const { use, key_ops: operations, d } = jwk;
  if (d !== undefined) return false;
  if (use !== undefined && (typeof use !== 'string' || !USES.has(use))) return false;
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'));
}

/** JWT-SVID section 4: of a trust bundle the keys of this use, each with a `kid`. */
function isForSvids({ use, kid }: JsonObject): boolean {
  return use === 'jwt-svid' && typeof kid === 'string' && kid !== '';
}

/** RFC 8725 section 3.1: a key is used with the algorithm that it names, or one of its type where it names none. */
function fits(algorithm: SignatureAlgorithm, key: KeyObject, alg: unknown): boolean {
  if (alg !== undefined && alg !== algorithm.name) return false;
  if (!algorithm.keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
  return algorithm.curve === null || key.asymmetricKeyDetails?.namedCurve === algorithm.curve;
}

/** The key, or null for other types, points off the curve and unsound RSA keys. */
function importPublicKey(jwk: JsonObject): KeyObject | null {
  const key = tryImport(publicMembers(jwk));
  if (key === null || key.asymmetricKeyType !== 'rsa') return key;
  const { n } = key.export({ format: 'jwk' });
  // a key without digits is imported as one, and no number is made of none
  return typeof n === 'string' && n !== '' && isSoundRsaKey(key, BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)) ? key : null;
}

function tryImport(jwk: webcrypto.JsonWebKey): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    // one malformed key among good ones must not cost the good ones
    return null;
  }
}

/** Only the members of a public RSA, EC or OKP key (RFC 7518 section 6, RFC 8037 section 2). */
function publicMembers(jwk: JsonObject): webcrypto.JsonWebKey {
  const members: webcrypto.JsonWebKey = {};
  for (const name of ['kty', 'crv', 'x', 'y', 'n', 'e'] as const) {
    const value = jwk[name];
    if (typeof value === 'string') members[name] = value;
  }
  return members;
}
