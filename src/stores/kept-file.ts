import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CountersignError } from '../contract/errors.ts';

/** One file that this process alone writes, and that outlives it. */
export interface KeptFile {
  /** Null where there is none. Rejects where there is one that cannot be read, or that is longer than it may be. */
  read(): Promise<Uint8Array | null>;
  /** Whole or not at all, also where the machine stops meanwhile. */
  write(bytes: Uint8Array): Promise<void>;
  /** Moves it to a name of its own, for whoever wants to look at it. */
  setAside(): Promise<void>;
}

export function createKeptFile(path: string, bytesMax: number): KeptFile {
  return {
    async read() {
      try {
        const { size } = await stat(path);
        if (size > bytesMax) throw new CountersignError('state_invalid', { detail: 'the file is too large' });
        return await readFile(path);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      }
    },
    async write(bytes) {
      const directory = dirname(path);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const next = `${path}.new`;
      const file = await open(next, 'w', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(next, path);
      // the name is kept with the folder
      const folder = await open(directory, 'r');
      try {
        await folder.sync();
      } finally {
        await folder.close();
      }
    },
    setAside: () => rename(path, `${path}.damaged`),
  };
}
