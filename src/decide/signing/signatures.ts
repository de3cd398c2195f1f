import { constants, createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import { z } from 'zod';
import { CountersignError } from '../../contract/errors.ts';
import { hashFile } from './canonical-hash.ts';

/* OPA's bundle signatures (v1/bundle/verify.go): `.signatures.json` holds one JWT, whose payload lists every other file by its hash. */

/** `none` is not among them. */
export const SIGNING_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'HS256',
  'HS384',
  'HS512',
] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** Whose signatures count. Plain data, so that a thread can be handed it. */
export type SigningKeys = {
  /** By key id: a PEM (public key or certificate), or the secret itself for HS. */
  readonly keys: Readonly<Record<string, { readonly algorithm: SigningAlgorithm; readonly key: string }>>;
  readonly keyId: string | null;
  readonly scope: string | null;
};

const FILE = '.signatures.json';
const CURVES: Readonly<Record<string, string>> = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' };
const RSA_BITS_MIN = 2048;

const SignaturesFile = z.looseObject({ signatures: z.array(z.string()).length(1), plugin: z.enum(['', '_default']).optional() });
const Header = z.looseObject({ alg: z.string(), kid: z.string().optional(), crit: z.undefined().optional() });
const Payload = z.looseObject({
  files: z.array(z.looseObject({ name: z.string(), hash: z.string(), algorithm: z.string().default('') })).default([]),
  keyid: z.string().default(''),
  scope: z.string().default(''),
});
type SignedFile = z.infer<typeof Payload>['files'][number];

/**
 * Holds the files of a bundle against its signature: exactly the files that it lists are there, each with its hash.
 * `iat` and `iss` are not looked at, as in OPA.
 * @throws CountersignError bundle_unsigned (keys are configured), bundle_signed (none is), bundle_signature_invalid
 */
export function verifySignatures(files: ReadonlyMap<string, Uint8Array>, signing: SigningKeys | null): void {
  const file = files.get(FILE);
  if (signing === null) {
    if (file !== undefined) throw new CountersignError('bundle_signed', { field: FILE });
    return;
  }
  if (file === undefined) throw new CountersignError('bundle_unsigned', { field: FILE });
  const read = SignaturesFile.safeParse(parseJson(file));
  if (!read.success) throw invalid('.signatures.json does not hold one signature');
  const listed = new Map(verifyToken(read.data.signatures[0] ?? '', signing).map((one) => [one.name.replace(/^\/+/, ''), one]));
  for (const [path, content] of files) {
    if (path === FILE) continue;
    const signed = listed.get(path);
    if (signed === undefined) throw invalid(`${path} is not signed`);
    if (!isSigned(path, content, signed)) throw invalid(`${path} is another one than was signed`);
    listed.delete(path);
  }
  const [missing] = listed.keys();
  if (missing !== undefined) throw invalid(`${missing} is not there`);
}

/** Whether a file has the hash that was signed. */
export function isSigned(path: string, content: Uint8Array, { hash, algorithm }: Pick<SignedFile, 'hash' | 'algorithm'>): boolean {
  const found = hashFile(path, content, algorithm);
  return found !== null && found === hash.toLowerCase();
}

/**
 * Verifies one JWT of `.signatures.json`.
 * @returns the files that it lists
 * @throws CountersignError bundle_signature_invalid
 */
export function verifyToken(token: string, { keys, keyId, scope }: SigningKeys): readonly SignedFile[] {
  const [head = '', body = '', tail = '', more] = token.split('.');
  if (more !== undefined || [head, body, tail].some((part) => part === '' || !/^[A-Za-z0-9_-]+$/.test(part)))
    throw invalid('the token is malformed');
  const header = Header.safeParse(parseJson(Buffer.from(head, 'base64url')));
  const payload = Payload.safeParse(parseJson(Buffer.from(body, 'base64url')));
  if (!header.success || !payload.success) throw invalid('the token is malformed');
  const id = keyId ?? (header.data.kid || payload.data.keyid);
  if (id === '') throw invalid('no key id');
  const key = Object.hasOwn(keys, id) ? keys[id] : undefined;
  if (key === undefined) throw invalid('the key is not known');
  // the algorithm is the key's own; a header that says another one is no reason to try it
  if (header.data.alg !== key.algorithm) throw invalid('the algorithm is not that of the key');
  if (!isGood(key.algorithm, key.key, `${head}.${body}`, Buffer.from(tail, 'base64url'))) throw invalid('the signature is wrong');
  if (payload.data.scope !== (scope ?? '')) throw invalid('the scope is another one');
  const names = payload.data.files.map(({ name }) => name.replace(/^\/+/, ''));
  if (new Set(names).size !== names.length) throw invalid('a file is listed twice');
  return payload.data.files;
}

function isGood(algorithm: SigningAlgorithm, key: string, signed: string, signature: Buffer): boolean {
  const hash = `sha${algorithm.slice(2)}`;
  if (algorithm.startsWith('HS')) {
    const wanted = createHmac(hash, key).update(signed).digest();
    return wanted.length === signature.length && timingSafeEqual(wanted, signature);
  }
  const publicKey = publicKeyOf(algorithm, key);
  const data = Buffer.from(signed);
  if (algorithm.startsWith('ES')) return verify(hash, data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
  if (algorithm.startsWith('RS')) return verify(hash, data, publicKey, signature);
  return verify(
    hash,
    data,
    { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
    signature,
  );
}

/**
 * The public key of a PEM, fit for the algorithm.
 * @throws CountersignError bundle_signature_invalid
 */
function publicKeyOf(algorithm: SigningAlgorithm, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw new CountersignError('bundle_signature_invalid', { detail: 'the key is no PEM', cause });
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const fits = algorithm.startsWith('ES')
    ? type === 'ec' && details?.namedCurve === CURVES[algorithm]
    : type === 'rsa' && (details?.modulusLength ?? 0) >= RSA_BITS_MIN;
  if (!fits) throw invalid('the key does not fit its algorithm');
  return key;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new CountersignError('bundle_signature_invalid', { detail: 'not JSON', cause });
  }
}

function invalid(detail: string): CountersignError {
  return new CountersignError('bundle_signature_invalid', { detail });
}
