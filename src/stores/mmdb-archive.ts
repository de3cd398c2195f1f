import { basename } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

/** Why no database could be taken out of what was fetched. */
export type ArchiveFault = 'archive_broken' | 'archive_too_large' | 'entry_missing' | 'entry_ambiguous';

export type Extracted = { readonly bytes: Buffer } | { readonly fault: ArchiveFault; readonly names: readonly string[] };

export type ArchiveLimits = {
  /** Of all that is unpacked, wanted or not. */
  readonly unpackedBytesMax: number;
  /** Of the one file that is wanted. */
  readonly entryBytesMax: number;
};

const TAR_MAGIC_AT = 257;
const HEADER_BYTES = 512;
const NAMES_MAX = 20;

/**
 * The database in a plain file, a gzip file, a tar or a gzip tar (npm packages, MaxMind's downloads). Nothing of an archive is written
 * anywhere: entries are told by the last part of their names, and only regular files count, so that no name or link can lead out.
 * @param entry the file's name, or null for the only one that ends in `.mmdb`.
 */
export async function extractMmdb(packed: Buffer, entry: string | null, limits: ArchiveLimits): Promise<Extracted> {
  const zipped = packed[0] === 0x1f && packed[1] === 0x8b;
  if (!zipped && !isTar(packed)) return { bytes: packed };
  const bound = createBound(limits.unpackedBytesMax);
  try {
    const plain = zipped ? Readable.from([packed]).pipe(createGunzip()) : Readable.from([packed]);
    plain.once('error', (error) => bound.destroy(error));
    return await takeFrom(plain.pipe(bound), entry, limits);
  } catch (thrown) {
    return { fault: thrown instanceof TooLarge ? 'archive_too_large' : 'archive_broken', names: [] };
  }
}

/** Decides by the first block whether a tar follows, and reads it or takes the stream as the file itself. */
async function takeFrom(stream: Readable, entry: string | null, limits: ArchiveLimits): Promise<Extracted> {
  const chunks = stream[Symbol.asyncIterator]();
  const head = await firstBytes(chunks);
  if (!isTar(head)) return { bytes: Buffer.concat([head, ...(await collect(chunks, limits.entryBytesMax - head.length))]) };
  return takeEntry(Readable.from(replayed(head, chunks)), entry, limits);
}

async function takeEntry(tar: Readable, entry: string | null, { entryBytesMax }: ArchiveLimits): Promise<Extracted> {
  const reader = extract();
  tar.once('error', (error) => reader.destroy(error));
  const names: string[] = [];
  let taken: Buffer | null = null;
  for await (const one of tar.pipe(reader)) {
    const name = basename(one.header.name);
    if (one.header.type !== 'file' || (entry === null ? !name.endsWith('.mmdb') : name !== entry)) {
      one.resume();
      continue;
    }
    if (names.length < NAMES_MAX) names.push(name);
    // a second one makes the answer ambiguous: it is told, not kept
    if (taken === null) taken = Buffer.concat(await collect(one[Symbol.asyncIterator](), entryBytesMax));
    else one.resume();
  }
  if (taken === null) return { fault: 'entry_missing', names };
  return names.length > 1 ? { fault: 'entry_ambiguous', names } : { bytes: taken };
}

class TooLarge extends Error {}

function createBound(bytesMax: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total > bytesMax) done(new TooLarge());
      else done(null, chunk);
    },
  });
}

function isTar(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes.toString('latin1', TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === 'ustar';
}

async function firstBytes(chunks: AsyncIterator<unknown>): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < HEADER_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    if (next.value instanceof Uint8Array) head = Buffer.concat([head, next.value]);
  }
  return head;
}

async function* replayed(head: Buffer, chunks: AsyncIterator<unknown>): AsyncGenerator<unknown> {
  yield head;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

async function collect(chunks: AsyncIterator<unknown>, bytesMax: number): Promise<Uint8Array[]> {
  const kept: Uint8Array[] = [];
  let total = 0;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    if (!(next.value instanceof Uint8Array)) continue;
    total += next.value.length;
    if (total > bytesMax) throw new TooLarge();
    kept.push(next.value);
  }
  return kept;
}
