import { Buffer } from 'node:buffer';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

export type ArchiveEntry = {
  readonly name: string;
  readonly bytes?: Buffer;
  readonly type?: 'file' | 'symlink' | 'link' | 'directory' | 'fifo';
  readonly linkname?: string;
};

/** A tar of these entries, names as they are. */
export function tarOf(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  const packing = pack();
  for (const { name, bytes, type = 'file', linkname } of entries) {
    packing.entry({ name, type, ...(linkname === undefined ? {} : { linkname }) }, bytes ?? Buffer.alloc(0));
  }
  packing.finalize();
  return buffer(packing);
}

/** The same, gzipped, as npm packages and MaxMind's downloads are. */
export async function tgzOf(entries: readonly ArchiveEntry[]): Promise<Buffer> {
  return gzipSync(await tarOf(entries));
}
