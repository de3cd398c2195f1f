/** A small text that all replicas have, by its id. `untilSeconds` is when it ends (unix seconds), 0 never. */
export type SharedEntry = { readonly id: string; readonly untilSeconds: number; readonly text: string };

/** How far somebody has followed: `head` names the last change, so that two histories with the same number of changes are told apart. */
export type Position = { readonly epoch: string; readonly version: number; readonly head: string };

/** What somebody knows, by id. */
export type Known = {
  readonly position: Position | null;
  /** Of the last change that a put or a remove answered, where `position` is not there yet: a history without it has lost something. */
  readonly acknowledged?: Position | null;
  readonly entries: ReadonlyMap<string, SharedEntry>;
  /** Reads everything also where nothing has changed. */
  readonly whole?: boolean;
};

/** What is other than what was known. An entry that is over may be in `all`, and leaves without a word. */
export type Followed =
  /** `total`: entries that are there, those included that are over. */
  | { readonly kind: 'same'; readonly total: number }
  | {
      readonly kind: 'changed';
      readonly position: Position;
      readonly entries: readonly SharedEntry[];
      /** Ids that are there no longer. */
      readonly removed: readonly string[];
      /** There is more already. */
      readonly more: boolean;
    }
  | {
      readonly kind: 'all';
      readonly position: Position;
      readonly entries: ReadonlyMap<string, SharedEntry>;
      /** What was known was gone there, and was put back; how many entries. */
      readonly restored: number | null;
    }
  | { readonly kind: 'failed'; readonly error: string };

/** The entries as they are now there, each with the longer of two ends, and the change that made them so; or why nothing was done. */
export type Put =
  | { readonly kind: 'put'; readonly position: Position }
  | { readonly kind: 'full' | 'lost' }
  | { readonly kind: 'failed'; readonly error: string };

export type Purged =
  | {
      readonly kind: 'purged';
      /** The earlier of the caller's time and the store's, unix seconds. */
      readonly nowSeconds: number;
      /** Entries that are left there. */
      readonly total: number;
      /** Of the ids those that are there and not over. */
      readonly refused: readonly SharedEntry[];
    }
  | { readonly kind: 'failed'; readonly error: string };

/** Entries that several processes keep together. No method rejects. */
export interface SharedEntries {
  /** What changed since. Where the store lost what was known, that is put back first: nothing is lost by a store that forgets. */
  follow(known: Known): Promise<Followed>;
  /** Adds, all or none; what is there already keeps the longer of both ends. `lost`: follow first, also where `acknowledged` is not there. */
  put(entries: readonly SharedEntry[], entriesMax: number, acknowledged?: Position | null): Promise<Put>;
  remove(ids: readonly string[], acknowledged?: Position | null): Promise<Put>;
  /** Takes out those of some hundred ids that are over by the caller's clock and by the store's. */
  purge(ids: readonly string[], nowSeconds: number): Promise<Purged>;
  /** Calls back soon after a change of anybody; a call may be missed. */
  onChange(listener: () => void): void;
}

/** The same on a disk of this process's own. The methods throw where the disk fails. */
export interface KeptEntries {
  load(): {
    readonly entries: ReadonlyMap<string, SharedEntry>;
    readonly position: Position | null;
    readonly acknowledged?: Position | null;
  };
  /** All of it or nothing. `clear` begins anew. */
  write(change: {
    readonly clear: boolean;
    readonly entries: Iterable<SharedEntry>;
    readonly removed: readonly string[];
    readonly position: Position | null;
    readonly acknowledged?: Position | null;
  }): void;
  close(): void;
}
