import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { CountersignError } from '../contract/errors.ts';

/** Reads a configured file of bounded size; fails with `fetch_failed` or `fetch_too_large`. */
export type ReadDocumentFile = (path: string, bytesMax: number) => Promise<Buffer>;

/** Reads the file anew each time: a mounted volume swaps it by a symbolic link, which file watchers miss. */
export const readDocumentFile: ReadDocumentFile = async (path, bytesMax) => {
  try {
    // a pipe would otherwise keep a thread waiting for a writer, and whoever asked for ever
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile()) throw new CountersignError('fetch_failed', { detail: 'not a file' });
    const { size } = found;
    if (size > bytesMax) throw new CountersignError('fetch_too_large');
    const bytes = Buffer.alloc(size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      if (length > size) throw new CountersignError('fetch_failed', { detail: 'file grew while it was read' });
      if (bytesRead === 0) return bytes.subarray(0, length);
    }
  } catch (thrown) {
    if (thrown instanceof CountersignError) throw thrown;
    throw new CountersignError('fetch_failed', { detail: 'file', cause: thrown });
  }
};
