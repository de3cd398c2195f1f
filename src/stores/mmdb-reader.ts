import { Reader, type Response } from 'maxmind';
import { sampleAddresses } from './mmdb-sample.ts';

/** Why the bytes of a file are no database that can be used. */
export type MmdbFault = 'format_unknown' | 'metadata_invalid' | 'tree_truncated' | 'record_unreadable';

/** What a file says of itself. */
export type MmdbSource = {
  /** `database_type` of the metadata. */
  readonly type: string | null;
  /** Unix seconds; null where the file does not say. */
  readonly builtAt: number | null;
};

export type MmdbFacts = MmdbSource & {
  readonly ipVersion: 4 | 6;
  readonly nodeCount: number;
  readonly recordBits: 24 | 28 | 32;
};

/** A database in memory. */
export interface MmdbReader {
  readonly facts: MmdbFacts;
  /**
   * @param address canonical text. @returns the record, null where there is none.
   * @throws Error where the record cannot be read.
   */
  find(address: string, family: 4 | 6): unknown;
}

export type MmdbOpened = { readonly reader: MmdbReader } | { readonly fault: MmdbFault; readonly cause: unknown };

/** Begins the metadata, which is the end of the file and at most 128 KiB long (MaxMind DB file format, "Database Metadata"). */
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const METADATA_BYTES_MAX = 128 * 1024;
/** Zero bytes between the search tree and the data. */
const SEPARATOR_BYTES = 16;
/** Decoded values that are kept, by their place in the file. */
const VALUES_MAX = 10_000;
const SAMPLES = 128;
const TYPE_MAX = 128;

/**
 * Opens a database in memory and tries it: metadata that fit the file, and records of networks all over its tree that can be read.
 * Takes about a millisecond whatever the size; a value and never a throw.
 */
export function openMmdbBytes(bytes: Buffer): MmdbOpened {
  // without a marker the library would go through the whole file byte by byte
  const tailAt = Math.max(0, bytes.length - METADATA_BYTES_MAX);
  const markerAt = bytes.subarray(tailAt).lastIndexOf(MARKER);
  if (markerAt === -1) return { fault: 'format_unknown', cause: null };
  let fault: MmdbFault = 'metadata_invalid';
  try {
    const reader = new Reader<Response>(bytes, { cache: createValueCache() });
    const facts = readFacts(reader);
    if (reader.metadata.searchTreeSize + SEPARATOR_BYTES > tailAt + markerAt) return { fault: 'tree_truncated', cause: null };
    fault = 'record_unreadable';
    const opened = createReader(reader, facts);
    for (const { address, family } of sampleAddresses(bytes, facts, SAMPLES)) opened.find(address, family);
    return { reader: opened };
  } catch (thrown) {
    return { fault, cause: thrown };
  }
}

/** @throws Error where the metadata have no sense: the library does not look. */
function readFacts({ metadata }: Reader<Response>): MmdbFacts {
  const ipVersion: unknown = metadata.ipVersion;
  if (ipVersion !== 4 && ipVersion !== 6) throw new Error('unknown IP version');
  const { nodeCount, recordSize } = metadata;
  if (!Number.isSafeInteger(nodeCount) || nodeCount < 0) throw new Error('the number of nodes is no number');
  if (recordSize !== 24 && recordSize !== 28 && recordSize !== 32) throw new Error('unknown size of records');
  const type: unknown = metadata.databaseType;
  const builtMs = metadata.buildEpoch.getTime();
  return {
    ipVersion,
    nodeCount,
    recordBits: recordSize,
    type: typeof type === 'string' ? type.slice(0, TYPE_MAX).toWellFormed() : null,
    builtAt: Number.isNaN(builtMs) ? null : Math.floor(builtMs / 1000),
  };
}

function createReader(reader: Reader<Response>, facts: MmdbFacts): MmdbReader {
  const ipv4Only = facts.ipVersion === 4;
  return {
    facts,
    find(address, family) {
      // the reader would walk the first 32 bits of an IPv6 address through an IPv4 tree and find a stranger's record
      if (family === 6 && ipv4Only) return null;
      return reader.get(address);
    },
  };
}

/** What was used of late, by two maps of which the older one goes as a whole: half the cost of a list in order of use. */
function createValueCache() {
  let young = new Map<string | number, unknown>();
  let old = new Map<string | number, unknown>();
  function set(key: string | number, value: unknown): void {
    if (young.size >= VALUES_MAX / 2) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }
  return {
    get(key: string | number): unknown {
      const value = young.get(key);
      if (value !== undefined) return value;
      const kept = old.get(key);
      if (kept !== undefined) set(key, kept);
      return kept;
    },
    set,
  };
}
