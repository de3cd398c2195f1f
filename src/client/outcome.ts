import type { JsonObject } from '../contract/json.ts';

/** Why there is no decision; stable codes, for logs and metrics. */
export type FailureCode =
  /** Not within `timeoutMs`. */
  | 'timeout'
  /** No connection, or one that broke. */
  | 'unreachable'
  /** By the signal of the caller. */
  | 'aborted'
  /** `inFlightMax` questions are on their way. */
  | 'overloaded'
  /** The client was closed. */
  | 'closed'
  /** The question cannot be written as JSON. */
  | 'question_invalid'
  /** Countersign did not take the question: `detail` is the code of its problem. */
  | 'refused'
  | 'answer_too_large'
  /** No answer of the form that this version knows. */
  | 'answer_invalid'
  /** A decision that this version does not know. */
  | 'effect_unknown';

/** `detail` is a code, never a value of the request. */
export type Failure = { readonly code: FailureCode; readonly detail: string | null };

/** A header's one value, or its lines. */
export type HeaderLines = string | readonly string[];

export type OutcomeReason = {
  readonly code: string;
  readonly effect: string;
  readonly title: string;
  readonly details: JsonObject;
};

/** What would turn a step_up into an allow. */
export type OutcomeStepUp = {
  readonly kind: string;
  readonly methods: readonly string[];
  readonly acrValues: readonly string[];
  readonly maxAgeSeconds: number | null;
  readonly scopes: readonly string[];
};

/** Changes to the request that goes on, and to its answer; lower-case names. */
export type OutcomeUpstream = {
  readonly headersToSet: Readonly<Record<string, HeaderLines>>;
  readonly headersToRemove: readonly string[];
  readonly responseHeadersToSet: Readonly<Record<string, HeaderLines>>;
  readonly responseHeadersToAdd: Readonly<Record<string, HeaderLines>>;
  readonly queryToSet: Readonly<Record<string, HeaderLines>>;
  readonly queryToRemove: readonly string[];
};

/** What the caller is to get. */
export type OutcomeResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, HeaderLines>>;
  readonly body: JsonObject | string;
};

/** The answer to a question: there always is one, and without a decision it is a deny. */
export type Outcome = {
  /** All that has to be looked at: true for an allow, and for what monitor mode lets pass. */
  readonly allowed: boolean;
  readonly effect: 'allow' | 'deny' | 'step_up';
  /** Null where there is a decision. */
  readonly failure: Failure | null;
  /** What was decided where that is not enforced (monitor mode). */
  readonly would: 'deny' | 'step_up' | null;
  readonly decisionId: string | null;
  /** The first is the one that decided; empty on a failure. */
  readonly reasons: readonly OutcomeReason[];
  readonly assurance: { readonly level: number; readonly required: number };
  readonly riskScore: number;
  readonly stepUp: OutcomeStepUp | null;
  readonly obligations: readonly JsonObject[];
  readonly upstream: OutcomeUpstream;
  /** Null where it is allowed. */
  readonly response: OutcomeResponse | null;
  /** The answer as it came; null where none did. */
  readonly answer: JsonObject | null;
};

export const NO_CHANGES: OutcomeUpstream = {
  headersToSet: {},
  headersToRemove: [],
  responseHeadersToSet: {},
  responseHeadersToAdd: {},
  queryToSet: {},
  queryToRemove: [],
};

const TITLES = { 403: 'Forbidden', 503: 'Service Unavailable' } as const;

/** A problem (RFC 9457) that says no more than its status. */
export function plainResponse(status: keyof typeof TITLES): OutcomeResponse {
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  return {
    status,
    headers: status === 503 ? { ...headers, 'retry-after': '1' } : headers,
    body: { type: 'about:blank', title: TITLES[status], status },
  };
}

/** The deny of a question without a decision. */
export function failed(code: FailureCode, detail: string | null = null, answer: JsonObject | null = null): Outcome {
  return {
    allowed: false,
    effect: 'deny',
    failure: { code, detail },
    would: null,
    decisionId: null,
    reasons: [],
    assurance: { level: 0, required: 0 },
    riskScore: 0,
    stepUp: null,
    obligations: [],
    upstream: NO_CHANGES,
    response: plainResponse(503),
    answer,
  };
}
