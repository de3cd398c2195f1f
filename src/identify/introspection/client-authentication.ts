import { createPrivateKey } from 'node:crypto';
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, PrivateKeyJwt } from 'oauth4webapi';
import { CountersignError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/stages.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import type { ClientAuthenticationOptions } from './options.ts';

const SECRET_BYTES_MAX = 65_536;
/** A secret that was replaced in its file serves this long after; one that the server refuses is read again at once. */
const KEPT_MS = 10_000;

/** What WebCrypto calls the algorithms that a client may sign its assertions with. */
type KeyAlgorithm = { readonly name: string; readonly hash?: string; readonly namedCurve?: string };
const KEY_ALGORITHMS: ReadonlyMap<string, KeyAlgorithm> = new Map<string, KeyAlgorithm>([
  ['RS256', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }],
  ['RS384', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' }],
  ['RS512', { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' }],
  ['PS256', { name: 'RSA-PSS', hash: 'SHA-256' }],
  ['PS384', { name: 'RSA-PSS', hash: 'SHA-384' }],
  ['PS512', { name: 'RSA-PSS', hash: 'SHA-512' }],
  ['ES256', { name: 'ECDSA', namedCurve: 'P-256' }],
  ['ES384', { name: 'ECDSA', namedCurve: 'P-384' }],
  ['ES512', { name: 'ECDSA', namedCurve: 'P-521' }],
  ['EdDSA', { name: 'Ed25519' }],
]);

/** How we show the server who we are. */
export interface ClientAuthentication {
  /** For the next question; fails with `introspection_refused` where a file cannot be read or holds no such key. */
  current(): Promise<ClientAuth>;
  /** Says that the server did not accept it: the files are read again. */
  refused(): void;
}

/** Reads secrets from their files, and again as they change; the last good ones stay. */
export function createClientAuthentication(
  options: ClientAuthenticationOptions,
  { readFile, clock }: { readonly readFile: ReadDocumentFile; readonly clock: Clock },
): ClientAuthentication {
  let known: ClientAuth | null = null;
  let untilMs = Number.NEGATIVE_INFINITY;

  async function load(): Promise<ClientAuth> {
    const { method, secretFile, keyFile, kid } = options;
    if (method === 'private_key_jwt') {
      const key = importKey(await readFile(keyFile ?? '', SECRET_BYTES_MAX), options.algorithm ?? '');
      return PrivateKeyJwt(kid === null ? key : { key, kid });
    }
    const secret = secretFile === null ? options.secret : (await readFile(secretFile, SECRET_BYTES_MAX)).toString().trimEnd();
    if (secret === null || secret === '') throw new CountersignError('introspection_refused', { detail: 'no client secret' });
    return method === 'client_secret_post' ? ClientSecretPost(secret) : ClientSecretBasic(secret);
  }

  return {
    async current() {
      if (known !== null && clock.monotonic() < untilMs) return known;
      untilMs = clock.monotonic() + KEPT_MS;
      try {
        known = await load();
      } catch (thrown) {
        if (known === null) throw thrown;
      }
      return known;
    },
    refused() {
      untilMs = Number.NEGATIVE_INFINITY;
    },
  };
}

function importKey(pem: Buffer, algorithm: string): CryptoKey {
  const parameters = KEY_ALGORITHMS.get(algorithm);
  if (parameters === undefined) throw new CountersignError('introspection_refused', { detail: 'unknown algorithm of the client key' });
  try {
    return createPrivateKey(pem).toCryptoKey(parameters, false, ['sign']);
  } catch {
    // no cause: the parser's message may quote the file
    throw new CountersignError('introspection_refused', { detail: 'the client key is no private key for its algorithm' });
  }
}
