import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { CheckSignature } from '../algorithms.ts';
import { thumbprintOf } from '../dpop-key.ts';
import { checkOfJwk } from '../keys-jwk.ts';

/** A public key with its RFC 7638 thumbprint by SHA-256, base64url. */
export type NamedJwk = { readonly jwk: JsonObject; readonly thumbprint: string };

/** A published key. Times are unix seconds. */
export type PublishedKey = {
  /** By JOSE's algorithm names. */
  readonly checks: ReadonlyMap<string, CheckSignature>;
  readonly notBefore: number | null;
  readonly notAfter: number | null;
};

/** Every check with a key costs as much as the key is large, and its owner is a stranger. */
const PUBLISHED_MAX = 32;

/**
 * The asymmetric keys of a JWK set (RFC 7517 section 5), or null where the document is none. `Ed25519` (RFC 9864) is what JOSE called `EdDSA`;
 * Ed448 has no name in RFC 9421, so a key of it is left out.
 */
export function namedKeys(document: unknown): readonly NamedJwk[] | null {
  const entries = isJsonObject(document) ? document['keys'] : undefined;
  if (!Array.isArray(entries)) return null;
  const named: NamedJwk[] = [];
  for (const entry of entries) {
    if (!isJsonObject(entry) || entry['crv'] === 'Ed448') continue;
    const thumbprint = thumbprintOf(entry);
    if (thumbprint !== null) named.push({ jwk: entry['alg'] === 'Ed25519' ? { ...entry, alg: 'EdDSA' } : entry, thumbprint });
  }
  return named;
}

/**
 * The keys of a document of a stranger by their thumbprints, or null where it is no key set, has too many keys or none that is usable. What such a
 * document calls its keys does not matter.
 */
export function publishedKeys(document: unknown, algorithms: ReadonlySet<string>): ReadonlyMap<string, PublishedKey> | null {
  const named = namedKeys(document);
  if (named === null || named.length > PUBLISHED_MAX) return null;
  const keys = new Map<string, PublishedKey>();
  for (const { jwk, thumbprint } of named) {
    const checks = new Map<string, CheckSignature>();
    for (const algorithm of algorithms) {
      const check = checkOfJwk(jwk, algorithm);
      if (check !== null) checks.set(algorithm, check);
    }
    const { nbf, exp } = jwk;
    if (checks.size === 0 || !isTimeOrAbsent(nbf) || !isTimeOrAbsent(exp)) continue;
    keys.set(thumbprint, { checks, notBefore: nbf ?? null, notAfter: exp ?? null });
  }
  return keys.size === 0 ? null : keys;
}

function isTimeOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value));
}

/** A configured JWK set in which each key answers to its `kid` and to its thumbprint; what is no key set is left as it is, to be refused. */
export function withThumbprints(bytes: Buffer): Buffer {
  const named = namedKeys(parseOrNull(bytes));
  if (named === null) return bytes;
  const keys = named.flatMap(({ jwk, thumbprint }) => {
    const { kid } = jwk;
    const byThumbprint = { ...jwk, kid: thumbprint };
    return typeof kid === 'string' && kid !== thumbprint ? [jwk, byThumbprint] : [byThumbprint];
  });
  return Buffer.from(JSON.stringify({ keys }));
}

function parseOrNull(bytes: Buffer): unknown {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    return document;
  } catch {
    // whoever reads the key set says that it is none
    return null;
  }
}
