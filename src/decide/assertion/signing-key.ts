import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** A public key as it is published (RFC 7517, RFC 8037); members in the order of its thumbprint. */
export type PublicJwk = { readonly crv: string; readonly kty: string; readonly x: string; readonly y?: string };

/** A key that assertions are signed or verified with. */
export type SigningKey = {
  /** RFC 7638, SHA-256: another key has another id, also under the same name. */
  readonly kid: string;
  readonly algorithm: 'ES256' | 'EdDSA';
  readonly jwk: PublicJwk;
  /** Signs bytes as a JWS does; null where only the public half is there. */
  readonly sign: ((data: Buffer) => Buffer) | null;
};

/** What a PEM is refused for; never with words of the file. */
export type KeyProblem = 'is no private or public key in PEM' | 'is no key of P-256 (ES256) or Ed25519 (EdDSA)';

/** A key out of its PEM: PKCS#8 or SEC1, or SPKI for one that only verifies. */
export function parseSigningKey(pem: string): SigningKey | { readonly problem: KeyProblem } {
  const privateKey = readPrivate(pem);
  const publicKey = privateKey === null ? readPublic(pem) : createPublicKey(privateKey);
  if (publicKey === null) return { problem: 'is no private or public key in PEM' };
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  if (kty === 'EC' && crv === 'P-256' && x !== undefined && y !== undefined) {
    return withId('ES256', { crv, kty, x, y }, signer(privateKey, 'sha256'));
  }
  if (kty === 'OKP' && crv === 'Ed25519' && x !== undefined) return withId('EdDSA', { crv, kty, x }, signer(privateKey, null));
  return { problem: 'is no key of P-256 (ES256) or Ed25519 (EdDSA)' };
}

function withId(algorithm: SigningKey['algorithm'], jwk: PublicJwk, signs: SigningKey['sign']): SigningKey {
  return { kid: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url'), algorithm, jwk, sign: signs };
}

/** RFC 7518 section 3.4 wants R and S side by side, not in ASN.1. */
function signer(key: KeyObject | null, hash: 'sha256' | null): SigningKey['sign'] {
  if (key === null) return null;
  const options = { key, dsaEncoding: 'ieee-p1363' } as const;
  return (data) => sign(hash, data, options);
}

function readPrivate(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    // the parser's message may quote the file
    return null;
  }
}

function readPublic(pem: string): KeyObject | null {
  try {
    return createPublicKey(pem);
  } catch {
    return null;
  }
}
