import type { Effect } from '../contract/decision.ts';
import type { NotReplayable } from '../decide/recorded/recorded-decision.ts';
import type { DamagedLine } from './parse-line.ts';

/** A decision as it is compared. */
export type Outcome = {
  readonly effect: Effect;
  readonly reason: string;
  readonly status: number | null;
  /** There where it passed, or would pass, whatever `effect` says (monitor mode). */
  readonly enforced?: false;
};

/** Records that change in one way. */
export type ChangeGroup = {
  readonly from: Outcome;
  readonly to: Outcome;
  readonly records: number;
  /** Those with the most records first; null is a request without one. */
  readonly clients: readonly { readonly client: string | null; readonly records: number }[];
  /** How many clients there are; at least, where there are more than are kept. */
  readonly clientsTotal: number;
  /** Decision ids. */
  readonly examples: readonly string[];
};

export type GapGroup = {
  readonly why: NotReplayable;
  /** In the input, without `input.`; empty where it is the whole. */
  readonly path: string;
  readonly records: number;
  readonly examples: readonly string[];
};

/** What a replay has found. */
export type ReplayReport = {
  readonly revision: string;
  /** False: somebody chose the name of the revision, and records that name it may be of another policy. */
  readonly revisionIsHash: boolean;
  /** Revisions that the records were decided by, with their records. */
  readonly revisions: Readonly<Record<string, number>>;
  readonly lines: number;
  /** Decisions of the policy. */
  readonly records: number;
  readonly replayed: number;
  readonly same: number;
  readonly changed: number;
  /**
   * Of those that change: not a deny before and one now, no step_up before and one now, no allow before and one now. What is not enforced counts as
   * the allow that its client gets.
   */
  readonly newDenies: number;
  readonly newStepUps: number;
  readonly newAllows: number;
  /** Of those that change: another effect, and the client is allowed before and now, since one of them is not enforced. */
  readonly notEnforced: number;
  /** Of those that change: the same effect with other reasons or another status. */
  readonly otherReasons: number;
  readonly changes: readonly ChangeGroup[];
  /** Changed records beyond the groups that are kept. */
  readonly changesUngrouped: number;
  /** By code, how many records have it now and had it not before, and the other way round. */
  readonly reasonsAdded: Readonly<Record<string, number>>;
  readonly reasonsRemoved: Readonly<Record<string, number>>;
  readonly notReplayable: number;
  readonly gaps: readonly GapGroup[];
  /** What of the new data the records know nothing of, with the replayed records that it could matter for. */
  readonly notReevaluated: Readonly<Record<string, number>>;
  readonly damaged: number;
  /** Logs whose end is missing, or cannot be unpacked. */
  readonly brokenLogs: readonly string[];
  readonly damagedLines: readonly { readonly file: string; readonly line: number; readonly problem: DamagedLine }[];
  readonly otherLines: number;
  readonly otherPolicies: number;
};
