import { basename } from 'node:path';
import { type FileFault, type FileMark, markOf, readFileWhole } from './mmdb-file.ts';
import { type MmdbFault, type MmdbReader, type MmdbSource, openMmdbBytes } from './mmdb-reader.ts';
import type { StoreLogger } from './store-logger.ts';

/** What one lookup in one database gave; `source` is of the file that gave it. */
export type MmdbLookup = { readonly record: unknown; readonly source: MmdbSource } | 'database_missing' | 'database_broken';

export type MmdbStatus = {
  readonly name: string;
  /** `stale`: what lies there now cannot be used, and the last good file still answers; `broken` also where a record could not be read. */
  readonly state: 'ready' | 'stale' | 'missing' | 'broken';
  readonly type: string | null;
  /** Unix seconds. */
  readonly builtAt: number | null;
  readonly sizeBytes: number | null;
  readonly lastError: FileFault | MmdbFault | null;
};

/** One MaxMind DB file (https://maxmind.github.io/MaxMind-DB/), whatever its layout. */
export interface MmdbDatabase {
  /** @param address canonical text. @returns record null where the database does not know the address; never throws. */
  lookup(address: string, family: 4 | 6): MmdbLookup;
  status(): MmdbStatus;
}

/** A database that can be told to look whether its file was replaced. */
export interface WatchedMmdb extends MmdbDatabase {
  /**
   * Takes a replaced file into use: once its mark was the same at two calls in a row, so that one that is still being written is left
   * alone. The last good one answers meanwhile, and stays where the new one cannot be used. Never rejects; calls do not overlap.
   */
  refresh(): Promise<void>;
}

/** What is open now, beside the lookups: replaced as a whole. */
type Open = { readonly reader: MmdbReader; readonly sizeBytes: number };

/**
 * Opens one file. One that is missing or cannot be read gives a database that says so, never a failure: the service starts, and takes
 * the file when it comes.
 */
export async function openMmdb(path: string, name: string, logger: StoreLogger): Promise<WatchedMmdb> {
  let open: Open | null = null;
  let inUse: FileMark | null = null;
  /** Seen at the last look; bytes with the mark of `refused` are not judged again. */
  let seen: FileMark | null = null;
  let refused: FileMark | null = null;
  let lastError: FileFault | MmdbFault | null = null;
  let damaged = false;
  let refreshing: Promise<void> | null = null;

  function refuse(error: FileFault | MmdbFault, mark: FileMark | null, cause: unknown): void {
    // an outage of hours is one line, not one in two seconds
    if (lastError !== error || refused !== mark) {
      logger.warn(error === 'file_missing' ? 'database_missing' : 'database_broken', { name, code: error, error: textOf(cause) });
    }
    lastError = error;
    refused = mark;
  }

  async function load(): Promise<void> {
    const read = await readFileWhole(path);
    if ('fault' in read) return refuse(read.fault, null, read.cause);
    const opened = openMmdbBytes(read.bytes);
    if ('fault' in opened) return refuse(opened.fault, read.mark, opened.cause);
    const event = open === null ? 'database_opened' : 'database_replaced';
    open = { reader: opened.reader, sizeBytes: read.bytes.length };
    inUse = read.mark;
    seen = read.mark;
    refused = null;
    lastError = null;
    damaged = false;
    const { type, builtAt } = opened.reader.facts;
    logger.info(event, { name, type, built_at: builtAt, size_bytes: read.bytes.length });
  }

  async function look(): Promise<void> {
    const mark = await markOf(path);
    const settled = mark === seen;
    seen = mark;
    // to tell one that is not there from one that may not be read
    if (mark === null) return load();
    if (mark === inUse) {
      // what lay there in between is gone again
      lastError = null;
      refused = null;
    } else if (settled && mark !== refused) await load();
  }

  await load();
  return {
    lookup(address, family) {
      if (open === null) return lastError === 'file_missing' ? 'database_missing' : 'database_broken';
      const { reader } = open;
      try {
        return { record: reader.find(address, family), source: reader.facts };
      } catch (thrown) {
        // a record that cannot be read is told once and stays in the status; other addresses go on being answered
        if (!damaged) logger.warn('database_broken', { name, code: 'record_unreadable', error: textOf(thrown) });
        damaged = true;
        return 'database_broken';
      }
    },
    refresh() {
      refreshing ??= look().finally(() => {
        refreshing = null;
      });
      return refreshing;
    },
    status() {
      const facts = open?.reader.facts;
      return {
        name,
        state: stateOf(open !== null, damaged, lastError),
        type: facts?.type ?? null,
        builtAt: facts?.builtAt ?? null,
        sizeBytes: open?.sizeBytes ?? null,
        lastError: lastError ?? (damaged ? 'record_unreadable' : null),
      };
    },
  };
}

function stateOf(isOpen: boolean, damaged: boolean, lastError: MmdbStatus['lastError']): MmdbStatus['state'] {
  if (!isOpen) return lastError === 'file_missing' ? 'missing' : 'broken';
  if (damaged) return 'broken';
  return lastError === null ? 'ready' : 'stale';
}

/** File names for logs and metrics; the whole path where two are the same. */
export function namesOf(paths: readonly string[]): string[] {
  const bases = paths.map((path) => basename(path));
  return paths.map((path, index) => (bases.filter((base) => base === bases[index]).length > 1 ? path : basename(path)));
}

function textOf(thrown: unknown): string | null {
  return thrown instanceof Error ? thrown.message : null;
}
