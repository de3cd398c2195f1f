import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';

/* Signs messages by RFC 9421, with nothing of the verifier: the bases are written out by hand. */

/** A signer's key with what others know of it. */
export type MessageKey = { readonly algorithm: string; readonly privateKey: KeyObject; readonly jwk: JWK; readonly thumbprint: string };

export async function createMessageKey(algorithm = 'ed25519'): Promise<MessageKey> {
  const { privateKey, publicKey } = generate(algorithm);
  const jwk = await exportJWK(publicKey);
  return { algorithm, privateKey, jwk, thumbprint: await calculateJwkThumbprint(jwk, 'sha256') };
}

function generate(algorithm: string): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'ed25519') return generateKeyPairSync('ed25519');
  if (algorithm.startsWith('rsa')) return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return generateKeyPairSync('ec', { namedCurve: algorithm === 'ecdsa-p384-sha384' ? 'P-384' : 'P-256' });
}

/** Lines of the base: identifier as it is written in the input, and its value. */
export type SignedLines = readonly (readonly [string, string])[];

/** The two fields of one signature; `parameters` stand behind the list, with their first `;`. */
export function signedFields(
  key: MessageKey,
  lines: SignedLines,
  parameters: string,
  label = 'sig1',
): { readonly input: string; readonly signature: string } {
  const list = `(${lines.map(([identifier]) => identifier).join(' ')})${parameters}`;
  const base = [...lines.map(([identifier, value]) => `${identifier}: ${value}`), `"@signature-params": ${list}`].join('\n');
  return { input: `${label}=${list}`, signature: `${label}=:${signed(key, Buffer.from(base)).toString('base64')}:` };
}

function signed({ algorithm, privateKey }: MessageKey, base: Buffer): Buffer {
  if (algorithm === 'ed25519') return sign(null, base, privateKey);
  if (algorithm === 'rsa-pss-sha512') return sign('sha512', base, { key: privateKey, padding: 6, saltLength: 64 });
  if (algorithm === 'rsa-v1_5-sha256') return sign('sha256', base, privateKey);
  return sign(algorithm === 'ecdsa-p384-sha384' ? 'sha384' : 'sha256', base, { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

/** `content-digest` (RFC 9530) of a body. */
export function contentDigest(body: string, algorithm: 'sha-256' | 'sha-512' = 'sha-256'): string {
  return `${algorithm}=:${createHash(algorithm.replace('-', '')).update(body).digest('base64')}:`;
}
