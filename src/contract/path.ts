import type { UpstreamProof } from './assertion.ts';
import type { CollectSources, Facts } from './collect.ts';
import type { Decision } from './decision.ts';
import type { Identity } from './identity.ts';
import type { FurtherItem } from './record.ts';
import type { DecisionRequest } from './request.ts';
import type { Route } from './route.ts';
import type { EnrichmentSignals } from './signals.ts';
import type { ActivePolicy, Awaitable, Clock, Enricher, Identifier, Monitor, Policies, Recorder } from './stages.ts';

/** The four stages, what a policy can ask for besides, and the clock that they are timed by. */
export type PdpParts = {
  readonly policies: Policies;
  readonly identifier: Identifier;
  readonly enricher: Enricher;
  readonly sources: CollectSources;
  readonly recorder: Recorder;
  /** Left out: every decision is enforced. */
  readonly monitor?: Monitor;
  /** Left out: upstreams are told, and nothing is proven to them. */
  readonly proof?: UpstreamProof;
  readonly clock: Clock;
};

/** How far one request has come; what a failure leaves unknown stays null in the record. */
export type Progress = {
  policy: ActivePolicy | null;
  route: Route | null;
  /** True where the catalogue that the route is of is not all there. */
  routesMissing?: boolean;
  identity: Identity | null;
  enrichment: EnrichmentSignals | null;
  readonly startedAtMs: number;
  identifiedAtMs: number;
  enrichedAtMs: number;
  /** Of a batch, not the first. */
  readonly further?: FurtherItem | undefined;
};

/** What is known of a request before its policy is asked. */
export type Gathered = Facts & { readonly policy: ActivePolicy; readonly route: Route };

/** The path in its two halves, before a policy is asked and after: both may throw, `fail` makes the deny of it. */
export type Path = {
  begin(): Progress;
  gather<T>(request: DecisionRequest, progress: Progress, next: (known: Gathered) => Awaitable<T>): Awaitable<T>;
  /** In place of `gather` for a further item of a batch: all that is known is of its call, but for what is counted for each item by itself. */
  further<T>(request: DecisionRequest, progress: Progress, known: Gathered, next: (known: Gathered) => Awaitable<T>): Awaitable<T>;
  judge(request: DecisionRequest, progress: Progress, known: Gathered): Awaitable<Decision>;
  fail(request: DecisionRequest, progress: Progress, thrown: unknown): Decision;
};
