import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { open, type Reader, type Response } from 'maxmind';
import type { StoreLogger } from './store-logger.ts';

/** What one lookup in one database gave. */
export type MmdbLookup = { readonly record: unknown } | 'database_missing' | 'database_broken';

export type MmdbStatus = {
  readonly name: string;
  readonly state: 'ready' | 'missing' | 'broken';
  /** `database_type` of the file's metadata. */
  readonly type: string | null;
  /** Unix seconds. */
  readonly builtAt: number | null;
};

/** One MaxMind DB file (https://maxmind.github.io/MaxMind-DB/), whatever its layout. */
export interface MmdbDatabase {
  /** @param address canonical text. @returns record null where the database does not know the address; never throws. */
  lookup(address: string, family: 4 | 6): MmdbLookup;
  status(): MmdbStatus;
}

/**
 * Opens the files of the configuration, in its order; the owner of `maxmind`. A file that is missing or cannot be read gives a
 * database that says so, never a failure: the service starts. Each database is replaced as a whole or not at all.
 */
export function openMmdbDatabases(paths: readonly string[], logger: StoreLogger): Promise<readonly MmdbDatabase[]> {
  return Promise.all(paths.map((path) => openMmdb(path, logger)));
}

async function openMmdb(path: string, logger: StoreLogger): Promise<MmdbDatabase> {
  const name = basename(path);
  try {
    const { size } = await stat(path);
    const reader = await open<Response>(path);
    const bound = describe(reader, size);
    logger.info('database_opened', { name, type: bound.type, built_at: bound.builtAt });
    return readyDatabase(name, reader, bound, logger);
  } catch (thrown) {
    const state = isMissing(thrown) ? 'missing' : 'broken';
    logger.warn(`database_${state}`, { name, error: textOf(thrown) });
    const status: MmdbStatus = { name, state, type: null, builtAt: null };
    return { lookup: () => `database_${state}` as const, status: () => status };
  }
}

/** Zero bytes between the search tree and the data. */
const SEPARATOR_BYTES = 16;

type Facts = { readonly ipVersion: 4 | 6; readonly type: string | null; readonly builtAt: number | null };

/** @throws Error where the metadata does not fit the file: the reader itself does not look. */
function describe({ metadata }: Reader<Response>, size: number): Facts {
  const ipVersion: unknown = metadata.ipVersion;
  if (ipVersion !== 4 && ipVersion !== 6) throw new Error('unknown IP version');
  if (!Number.isSafeInteger(metadata.nodeCount) || metadata.nodeCount < 0) throw new Error('the number of nodes is no number');
  if (metadata.searchTreeSize + SEPARATOR_BYTES > size) throw new Error('the search tree is longer than the file');
  const type: unknown = metadata.databaseType;
  const builtMs = metadata.buildEpoch.getTime();
  return { ipVersion, type: typeof type === 'string' ? type : null, builtAt: Number.isNaN(builtMs) ? null : Math.floor(builtMs / 1000) };
}

function readyDatabase(name: string, reader: Reader<Response>, facts: Facts, logger: StoreLogger): MmdbDatabase {
  const { ipVersion, type, builtAt } = facts;
  // a record that cannot be read is told once and stays in the status; other addresses go on being answered
  let damaged = false;
  return {
    lookup(address, family) {
      // the reader would walk the first 32 bits of an IPv6 address through an IPv4 tree and find a stranger's record
      if (family === 6 && ipVersion === 4) return { record: null };
      try {
        return { record: reader.get(address) };
      } catch (thrown) {
        if (!damaged) logger.warn('database_broken', { name, error: textOf(thrown) });
        damaged = true;
        return 'database_broken';
      }
    },
    status: () => ({ name, state: damaged ? 'broken' : 'ready', type, builtAt }),
  };
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
