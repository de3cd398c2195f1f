import type { Decision } from './decision.ts';
import type { LogRules } from './decision-log.ts';
import type { DecisionTrace } from './explain.ts';
import type { Identity } from './identity.ts';
import type { JsonValue } from './json.ts';
import type { DecisionRequest } from './request.ts';
import type { MonitoredBy } from './rollout.ts';
import type { Route } from './route.ts';
import type { EnrichmentSignals } from './signals.ts';

/** Milliseconds that each stage took. */
export type StageTimes = { readonly identify: number; readonly enrich: number; readonly decide: number; readonly total: number };

/** Of an item of a batch that is not the first: whether one before it was allowed. A batch is one request of its client, and teaches as one. */
export type FurtherItem = { readonly allowedBefore: boolean };

/** WHAT happened: all that the decision log and the metrics need, once a decision. */
export type DecisionRecord = {
  readonly request: DecisionRequest;
  /** What was decided. Where that is not enforced it is not what was answered. */
  readonly decision: Decision;
  /** Who let the request pass although it was not allowed; not there where the decision is enforced. */
  readonly monitoredBy?: MonitoredBy;
  /** Null where the path failed before the stage ended. */
  readonly route: Route | null;
  readonly identity: Identity | null;
  readonly enrichment: EnrichmentSignals | null;
  readonly times: StageTimes;
  /** True where the evaluation was slower than `policy.slowMs`. */
  readonly slow: boolean;
  /** The input document in the form that the log is configured for; called by the recorder only. */
  readonly input: (mode: 'referenced' | 'full') => JsonValue;
  /** Of a batch, not the first. */
  readonly further?: FurtherItem | undefined;
  /** What the policy says of its own records; not there where it says nothing. */
  readonly logRules?: LogRules | null | undefined;
  /** The failure behind `decision.error`, for the log. */
  readonly cause: unknown;
  /** What it can be explained by later; not there where no policy was evaluated. */
  readonly trace?: DecisionTrace | undefined;
};
