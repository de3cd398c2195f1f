import type { ErrorCode } from './codes.ts';
import type { CollectName } from './collect.ts';
import type { Decision } from './decision.ts';
import type { LogRules } from './decision-log.ts';
import type { DecisionTrace } from './explain.ts';
import type { Identity } from './identity.ts';
import type { JsonValue } from './json.ts';
import type { DecisionRecord } from './record.ts';
import type { DecisionRequest } from './request.ts';
import type { MonitoredBy } from './rollout.ts';
import type { Route } from './route.ts';
import type { EnrichmentSignals } from './signals.ts';

/** A value now, or later: stages that need no waiting answer at once and cost no microtask. */
export type Awaitable<T> = T | Promise<T>;

/** The one interface that endpoints ask. It never throws: a failure is a deny with `error` set. */
export interface Pdp {
  decide(request: DecisionRequest): Awaitable<Decision>;
}

/** WHO asks. A refusal is a value in the signals. */
export interface Identifier {
  identify(request: DecisionRequest): Awaitable<Identity>;
}

/** WHAT ELSE we know. A source that failed is a value in the signals. */
export interface Enricher {
  enrich(request: DecisionRequest, identity: Identity, route: Route): Awaitable<EnrichmentSignals>;
  /** Of a further item of a batch: what is known of the item before it, with what is counted for each item by itself. */
  enrichFurther(request: DecisionRequest, identity: Identity, route: Route, before: EnrichmentSignals): Awaitable<EnrichmentSignals>;
}

/** What the decide stage hands back beside the decision, for the record. */
export type Evaluated = {
  readonly decision: Decision;
  readonly input: (mode: 'referenced' | 'full') => JsonValue;
  /** Milliseconds inside the policy engine. */
  readonly evaluationMs: number;
  readonly slow: boolean;
  readonly cause: unknown;
  /** Sources that the policy wants asked before it decides; the decision beside them counts for nothing. Not there where it has decided. */
  readonly collect?: readonly CollectName[];
  /** What it can be explained by later; not there where the engine gave no answer. */
  readonly trace?: DecisionTrace;
};

/** One revision of one policy: a request keeps the one it was given, whatever is activated meanwhile. */
export interface ActivePolicy {
  readonly name: string;
  readonly revision: string;
  /** What it says of its own records; null, or left out: nothing. */
  readonly logRules?: LogRules | null;
  routeOf(request: DecisionRequest): Route;
  /** The other revision that this caller gets, asked once it is known who asks; the route is then its route. Null, or left out: this one. */
  readonly forCaller?: (request: DecisionRequest, identity: Identity) => ActivePolicy | null;
  /** Never throws: an engine failure is a deny with `error`. */
  decide(request: DecisionRequest, identity: Identity, enrichment: EnrichmentSignals, route: Route): Evaluated;
}

/** Why no policy answers. */
export type RefusedPolicy = {
  readonly refused: ErrorCode;
  /** The one that would, if it had all its data; left out where there is none. */
  readonly policy?: ActivePolicy;
  /** True where its catalogue of routes, or a part of it, is what is not there: then a request may fall on any route, whatever it is found to. */
  readonly routesMissing?: boolean;
};

/** The policies of this process. */
export interface Policies {
  /** The policy that answers this request, or why there is none. */
  select(request: DecisionRequest): ActivePolicy | RefusedPolicy;
  /** A deny that no policy made: no policy, deadline, failure of a stage. */
  failed(request: DecisionRequest, code: ErrorCode, policy: ActivePolicy | null): Decision;
}

/** WHAT happened; never throws and never waits. */
export interface Recorder {
  /** Why a decision must not be answered now: it could not be recorded; null where it may. Left out: it always may. */
  refuses?(): ErrorCode | null;
  record(record: DecisionRecord): void;
}

/** Learns from what was decided, once a decision, after it was recorded; never throws and never waits. */
export interface Observer {
  observe(record: DecisionRecord): void;
}

/** Says where a decision is made and not enforced; never throws. */
export interface Monitor {
  /** What is answered instead of a decision that is no allow; null where it is enforced. An allow is told too, for what it sets upstream. */
  answer(
    request: DecisionRequest,
    decision: Decision,
    known: {
      readonly route: Route | null;
      /** Whether the catalogue that the route is of was not all there. */
      readonly routesMissing?: boolean | undefined;
      readonly identity: Identity | null;
      readonly enrichment: EnrichmentSignals | null;
    },
  ): { readonly by: MonitoredBy; readonly decision: Decision } | null;
}

/** The time, passed in so that tests and replays own it. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds on a scale that never goes back. */
  monotonic(): number;
}

/** Makes decision ids: UUIDv7 (RFC 9562). */
export type NewId = () => string;

/** Operational log lines (not decisions): a stable event name and plain fields, never a credential. */
export interface Logger {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}
