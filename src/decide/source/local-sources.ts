import { createHash } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CountersignError } from '../../contract/errors.ts';
import type { ReadChangedFile } from '../../stores/changed-file.ts';
import { BUNDLE_LIMITS } from '../bundle.ts';
import { buildBundle } from '../bundle-build.ts';
import type { PolicyOptions } from '../options.ts';
import type { BundleSource, FoundBundle } from './source.ts';

const FILE_MS = 1000;
const FOLDER_MS = 2000;
const FAILED_MS_MAX = 5000;
const DEPTH_MAX = 32;

/**
 * A file, or a folder of Rego that OPA compiles; which of the two is looked at each time. Both are looked at by their paths, so that a
 * mounted volume that swaps a symbolic link is seen.
 */
export function createLocalSource(
  { bundle, opaBin, entrypoint, contract }: Pick<PolicyOptions, 'bundle' | 'opaBin' | 'entrypoint' | 'contract'>,
  { readFile }: { readonly readFile: ReadChangedFile },
): BundleSource {
  let isFolder = false;

  const ofFolder = async (known: string | null): Promise<FoundBundle | null> => {
    const directory = await contentOf(bundle);
    // taken first: what changes while OPA compiles is seen the next time
    const version = await versionOf(directory);
    if (version === known) return null;
    return { packed: await buildBundle({ opaBin: opaBin ?? 'opa', directory, entrypoint, foreign: contract === 'envoy' }), version };
  };

  const ofFile = async (known: string | null): Promise<FoundBundle | null> => {
    try {
      const found = await readFile(bundle, BUNDLE_LIMITS.packedBytesMax, known);
      return found === null ? null : { packed: found.bytes, version: found.version };
    } catch (cause) {
      const tooLarge = cause instanceof CountersignError && cause.code === 'fetch_too_large';
      throw new CountersignError(tooLarge ? 'bundle_too_large' : 'bundle_unreadable', { detail: tooLarge ? 'packed' : 'file', cause });
    }
  };

  return {
    name: basename(bundle),
    firstWaitMs: null,
    async read(known) {
      isFolder = await stat(bundle).then(
        (found) => found.isDirectory(),
        () => false,
      );
      return isFolder ? ofFolder(known) : ofFile(known);
    },
    delayMs: (failures) => Math.min(FAILED_MS_MAX, (isFolder ? FOLDER_MS : FILE_MS) * 2 ** Math.min(failures, 4)),
  };
}

/**
 * Where the files of a folder lie: Kubernetes mounts a volume as links into `..data`, itself a link, which it swaps. What that points to never
 * changes, so that nothing is compiled half from the old and half from the new.
 */
function contentOf(directory: string): Promise<string> {
  return realpath(join(directory, '..data')).catch(() => directory);
}

/** A hash over what every file of a tree is known by, links followed. */
async function versionOf(directory: string): Promise<string> {
  const hash = createHash('sha256');
  let files = 0;
  const walk = async (path: string, depth: number): Promise<void> => {
    if (depth > DEPTH_MAX) throw new CountersignError('bundle_too_large', { field: 'depth' });
    for (const name of (await readdir(path)).sort()) {
      const below = join(path, name);
      const found = await stat(below, { bigint: true });
      if (found.isDirectory()) {
        await walk(below, depth + 1);
        continue;
      }
      if (++files > BUNDLE_LIMITS.filesMax) throw new CountersignError('bundle_too_large', { field: 'files' });
      hash.update(`${below}\0${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}\0`);
    }
  };
  try {
    await walk(directory, 1);
  } catch (cause) {
    throw cause instanceof CountersignError ? cause : new CountersignError('bundle_unreadable', { detail: 'folder', cause });
  }
  return hash.digest('hex');
}
