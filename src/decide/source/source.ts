/** What a source has, with what tells it from what it had before. */
export type FoundBundle = { readonly packed: Uint8Array; readonly version: string };

/** Where the bundle of a policy comes from. */
export interface BundleSource {
  /** What it is called in the log and in `/status`: the name of a file or folder, or a URL without its query. */
  readonly name: string;
  /** How long a start waits for its first answer, milliseconds; null: until it is there. */
  readonly firstWaitMs: number | null;
  /**
   * What is there now, or null where that is still `known`; may wait for a change where the source can tell of one.
   * @throws CountersignError bundle_unreadable, bundle_too_large, fetch_failed, fetch_too_large, policy_compile_failed, opa_missing
   */
  read(known: string | null, signal: AbortSignal): Promise<FoundBundle | null>;
  /** Milliseconds until the next read, after so many failures in a row. */
  delayMs(failures: number): number;
}
