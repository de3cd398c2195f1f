import type { ListKind, ListStatus } from '../../contract/lists.ts';

/** One list, as far as a hit on it is told. */
export interface NamedList {
  readonly name: string;
  readonly kind: ListKind;
  readonly tags: readonly string[];
  /** What a hit adds to the kinds of the network. */
  readonly kinds: readonly string[];
  /** False where it has no content: not on it means nothing then. */
  loaded(): boolean;
  /** Whole seconds; null where it has no age. */
  ageSeconds(): number | null;
  /** True where it is older than it may be. */
  tooOld(): boolean;
  status(): ListStatus;
}
