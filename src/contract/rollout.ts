import type { ErrorCode } from './codes.ts';
import type { Decision, Effect } from './decision.ts';
import type { JsonValue } from './json.ts';
import type { DecisionRecord } from './record.ts';

/* A candidate beside the active policy, and decisions that are made and not enforced. */

/**
 * What came of evaluating a candidate beside the active policy: `same` effect and primary reason; the same effect for `other_reason`; another effect
 * (`differs`); `failed` to decide; `not_comparable`, since it wants a source or a counter that was not asked for this request; `dropped`, since the
 * queue was full or the time was spent.
 */
export const SHADOW_RESULTS = ['same', 'other_reason', 'differs', 'failed', 'not_comparable', 'dropped'] as const;
export type ShadowResult = (typeof SHADOW_RESULTS)[number];

/** Requests whose effect would have been another one. */
export type ShadowDiffCount = {
  readonly from: Effect;
  readonly to: Effect;
  /** Code of the primary reason of the side that lets less pass; beyond the bound `other`. */
  readonly reason: string;
  readonly count: number;
};

/** One request on which a candidate and the active policy differ, for the decision log. */
export type ShadowDiff = {
  /** What was decided and answered. */
  readonly record: DecisionRecord;
  readonly candidate: Decision;
  readonly input: (mode: 'referenced' | 'full') => JsonValue;
  /** The `reason` that it is counted by, before the bound. */
  readonly reason: string;
  readonly cause: unknown;
};

export type ShadowStatus = {
  /** Of the requests, 0 to 1. */
  readonly share: number;
  readonly results: Readonly<Record<ShadowResult, number>>;
  readonly diffs: readonly ShadowDiffCount[];
  /** Diffs that were not written to the decision log, since there were too many a second. */
  readonly unwritten: number;
  readonly queued: number;
  /** Stable code of the last failure of the candidate, or null. */
  readonly lastError: ErrorCode | null;
};

export type CanaryStatus = {
  readonly percent: number;
  /** The key cannot be read: nobody gets the candidate. */
  readonly keyError: ErrorCode | null;
  /** Decisions that the candidate made for callers; `failed` ones are denies. */
  readonly decisions: Readonly<Record<Effect | 'failed', number>>;
};

/** The candidate of a policy. */
export type CandidateStatus = {
  /**
   * `ready`: it is evaluated as configured; `not_loaded`; `data_not_loaded`: data that it needs is not there; `resting`: it is or was active, its sequence
   * is behind, or it was withdrawn, so that it is evaluated for nobody.
   */
  readonly state: 'ready' | 'not_loaded' | 'data_not_loaded' | 'resting';
  readonly revision: string | null;
  /** Unix seconds. */
  readonly loadedAt: number | null;
  readonly rules: number;
  readonly lastError: { readonly code: string; readonly text: string; readonly at: number; readonly revision?: string | null } | null;
  /** Unix seconds when what was refused for a reason that may pass is tried again; not there where nothing is. */
  readonly retryAt?: number;
  readonly shadow: ShadowStatus;
  readonly canary: CanaryStatus;
};

/** Who lets requests pass that were not allowed. */
export type MonitoredBy = 'pep' | 'route';

/** Where decisions are not enforced; not in the status where they are enforced everywhere. */
export type MonitorStatus = {
  /** Gateways with `enforce: false`, by the configuration. */
  readonly peps: readonly { readonly name: string; readonly by: 'configuration'; readonly since: number }[];
  /** Routes with `enforce: false`, by the revision that says so and since it is active; the names of the first hundred. */
  readonly routes: readonly {
    readonly policy: string;
    readonly by: string;
    readonly since: number | null;
    readonly count: number;
    readonly names: readonly string[];
  }[];
  /** Whether routes of tier critical are let pass too. */
  readonly critical: 'enforced' | 'forced';
};
