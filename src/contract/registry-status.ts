/** Spans, in the words of the metric's label, and their seconds. */
export const KEY_END_SPANS = { '1d': 86_400, '7d': 604_800, '30d': 2_592_000 } as const;
export type KeyEndSpan = keyof typeof KEY_END_SPANS;

/** When API keys that are good now end; what the files revoke, and what is of a client that may not, is left out. */
export type KeyEnds = {
  /** How many end in each span from now on; the longer span has those of the shorter ones too. */
  readonly within: Readonly<Record<KeyEndSpan, number>>;
  /** The first to end; null where none does. */
  readonly next: { readonly id: string; readonly client: string; readonly endsAt: number } | null;
};

/** One half of the registry. */
export type RegistryPartStatus = {
  /** `stale`: what is there now cannot be used, and the last good content is; `never_loaded`: there is none. */
  readonly state: 'ready' | 'stale' | 'never_loaded';
  /** Since the content in use was loaded, seconds. */
  readonly ageSeconds: number | null;
  /** Stable code of what is wrong with what is there now, or null. */
  readonly lastError: string | null;
  /** File, line and field of the first of its faults, never a value. */
  readonly problems: readonly string[];
};

/** The declared clients and API keys, and what is revoked. */
export type RegistryStatus = {
  readonly records: RegistryPartStatus & { readonly clients: number; readonly apiKeys: number; readonly keyEnds?: KeyEnds };
  readonly revocations: RegistryPartStatus & { readonly entries: number };
};
