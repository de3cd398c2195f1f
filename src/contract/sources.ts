import type { Signal } from './signals.ts';

/** Why a source of attributes has none for this request. */
export type SourceCode =
  // absent: it was not asked, or has nothing
  | 'not_collected'
  | 'placeholder_missing'
  | 'not_found'
  // invalid: the question or the answer is not one that can be used
  | 'placeholder_refused'
  | 'answer_content_type'
  | 'answer_content_encoding'
  | 'answer_too_large'
  | 'answer_not_json'
  | 'attribute_missing'
  | 'attribute_type'
  | 'attribute_too_large'
  // unavailable: it did not answer
  | 'deadline'
  | 'concurrency_full'
  | 'breaker_open'
  | 'credential_unreadable'
  | 'name_unknown'
  | 'resolution'
  | 'address_not_allowed'
  | 'certificate'
  | 'connection'
  | 'timeout'
  | 'redirect'
  | 'status'
  | 'stopped'
  | 'internal';

/** Strings of at most 1 KiB, lists of at most 64 of them; null where an optional one was not in the answer. */
export type AttributeValue = string | number | boolean | null | readonly string[];

export type SourceValue = {
  /** By the configured names, every one of them. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** When the answer came, unix seconds; it may have been kept since. */
  readonly fetchedAt: number;
};

/** What each configured source says, by its name; a source that was not asked is there too. */
export type SourceSignals = Readonly<Record<string, Signal<SourceValue, SourceCode>>>;

/** One source of attributes. */
export type SourceStatus = {
  readonly name: string;
  readonly when: 'prefetch' | 'collect';
  /** `open`: it has failed several times in a row, and is left alone for a while. */
  readonly state: 'ready' | 'failing' | 'open' | 'never_asked';
  readonly inFlight: number;
  /** Questions since the start, by what became of them; `cached` ones were not sent. */
  readonly answers: {
    readonly present: number;
    readonly absent: number;
    readonly invalid: number;
    readonly unavailable: number;
    readonly cached: number;
  };
  /** Time that the questions took that were sent, all together, seconds. */
  readonly secondsTotal: number;
  /** Questions that were not sent: too many in flight, or open. */
  readonly shed: number;
  readonly entries: number;
  /** Code of the last failure that no answer has come after, or null. */
  readonly lastError: SourceCode | null;
};
