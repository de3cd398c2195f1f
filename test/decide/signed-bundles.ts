import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unpack } from '../../src/decide/bundle.ts';
import type { SigningAlgorithm } from '../../src/decide/signing/signatures.ts';
import { editBundle } from './bundles.ts';
import { OPA_BIN } from './fixtures.ts';

/** A key pair as PEM files in a folder. */
export function keyFiles(directory: string, algorithm: SigningAlgorithm): { readonly privateFile: string; readonly publicFile: string } {
  const privateFile = join(directory, `${algorithm}.key`);
  const publicFile = join(directory, `${algorithm}.pub`);
  if (algorithm.startsWith('HS')) {
    for (const file of [privateFile, publicFile]) writeFileSync(file, 'a secret that is long enough for every one of them, and then some');
    return { privateFile, publicFile };
  }
  const curves: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
  const { publicKey, privateKey } = algorithm.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: curves[algorithm] ?? '' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(privateFile, privateKey.export({ format: 'pem', type: algorithm.startsWith('ES') ? 'sec1' : 'pkcs1' }).toString());
  writeFileSync(publicFile, publicKey.export({ format: 'pem', type: 'spki' }).toString());
  return { privateFile, publicFile };
}

export type SignOptions = {
  readonly privateFile: string;
  readonly algorithm: SigningAlgorithm;
  readonly keyId?: string;
  readonly scope?: string;
};

/** A bundle with a signature by the real `opa sign`. */
export async function signedBundle(bundle: Uint8Array, { privateFile, algorithm, keyId, scope }: SignOptions): Promise<Uint8Array> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-sign-'));
  try {
    const content = join(directory, 'bundle');
    for (const [path, bytes] of await unpack(bundle)) {
      mkdirSync(dirname(join(content, path)), { recursive: true });
      writeFileSync(join(content, path), bytes);
    }
    const claims = join(directory, 'claims.json');
    writeFileSync(claims, JSON.stringify({ ...(keyId === undefined ? {} : { keyid: keyId }), ...(scope === undefined ? {} : { scope }) }));
    const parameters = ['sign', '--signing-key', privateFile, '--signing-alg', algorithm, '--claims-file', claims];
    // the names that it signs are those of the paths that it is given
    execFileSync(OPA_BIN, [...parameters, '--bundle', '.', '--output-file-path', directory], { stdio: 'pipe', cwd: content });
    const signatures = readFileSync(join(directory, '.signatures.json'));
    return await editBundle(bundle, (files) => files.set('.signatures.json', signatures));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Changes the manifest of a bundle. */
export function withManifest(
  bundle: Uint8Array,
  change: Readonly<Record<string, unknown>>,
  metadata: Readonly<Record<string, unknown>> = {},
) {
  return editBundle(bundle, (files) => {
    const manifest: unknown = JSON.parse(Buffer.from(files.get('.manifest') ?? '{}').toString());
    const known = typeof manifest === 'object' && manifest !== null ? manifest : {};
    const said = 'metadata' in known && typeof known.metadata === 'object' ? known.metadata : {};
    files.set('.manifest', JSON.stringify({ ...known, ...change, metadata: { ...said, ...metadata } }));
  });
}
