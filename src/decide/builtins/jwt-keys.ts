import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isJsonObject } from '../../contract/json.ts';
import { atMost, BuiltinLimitError } from './builtin.ts';

/** A key that may verify; texts are empty where the document says nothing. */
export type JwtKey = { readonly algorithm: string; readonly kid: string; readonly key: KeyObject };

export const ALGORITHMS: ReadonlySet<string> = new Set([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'HS256', 'HS384', 'HS512', 'EdDSA'],
]);

const DOCUMENTS_MAX = 100;
const CHARS_MAX = 262_144;
const KEYS_MAX = 100;
const parsed = new Map<string, readonly JwtKey[] | undefined>();

/** The keys of a PEM certificate, a PEM public key, a JWK or a JWKS, parsed once; undefined where the text is none of them. */
export function keysOf(document: string): readonly JwtKey[] | undefined {
  atMost(document.length, CHARS_MAX, 'characters of keys');
  if (parsed.has(document)) return parsed.get(document);
  const keys = parse(document);
  if (parsed.size >= DOCUMENTS_MAX) parsed.clear();
  parsed.set(document, keys);
  return keys;
}

const PEM = /^[^-]*-----BEGIN ([A-Z ]+)-----\r?\n[A-Za-z0-9+/=\s]+-----END \1-----[ \t]*\r?\n?$/;

function parse(document: string): readonly JwtKey[] | undefined {
  try {
    const kind = PEM.exec(document)?.[1];
    if (kind === 'CERTIFICATE') return [plain(new X509Certificate(document).publicKey)];
    if (kind === 'PUBLIC KEY') return [plain(createPublicKey(document))];
    return document.includes('-----BEGIN') ? undefined : parseJwks(JSON.parse(document));
  } catch (error) {
    if (error instanceof BuiltinLimitError) throw error;
    return undefined;
  }
}

function plain(key: KeyObject): JwtKey {
  return { algorithm: '', kid: '', key };
}

function parseJwks(value: unknown): readonly JwtKey[] | undefined {
  if (!isJsonObject(value)) return undefined;
  const listed: unknown = value['keys'];
  const items: readonly unknown[] = Array.isArray(listed) ? listed : [value];
  atMost(items.length, KEYS_MAX, 'keys');
  const keys: JwtKey[] = [];
  for (const item of items) {
    if (!isJsonObject(item)) return undefined;
    const { kty, alg = '', kid = '' } = item;
    if (typeof alg !== 'string' || typeof kid !== 'string') return undefined;
    // neither shared secrets nor private keys verify here, nor algorithms that nobody knows
    if (kty === 'oct' || Object.hasOwn(item, 'd') || (alg !== '' && !ALGORITHMS.has(alg))) continue;
    keys.push({ algorithm: alg, kid, key: createPublicKey({ key: { ...item }, format: 'jwk' }) });
  }
  return keys;
}
