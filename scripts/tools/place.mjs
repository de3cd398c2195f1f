// Files and folders appear under their name when they are whole: made beside it, then renamed. So two installs at once, or one that was
// interrupted, leave nothing half.
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TOOLS } from '../project.mjs';

const PLACE_ATTEMPTS_MAX = 100;

/**
 * Gives `make` an empty folder on the same disk as `.tools`, and takes it away afterwards.
 * @template T
 * @param {(folder: string) => Promise<T>} make
 * @returns {Promise<T>}
 */
export async function withScratch(make) {
  await mkdir(TOOLS, { recursive: true });
  const folder = await mkdtemp(join(TOOLS, 'tmp-'));
  try {
    return await make(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Puts a finished file or folder where it belongs; what was there is replaced. Of several at once the last one stands.
 * @param {string} made inside a scratch folder
 * @param {string} target
 * @param {string} scratch takes what was there before
 */
export async function place(made, target, scratch) {
  await mkdir(dirname(target), { recursive: true });
  for (let attempt = 0; ; attempt += 1) {
    await rename(target, join(scratch, `replaced-${attempt}`)).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
    });
    try {
      await rename(made, target);
      return;
    } catch (error) {
      // A folder that somebody else has placed in between is not empty, so ours cannot take its name.
      const isTaken = error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST');
      if (!isTaken || attempt === PLACE_ATTEMPTS_MAX) throw error;
    }
  }
}
