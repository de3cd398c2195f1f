import { type FileHandle, open, stat } from 'node:fs/promises';

/** Why a file could not be read. */
export type FileFault = 'file_missing' | 'file_unreadable' | 'file_empty' | 'file_too_large' | 'file_changing';

/** What tells one file from another under the same name, whichever way it came there: device, inode, size, time of change. */
export type FileMark = string;

export type FileRead = { readonly bytes: Buffer; readonly mark: FileMark } | { readonly fault: FileFault; readonly cause: unknown };

/** The library reads texts by 32-bit places. */
export const FILE_BYTES_MAX = 2 ** 31 - 1;
const CHUNK_BYTES = 8 * 1024 * 1024;

type Stats = { readonly dev: bigint; readonly ino: bigint; readonly size: bigint; readonly mtimeNs: bigint; readonly ctimeNs: bigint };

/** The mark of the file that a path leads to now, through whatever links; null where there is none. */
export async function markOf(path: string): Promise<FileMark | null> {
  try {
    return markFrom(await stat(path, { bigint: true }));
  } catch {
    return null;
  }
}

/**
 * Reads a whole file off the event loop; a file that changes meanwhile is `file_changing` and not half of one and half of another. A value,
 * never a throw.
 */
export async function readFileWhole(path: string, bytesMax: number = FILE_BYTES_MAX): Promise<FileRead> {
  try {
    // opening a pipe would wait for somebody to write into it
    if (!(await stat(path)).isFile()) return { fault: 'file_unreadable', cause: new Error('no regular file') };
    await using file = await open(path, 'r');
    const before = await file.stat({ bigint: true });
    if (before.size === 0n) return { fault: 'file_empty', cause: null };
    if (before.size > BigInt(bytesMax)) return { fault: 'file_too_large', cause: null };
    // not from the pool: it stays for as long as the database does
    const bytes = Buffer.allocUnsafeSlow(Number(before.size));
    const whole = await fill(file, bytes);
    const after = await file.stat({ bigint: true });
    if (!whole || markFrom(before) !== markFrom(after)) return { fault: 'file_changing', cause: null };
    return { bytes, mark: markFrom(before) };
  } catch (thrown) {
    const missing = thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
    return { fault: missing ? 'file_missing' : 'file_unreadable', cause: thrown };
  }
}

async function fill(file: FileHandle, bytes: Buffer): Promise<boolean> {
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, Math.min(CHUNK_BYTES, bytes.length - length), length);
    if (bytesRead === 0) return false;
    length += bytesRead;
  }
  return true;
}

function markFrom({ dev, ino, size, mtimeNs, ctimeNs }: Stats): FileMark {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
