import { CountersignError } from '../contract/errors.ts';

/** One of the last revisions of a policy, with the bundle that it was made from. */
export type KeptRevision = {
  readonly revision: string;
  /** SHA-256 of the bundle, lower-case hex. */
  readonly digest: string;
  /** Unix seconds, of its last activation. */
  readonly activatedAt: number;
  /** Of the manifest of a signed bundle; null where it says none, or nobody signed it. */
  readonly sequence: number | null;
  readonly packed: Uint8Array;
};

/** The revisions that a policy can go back to, the active one among them. */
export interface RevisionHistory {
  /** The newest first: the first one is active. */
  all(): readonly KeptRevision[];
  /** Puts a revision first; a bundle that is kept already moves there. */
  add(kept: KeptRevision): void;
  /**
   * The revision of that name, or where null the one that was active before.
   * @throws CountersignError revision_unknown
   */
  find(revision: string | null): KeptRevision;
  /** The highest sequence of those that are kept, -1 where none has one: what was rolled back counts. */
  sequenceMax(): number;
}

/** Active one included. */
const KEPT_MAX = 5;

/** Keeps the last five in memory; nothing is active at first. */
export function createRevisionHistory(): RevisionHistory {
  let kept: readonly KeptRevision[] = [];
  return {
    all: () => kept,
    add(one) {
      kept = [one, ...kept.filter(({ digest }) => digest !== one.digest)].slice(0, KEPT_MAX);
    },
    find(revision) {
      const found = revision === null ? kept[1] : kept.find((one) => one.revision === revision);
      if (found === undefined) throw new CountersignError('revision_unknown');
      return found;
    },
    sequenceMax: () => Math.max(-1, ...kept.map(({ sequence }) => sequence ?? -1)),
  };
}
