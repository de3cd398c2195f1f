import type { Effect } from '../../contract/decision.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { MonitoredBy } from '../../contract/rollout.ts';
import type { Route } from '../../contract/route.ts';

/** What a line of the decision log says of one decision, as far as it bears on deciding it again. */
export type RecordedDecision = {
  readonly id: string;
  /** Unix milliseconds. */
  readonly receivedAtMs: number;
  readonly pep: string;
  readonly policy: { readonly name: string; readonly revision: string };
  readonly request: {
    readonly method: string;
    readonly host: string;
    /** Canonical; null where it was not kept. */
    readonly path: string | null;
    readonly flags: readonly string[];
  } | null;
  readonly route: Pick<Route, 'status' | 'id' | 'tier'> | null;
  readonly subject: {
    readonly type: string;
    readonly id: string | null;
    readonly client: string | null;
    readonly asserted: boolean;
  } | null;
  readonly evidence: readonly string[];
  readonly assurance: number;
  /** The client's address. */
  readonly address: string | null;
  /** State of each signal by its name in the input. */
  readonly signals: ReadonlyMap<string, { readonly status: string; readonly code: string | null }>;
  readonly effect: Effect;
  /** Who let it pass whatever `effect` says (monitor mode); null where it was enforced, or is an allow. */
  readonly monitoredBy: MonitoredBy | null;
  /** Codes, the primary one first; never empty. */
  readonly reasons: readonly string[];
  /** For the client; null on an allow. */
  readonly status: number | null;
  /** Code where no decision could be made. */
  readonly error: string | null;
  /** Whether an exception took verdicts of rules back: a bundle holds none. */
  readonly excepted: boolean;
  /** Null where none was kept. */
  readonly input: JsonObject | null;
};

/** Why a record cannot be decided again. */
export const NOT_REPLAYABLE = {
  no_input: 'the record has no input: decisions.log.input was none, or the path ended before the policy was asked',
  not_recorded: 'the policy reads what the record does not hold',
  hidden: 'the policy reads what the log hides',
  other_contract: 'the input is that of another contract',
  not_collected: 'the policy asks a source that was not asked',
} as const;
export type NotReplayable = keyof typeof NOT_REPLAYABLE;

/** What another policy makes of a record. */
export type Redecided =
  | {
      readonly decided: true;
      readonly effect: Effect;
      readonly reasons: readonly string[];
      readonly status: number | null;
      /** False where the gateway or the new catalogue lets it pass whatever `effect` says (monitor mode); an allow is enforced. */
      readonly enforced: boolean;
      /** What of the new policy's data could not be brought to bear on the record (`rate.counters.spend`). */
      readonly notReevaluated: readonly string[];
    }
  /** `path`: in the input, without `input.`; empty where it is the whole. */
  | { readonly decided: false; readonly why: NotReplayable; readonly path: string };

/** A policy that decides records again. */
export interface RecordedPolicy {
  readonly revision: string;
  /** Whether the revision is a hash of all that is in it: a record that names it was then decided by this policy. */
  readonly revisionIsHash: boolean;
  /** Never throws: a policy that cannot evaluate a record denies it, as the service would. */
  decide(record: RecordedDecision): Redecided;
}
