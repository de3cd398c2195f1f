import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { BUNDLE_LIMITS, unpack } from '../../src/decide/bundle.ts';
import { buildBundle } from '../../src/decide/bundle-build.ts';
import { ENTRYPOINT, OPA_BIN, POLICIES } from './fixtures.ts';

/** Text of files by path; null takes a file or folder away. */
export type Files = Readonly<Record<string, string | null>>;

/** A copy of the project's policies with other files, in a folder of its own; the caller removes it. */
export function copyWith(files: Files): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-policies-'));
  cpSync(POLICIES, directory, { recursive: true });
  rmSync(join(directory, 'countersign_test'), { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    const target = join(directory, path);
    if (text === null) rmSync(target, { recursive: true });
    else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
  }
  return directory;
}

/** The bundle of a changed copy of the policies. */
export async function bundleWith(files: Files, entrypoint = ENTRYPOINT): Promise<Uint8Array> {
  const directory = copyWith(files);
  try {
    return await buildBundle({ opaBin: OPA_BIN, directory, entrypoint });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Changes a bundle's files as they lie in the archive. */
export async function editBundle(bundle: Uint8Array, edit: (files: Map<string, Uint8Array | string>) => void): Promise<Uint8Array> {
  const files = new Map<string, Uint8Array | string>(await unpack(bundle, BUNDLE_LIMITS));
  edit(files);
  return tarOf([...files].map(([name, content]) => [{ name: `/${name}` }, content]));
}

/** Changes a bundle's data.json. */
export async function editData(bundle: Uint8Array, edit: (data: Record<string, unknown>) => unknown): Promise<Uint8Array> {
  return editBundle(bundle, (files) => {
    const data: unknown = JSON.parse(Buffer.from(files.get('data.json') ?? '{}').toString());
    if (typeof data !== 'object' || data === null) throw new Error('no data');
    files.set('data.json', JSON.stringify(edit({ ...data })));
  });
}

/** A gzip tar of any entries. */
export async function tarOf(entries: readonly (readonly [Partial<Header> & { name: string }, Uint8Array | string])[]): Promise<Uint8Array> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header, typeof content === 'string' ? content : Buffer.from(content));
  tar.finalize();
  return gzipSync(await buffer(tar));
}
