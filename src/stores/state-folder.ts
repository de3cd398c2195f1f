import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CountersignError } from '../contract/errors.ts';

/** Files that outlive the process, in one folder. Names are those of files in it, without a slash. */
export interface StateFolder {
  /** Null where there is none; fails with `state_invalid`, the field is the name. */
  read(name: string, bytesMax: number): Promise<Buffer | null>;
  /** All of it or nothing, also where the machine stops while it is written; fails with `state_invalid`. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes every file but these. */
  keepOnly(names: ReadonlySet<string>): Promise<void>;
}

/** The folder is made when something is written; others than the owner of the process read nothing in it. */
export function createStateFolder(directory: string): StateFolder {
  return {
    async read(name, bytesMax) {
      try {
        await using file = await open(join(directory, name), 'r');
        const { size } = await file.stat();
        if (size > bytesMax) throw new CountersignError('state_invalid', { field: name, detail: 'too large' });
        return await file.readFile();
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
        throw cause instanceof CountersignError ? cause : new CountersignError('state_invalid', { field: name, cause });
      }
    },
    async write(name, bytes) {
      const draft = join(directory, `.${name}.${randomBytes(6).toString('hex')}`);
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        await writeThrough(draft, bytes);
        await rename(draft, join(directory, name));
        await syncFolder(directory);
      } catch (cause) {
        await rm(draft, { force: true }).catch(() => undefined);
        throw new CountersignError('state_invalid', { field: name, detail: 'it could not be written', cause });
      }
    },
    async keepOnly(names) {
      const found = await readdir(directory).catch(() => []);
      for (const name of found) if (!names.has(name)) await rm(join(directory, name), { force: true }).catch(() => undefined);
    },
  };
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(bytes);
  await file.sync();
}

/** Without this a rename may be lost with the power; not every file system can. */
async function syncFolder(directory: string): Promise<void> {
  await using folder = await open(directory, 'r');
  await folder.sync().catch(() => undefined);
}
