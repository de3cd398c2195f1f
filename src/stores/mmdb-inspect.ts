import { type FileFault, readFileWhole } from './mmdb-file.ts';
import { type MmdbFault, openMmdbBytes } from './mmdb-reader.ts';
import { sampleAddresses } from './mmdb-sample.ts';

/** One database file, opened and tried. */
export type MmdbInspected = {
  readonly file: string;
  readonly state: 'ready' | 'missing' | 'broken';
  readonly error: FileFault | MmdbFault | null;
  readonly type: string | null;
  /** Unix seconds. */
  readonly builtAt: number | null;
  readonly ageSeconds: number | null;
  readonly sizeBytes: number | null;
  readonly ipVersion: 4 | 6 | null;
  readonly samples: number;
  readonly fields: readonly string[];
  readonly licence: string | null;
};

export type InspectOptions = {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** What a record of a type of database knows, by names. */
  readonly fieldsOf: (record: unknown, type: string | null) => readonly string[];
};

/** More than at an opening, since nobody waits for it. */
const SAMPLES = 5000;

/** Opens a file, and looks up addresses all over its tree. A value and never a throw. */
export async function inspectMmdb(file: string, options: InspectOptions): Promise<MmdbInspected> {
  const read = await readFileWhole(file);
  if ('fault' in read) return faulty(file, read.fault, null);
  return inspectBytes(file, read.bytes, options);
}

/** The same for bytes in memory; `file` is only told. */
export function inspectBytes(file: string, bytes: Buffer, { now, fieldsOf }: InspectOptions): MmdbInspected {
  const opened = openMmdbBytes(bytes);
  if ('fault' in opened) return faulty(file, opened.fault, bytes.length);
  const { reader } = opened;
  const { type, builtAt, ipVersion } = reader.facts;
  const samples = sampleAddresses(bytes, reader.facts, SAMPLES);
  const fields = new Set<string>();
  try {
    for (const { address, family } of samples) for (const field of fieldsOf(reader.find(address, family), type)) fields.add(field);
  } catch {
    return faulty(file, 'record_unreadable', bytes.length);
  }
  return {
    file,
    state: 'ready',
    error: null,
    type,
    builtAt,
    ageSeconds: builtAt === null ? null : Math.max(0, Math.floor(now() / 1000) - builtAt),
    sizeBytes: bytes.length,
    ipVersion,
    samples: samples.length,
    fields: [...fields].sort(),
    licence: licenceOf(type),
  };
}

function faulty(file: string, error: FileFault | MmdbFault, sizeBytes: number | null): MmdbInspected {
  const state = error === 'file_missing' ? 'missing' : 'broken';
  const nothing = { type: null, builtAt: null, ageSeconds: null, ipVersion: null, samples: 0, fields: [], licence: null };
  return { file, state, error, sizeBytes, ...nothing };
}

/** By the begin of `database_type`; `geoip/README.md` says where each was read. */
const LICENCES: readonly (readonly [string, string])[] = [
  ['GeoLite2-', 'GeoLite2 End User License Agreement'],
  ['GeoIP2-', 'MaxMind End User License Agreement'],
  ['GeoIP-', 'MaxMind End User License Agreement'],
];

function licenceOf(type: string | null): string | null {
  return LICENCES.find(([begin]) => type?.startsWith(begin) === true)?.[1] ?? null;
}
