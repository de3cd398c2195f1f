import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CountersignError } from '../contract/errors.ts';

/** A file's content with what tells it from any other. */
export type ChangedFile = {
  readonly bytes: Buffer;
  /** Of this state of the file; differs after a write, a rename over it and a swap of a symbolic link. */
  readonly version: string;
  /** When it was last written, unix milliseconds. */
  readonly modifiedAtMs: number;
};

/**
 * Reads a configured file of bounded size, or gives null where it is still in the state `known`; fails with `fetch_failed` or
 * `fetch_too_large`. Cheap to ask every second.
 */
export type ReadChangedFile = (path: string, bytesMax: number, known: string | null) => Promise<ChangedFile | null>;

/** Looks at the file anew each time: a mounted volume swaps it by a symbolic link, which file watchers miss. */
export const readChangedFile: ReadChangedFile = async (path, bytesMax, known) => {
  try {
    // a pipe would otherwise keep a thread waiting for a writer
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const before = await stateOf(file);
    if (before.version === known) return null;
    if (before.size > bytesMax) throw new CountersignError('fetch_too_large');
    const bytes = await readWhole(file, before.size);
    // half of a list that is being written would pass for a list
    if ((await stateOf(file)).version !== before.version || bytes.length !== before.size) {
      throw new CountersignError('fetch_failed', { detail: 'file changed while it was read' });
    }
    return { bytes, version: before.version, modifiedAtMs: before.modifiedAtMs };
  } catch (thrown) {
    if (thrown instanceof CountersignError) throw thrown;
    throw new CountersignError('fetch_failed', { detail: 'file', cause: thrown });
  }
};

async function stateOf(file: FileHandle): Promise<{ readonly version: string; readonly size: number; readonly modifiedAtMs: number }> {
  const stat = await file.stat({ bigint: true });
  if (!stat.isFile()) throw new CountersignError('fetch_failed', { detail: 'not a file' });
  return {
    version: [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join('-'),
    size: Number(stat.size),
    modifiedAtMs: Number(stat.mtimeMs),
  };
}

async function readWhole(file: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
