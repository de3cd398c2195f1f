import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ArchiveFault, extractMmdb } from './mmdb-archive.ts';
import { FILE_BYTES_MAX, type FileFault, readFileWhole } from './mmdb-file.ts';
import { type InspectOptions, inspectBytes, inspectMmdb, type MmdbInspected } from './mmdb-inspect.ts';
import type { MmdbFault } from './mmdb-reader.ts';
import { fetchSource, type SourceDeps, type SourceFault, type SourceRequest } from './mmdb-source.ts';

export type InstallRequest = SourceRequest & { readonly to: string; readonly force: boolean };

/** Why the installed file was left as it was. */
export type InstallFault =
  | SourceFault
  | ArchiveFault
  | MmdbFault
  | FileFault
  | 'layout_unknown'
  | 'type_differs'
  | 'older_than_installed'
  | 'write_failed';

export type Installed =
  | { readonly installed: MmdbInspected; readonly sha256: string; readonly unchanged: boolean }
  | { readonly refused: InstallFault; readonly detail: string | null };

const ARCHIVE_LIMITS = { unpackedBytesMax: 2 * FILE_BYTES_MAX, entryBytesMax: FILE_BYTES_MAX };

/**
 * Replaces a database file by one that was fetched: only after its checksum, a trial of its records and a look at what it replaces, and by
 * a rename, so that a reader has the old one or the new one and never a part. Whatever fails leaves the old one. Never rejects.
 */
export async function installMmdb(request: InstallRequest, deps: SourceDeps & InspectOptions): Promise<Installed> {
  const fetched = await fetchSource(request, deps);
  if ('fault' in fetched) return { refused: fetched.fault, detail: fetched.detail };
  const extracted = await extractMmdb(fetched.bytes, request.entry, ARCHIVE_LIMITS);
  if ('fault' in extracted) return { refused: extracted.fault, detail: extracted.names.join(', ') || null };
  const { bytes } = extracted;
  const installed = inspectBytes(request.to, bytes, deps);
  if (installed.error !== null) return { refused: installed.error, detail: null };
  if (installed.fields.length === 0 && !request.force) return { refused: 'layout_unknown', detail: installed.type };

  const current = await inspectMmdb(request.to, deps);
  const objection = request.force ? null : objectionTo(installed, current);
  if (objection !== null) return objection;
  const there = current.state === 'ready' ? await readFileWhole(request.to) : null;
  const unchanged = there !== null && 'bytes' in there && there.bytes.equals(bytes);
  try {
    if (!unchanged) await replaceFile(request.to, bytes);
  } catch (thrown) {
    return { refused: 'write_failed', detail: thrown instanceof Error && 'code' in thrown ? String(thrown.code) : null };
  }
  return { installed, sha256: fetched.sha256, unchanged };
}

/** A database of another kind, or one from before, under the same name is a mistake more often than a wish. */
function objectionTo(next: MmdbInspected, current: MmdbInspected): Installed | null {
  if (current.state !== 'ready') return null;
  if (current.type !== next.type) return { refused: 'type_differs', detail: `${current.type} is installed, not ${next.type}` };
  if (next.builtAt === null || current.builtAt === null || next.builtAt >= current.builtAt) return null;
  return { refused: 'older_than_installed', detail: null };
}

/** Written beside its place, flushed, and renamed: the rename is what readers see. */
async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    {
      await using file = await open(beside, 'wx', 0o644);
      await file.writeFile(bytes);
      await file.sync();
    }
    await rename(beside, path);
  } catch (thrown) {
    await rm(beside, { force: true });
    throw thrown;
  }
}
