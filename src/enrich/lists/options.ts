import type { ListContentOptions } from '../../contract/lists.ts';

/** One configured list: an item of `network.lists`. */
export type ListOptions = ListContentOptions & {
  readonly name: string;
  readonly tags: readonly string[];
  /** What a hit adds to the kinds of the client's network. */
  readonly kinds: readonly string[];
  /** Exactly one of `file` and `url`. */
  readonly file: string | null;
  readonly url: string | null;
  /** Of a URL; a file is looked at every other second. */
  readonly refreshSeconds: number;
  readonly fetchTimeoutMs: number;
  readonly bytesMax: number;
  /** Older than this, a list cannot be relied on; null: never. */
  readonly ageMaxSeconds: number | null;
  /** Share (0 to 1) of its distinct entries that a list may lose at once; more is held back until it is accepted. */
  readonly shrinkMax: number;
};

/** The section `network`, as far as lists go. */
export type AddressListsOptions = {
  readonly lists: readonly ListOptions[];
  /** File with what is accepted though it shrank: a line is a list's name and the SHA-256 of the content. */
  readonly listsAcceptFile: string | null;
  /** Whether AS numbers of well-known hosters give the kind `hosting`. */
  readonly hostingAsns: boolean;
};
