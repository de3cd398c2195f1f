/** What a list names. */
export const LIST_KINDS = ['addresses', 'asns'] as const;
/** `lines` one a line, `drop` as Spamhaus writes them, `jsonl` a JSON object a line, `csv` a column. */
export const LIST_FORMATS = ['lines', 'drop', 'jsonl', 'csv'] as const;

export type ListKind = (typeof LIST_KINDS)[number];
export type ListFormat = (typeof LIST_FORMATS)[number];

/** A list that the client's address, or the number of its AS, is on. */
export type ListHit = {
  readonly name: string;
  readonly tags: readonly string[];
  /** Since the list was last known to be the current one, seconds; null where it has no age. */
  readonly ageSeconds: number | null;
  /** True where it is older than it may be: the hit still counts, a miss would not. */
  readonly stale: boolean;
};

/** A list whose silence means nothing: a rule that needs it must not take "not on it" for an answer. */
export type ListGap = {
  readonly name: string;
  readonly tags: readonly string[];
  /** `asn_unknown`: a list of AS numbers, and the database that knows them failed. */
  readonly code: 'never_loaded' | 'too_old' | 'asn_unknown';
};

/** What the configured lists say of an address. */
export type ListFacts = { readonly hits: readonly ListHit[]; readonly unavailable: readonly ListGap[] };

/** One list, as `/status` shows it. */
export type ListStatus = {
  readonly name: string;
  readonly kind: ListKind;
  /** `stale`: too old, or the last attempt failed; `held_back`: new content waits to be accepted. In all of them the last good content is in use, but for `never_loaded`. */
  readonly state: 'ready' | 'stale' | 'never_loaded' | 'held_back';
  /** Of the content in use; `ranges` after those that overlap were joined. */
  readonly entries: number;
  readonly ranges: number;
  readonly badLines: number;
  /** SHA-256 of the content in use, hex. */
  readonly sha256: string | null;
  readonly ageSeconds: number | null;
  readonly tooOld: boolean;
  readonly heldBack: { readonly sha256: string; readonly entries: number } | null;
  readonly lastError: string | null;
};

/** How the content of a list is read. */
export type ListContentOptions = {
  readonly kind: ListKind;
  readonly format: ListFormat;
  /** Of `csv`: a name in the header line, or a number from 1 where there is no header. */
  readonly column: string | number | null;
  /** Of `jsonl`: the member that holds the entry. */
  readonly field: string | null;
  readonly entriesMin: number;
  readonly entriesMax: number;
  /** Share of lines (0 to 1) that may be wrong before the whole content is refused. */
  readonly badLinesMax: number;
  /** Accept entries wider than IPv4 /8 or IPv6 /16, and content that covers more than half of IPv4. */
  readonly allowWide: boolean;
};

/** What `countersign lists check` found out about a file. */
export type ListReport = {
  /** Why the service would refuse it, or null. */
  readonly refused: string | null;
  readonly entries: number;
  /** After those that overlap or touch were joined. */
  readonly ipv4Ranges: number;
  readonly ipv6Ranges: number;
  readonly asns: number;
  readonly badLines: number;
  /** The first of them, by line numbers from 1. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
  readonly sha256: string;
};
