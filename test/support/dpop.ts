import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { CompactSign, calculateJwkThumbprint, exportJWK, type JWK } from 'jose';

/** A client's key with what others know of it. */
export type ProofKeyPair = { readonly algorithm: string; readonly privateKey: KeyObject; readonly jwk: JWK; readonly jkt: string };

/** A key for proofs; the thumbprint is made by jose, which knows nothing of the verifier. */
export async function createProofKey(algorithm = 'ES256'): Promise<ProofKeyPair> {
  const { privateKey, publicKey } = generate(algorithm);
  const jwk = await exportJWK(publicKey);
  return { algorithm, privateKey, jwk, jkt: await calculateJwkThumbprint(jwk, 'sha256') };
}

function generate(algorithm: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  if (!algorithm.startsWith('ES')) return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return generateKeyPairSync('ec', { namedCurve: algorithm === 'ES512' ? 'P-521' : `P-${algorithm.slice(2)}` });
}

export type ProofParts = {
  readonly htm?: string;
  readonly htu?: string;
  /** The token that `ath` is made of; none where it is null. */
  readonly token?: string | null;
  readonly iat?: number;
  readonly jti?: string;
  /** Further or other claims; `undefined` takes one away. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs instead of the key that the header shows. */
  readonly signer?: KeyObject;
};

/** A proof (RFC 9449 section 4.2) by jose. */
export function makeProof(key: ProofKeyPair, parts: ProofParts): Promise<string> {
  const {
    htm = 'GET',
    htu = 'https://api.example/orders/42',
    token = null,
    iat = Math.floor(Date.now() / 1000),
    jti = randomUUID(),
  } = parts;
  const ath = token === null ? {} : { ath: createHash('sha256').update(token).digest('base64url') };
  const payload = JSON.stringify({ jti, htm, htu, iat, ...ath, ...parts.claims });
  const header = { typ: 'dpop+jwt', jwk: key.jwk, ...parts.header, alg: key.algorithm };
  return new CompactSign(Buffer.from(payload)).setProtectedHeader(header).sign(parts.signer ?? key.privateKey);
}
