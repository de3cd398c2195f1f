import type { Decision } from './decision.ts';
import type { PolicyException } from './exceptions.ts';
import type { JsonObject, JsonValue } from './json.ts';
import type { DecisionRequest } from './request.ts';
import type { MonitoredBy } from './rollout.ts';

/* Why a decision is as it is: what is kept of one, and what it is explained by. */

/** What was evaluated, as two texts: all that an explanation is made from, once it is asked for. */
export type DecisionTrace = {
  /** The input document; null where it may hold credentials. */
  readonly input: string | null;
  /** What the policy engine said. */
  readonly answer: string;
  readonly exceptions: readonly PolicyException[];
};

/** Signals, every verdict, and `rules`: which spoke, were clear or undecided, by what they read, with what would lift them. */
export type Explanation = {
  readonly signals: JsonValue;
  readonly verdicts: JsonValue;
  readonly rules: JsonObject;
};

/** What hides what a client could have put into an input. */
export type Redact = (input: JsonValue) => JsonValue;

/** What hides what a policy says beside the effects; left out, all of it is shown. */
export type RedactSaid = (said: JsonObject) => JsonObject;

/** Explains decisions of one revision; it holds nothing of the revision that is large. */
export type Explainer = (decision: Decision, trace: DecisionTrace, redact: Redact, redactSaid?: RedactSaid) => Explanation;

/** How a decision was asked for. */
export type AskedDecision = Pick<DecisionRequest, 'requestId' | 'endpoint' | 'receivedAtMs'> & {
  readonly pep: string;
  readonly request: { readonly method: string; readonly host: string; readonly path: string } | null;
  /** Who let the request pass although it was not allowed; not there where the decision is enforced. */
  readonly monitoredBy?: MonitoredBy;
  /** Milliseconds from the question to the decision. */
  readonly totalMs: number;
};

/** A decision of the last ones; `explanation` is null where no policy was evaluated or its revision is not known any more. */
export type RecentDecision = { readonly decision: Decision; readonly asked: AskedDecision };
