import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { Opa } from './opa.ts';
import type { PolicyTools } from './tools.ts';

/* The signature of a bundle in OPA's format: `.signatures.json`, a JWT over the hash of each file. `opa sign` makes it. */

export const SIGNATURES = '.signatures.json';

/** Algorithms that OPA signs and verifies with. */
export const SIGNING_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'HS256',
  'HS384',
  'HS512',
] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

export type Signing = {
  /** Absolute; PEM with a private key, or with HS… the secret, to the last byte of the file. */
  readonly keyFile: string;
  readonly algorithm: SigningAlgorithm;
  readonly keyId: string;
  /** What verifiers must be configured with, exactly; null for none. */
  readonly scope: string | null;
};

/** What is said in the manifest of a bundle beside what the build says. */
export type ManifestChanges = { readonly revision: string | null; readonly sequence: number | null };

/** The bundle with another revision and a sequence in its manifest; what is null stays. @throws CountersignError bundle_* */
export async function changeManifest(bundle: Uint8Array, { revision, sequence }: ManifestChanges, tools: PolicyTools): Promise<Uint8Array> {
  if (revision === null && sequence === null) return bundle;
  const { files } = await tools.read(bundle);
  const manifest: JsonValue = JSON.parse(Buffer.from(files.get('.manifest') ?? '{}').toString('utf8'));
  if (!isJsonObject(manifest)) throw new CountersignError('bundle_manifest_invalid', { field: '.manifest' });
  const metadata = isJsonObject(manifest['metadata']) ? manifest['metadata'] : {};
  const changed = {
    ...manifest,
    ...(revision === null ? {} : { revision }),
    ...(sequence === null ? {} : { metadata: { ...metadata, sequence } }),
  };
  return tools.pack(new Map<string, Uint8Array | string>([...files, ['.manifest', JSON.stringify(changed)]]));
}

/**
 * Adds a signature over every file, or says why OPA does not (a key that does not fit). The same bundle and key give the same bytes by RS… and
 * HS…; ES… and PS… have chance in them.
 * @throws CountersignError opa_missing
 */
export async function signBundle(
  bundle: Uint8Array,
  signing: Signing,
  parts: { readonly opa: Opa; readonly tools: PolicyTools },
): Promise<Uint8Array | { readonly problem: string }> {
  const { keyFile, algorithm, keyId, scope } = signing;
  const scratch = await mkdtemp(join(tmpdir(), 'countersign-sign-'));
  try {
    // the key is handed on by a file even where it is a secret, so that no list of processes shows it
    await writeFile(join(scratch, 'bundle.tar.gz'), bundle);
    await writeFile(join(scratch, 'claims.json'), JSON.stringify({ keyid: keyId, ...(scope === null ? {} : { scope }) }));
    const key = ['--signing-key', keyFile, '--signing-alg', algorithm, '--claims-file', 'claims.json'];
    const run = await parts.opa(['sign', ...key, '--bundle', 'bundle.tar.gz', '--output-file-path', '.'], scratch);
    if (!run.ok) return { problem: (run.stderr || run.stdout).trim().split('\n')[0] ?? '' };
    const { files } = await parts.tools.read(bundle);
    return await parts.tools.pack(new Map([...files, [SIGNATURES, await readFile(join(scratch, SIGNATURES))]]));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What a signature says of itself; nothing of it is verified here. */
export type SignatureFacts = {
  readonly algorithm: string | null;
  readonly keyId: string | null;
  readonly scope: string | null;
  readonly files: number;
};

/** The signatures that lie in a bundle, or null where it has no file of them. */
export function readSignatures(files: ReadonlyMap<string, Uint8Array>): readonly SignatureFacts[] | null {
  const bytes = files.get(SIGNATURES);
  if (bytes === undefined) return null;
  const document = decode(Buffer.from(bytes).toString('utf8'));
  const tokens = isJsonObject(document) && Array.isArray(document['signatures']) ? document['signatures'] : [];
  return tokens.map((token) => {
    const [head = '', body = ''] = String(token).split('.');
    const header = decode(Buffer.from(head, 'base64url').toString('utf8'));
    const payload = decode(Buffer.from(body, 'base64url').toString('utf8'));
    const text = (of: JsonValue, name: string): string | null => (isJsonObject(of) && typeof of[name] === 'string' ? of[name] : null);
    return {
      algorithm: text(header, 'alg'),
      keyId: text(payload, 'keyid') ?? text(header, 'kid'),
      scope: text(payload, 'scope'),
      files: isJsonObject(payload) && Array.isArray(payload['files']) ? payload['files'].length : 0,
    };
  });
}

function decode(text: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    // a signature that cannot be read says nothing
    return null;
  }
}
