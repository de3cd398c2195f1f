import { hash } from 'node:crypto';
import type { JsonObject } from '../contract/json.ts';
import type { BindingCode } from '../contract/signals.ts';
import type { BoundedCache } from '../stores/bounded-cache.ts';
import { type ProofKey, readProofKey } from './dpop-key.ts';
import { parseStrictObject } from './strict-json.ts';
import { isPlainUri, parseTargetUri, type TargetUri } from './target-uri.ts';
import { decodeCanonical } from './token-text.ts';

const JTI_LENGTH_MAX = 512;
const NONCE_LENGTH_MAX = 512;
/** Year 9999, as for tokens. */
const TIME_MAX = 253_402_300_799;

/** A proof, taken apart and not yet believed (RFC 9449 section 4.2). */
export type Proof = {
  readonly key: ProofKey;
  readonly jti: string;
  readonly htm: string;
  readonly htu: string;
  /** Unix seconds. */
  readonly iat: number;
  readonly ath: string | null;
  readonly nonce: string | null;
  /** Whether the signature is the key's; tens of µs. */
  readonly isSigned: () => boolean;
  /** Keeps the key for the next proof; only of a proof that was accepted, so that strangers do not fill the memory. */
  readonly keepKey: () => void;
};

/** Keys of earlier proofs by their encoded header. */
export type KeyMemory = Pick<BoundedCache<ProofKey>, 'get' | 'set'>;

/** What one proof is for. */
export type ProofTarget = {
  readonly method: string;
  /** Normalised path of the request. */
  readonly path: string;
  /** Origins that clients may mean by it; never empty. */
  readonly origins: readonly string[];
  /** Of the token, by `accessTokenHash`. */
  readonly ath: string;
  readonly thumbprint: string;
};

/** `ath` (RFC 9449 section 4.2): SHA-256 of the token's text, base64url. */
export function accessTokenHash(token: string): string {
  return hash('sha256', token, 'base64url');
}

/** How old a proof may be. */
export type ProofTimes = { readonly ageMaxSeconds: number; readonly clockSkewSeconds: number };

/**
 * Takes a proof apart: canonical base64url, JSON that every parser reads alike, the claims with their types. Keys come from `keys`, by the
 * whole encoded header: a client sends the same one with each of its proofs.
 */
export function parseProof(text: string, algorithms: ReadonlySet<string>, keys: KeyMemory): Proof | BindingCode {
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first <= 0 || second === -1 || text.indexOf('.', second + 1) !== -1) return 'dpop_malformed';
  const header = text.slice(0, first);
  const known = keys.get(header);
  const key = known ?? readProofKey(header, algorithms);
  if (typeof key === 'string') return key;
  const payload = decodeCanonical(text.slice(first + 1, second));
  const signature = decodeCanonical(text.slice(second + 1));
  const claims = payload === null ? null : parseStrictObject(payload);
  if (claims === null || signature === null) return 'dpop_malformed';
  const read = readClaims(claims);
  if (read === null) return 'dpop_claim_invalid';
  return {
    ...read,
    key,
    isSigned: () => key.check(signingInput(text, second), signature),
    keepKey: () => {
      if (known === undefined) keys.set(header, key);
    },
  };
}

/** Where the signed bytes of proofs are laid out, one after the other: a check is over before it returns, and a buffer a proof is a µs. */
const SCRATCH = Buffer.allocUnsafeSlow(16_384);

function signingInput(text: string, length: number): Buffer {
  if (length > SCRATCH.length) return Buffer.from(text.slice(0, length), 'latin1');
  SCRATCH.write(text, 0, length, 'latin1');
  return SCRATCH.subarray(0, length);
}

function readClaims({ jti, htm, htu, iat, ath, nonce }: JsonObject): Omit<Proof, 'key' | 'isSigned' | 'keepKey'> | null {
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_LENGTH_MAX) return null;
  if (typeof htm !== 'string' || typeof htu !== 'string') return null;
  if (typeof iat !== 'number' || iat < 0 || iat > TIME_MAX) return null;
  if (ath !== undefined && typeof ath !== 'string') return null;
  if (nonce !== undefined && (typeof nonce !== 'string' || nonce.length > NONCE_LENGTH_MAX)) return null;
  return { jti, htm, htu, iat, ath: ath ?? null, nonce: nonce ?? null };
}

/**
 * Holds a proof against the request (RFC 9449 section 4.3, steps 8 to 12, without the nonce): all that can be said without the
 * signature. Gives the URI that was meant where it fits.
 */
export function judgeProof(proof: Proof, target: ProofTarget, nowSeconds: number, times: ProofTimes): TargetUri | BindingCode {
  if (proof.htm !== target.method) return 'dpop_method_mismatch';
  const uri = uriOf(proof.htu, target);
  if (uri === null) return 'dpop_uri_mismatch';
  if (nowSeconds > proof.iat + times.ageMaxSeconds + times.clockSkewSeconds) return 'dpop_expired';
  if (nowSeconds < proof.iat - times.clockSkewSeconds) return 'dpop_issued_in_future';
  if (proof.key.thumbprint !== target.thumbprint) return 'dpop_key_mismatch';
  return proof.ath === target.ath ? uri : 'dpop_token_mismatch';
}

/** The target by the origin that `htu` names, or null where it names something else. */
function uriOf(htu: string, { origins, path }: ProofTarget): TargetUri | null {
  for (const origin of origins) {
    const meant = { origin, path };
    if (isPlainUri(htu, meant)) return meant;
  }
  const uri = parseTargetUri(htu);
  return uri !== null && uri.path === path && origins.includes(uri.origin) ? uri : null;
}

/** What may be used once: this key, this identifier, this URI (asks 35: in its normalised form), as one text of fixed length. */
export function replayKeyOf({ key, jti }: Proof, { origin, path }: TargetUri): string {
  // a thumbprint has one length, an origin no slash behind its `://`, and a path begins with one: no two sets of parts make one text
  return hash('sha256', `${key.thumbprint}${jti.length} ${jti}${origin}${path}`, 'base64url');
}
