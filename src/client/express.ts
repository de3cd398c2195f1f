import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../contract/json.ts';
import { applyUpstream, sendRefusal } from './apply-outcome.ts';
import type { AssertionVerifier } from './assertion.ts';
import type { AssertionClaims } from './assertion-claims.ts';
import type { Client } from './client.ts';
import { type Outcome, plainResponse } from './outcome.ts';
import type { Question } from './question.ts';
import type { AssertionRefusal } from './refusals.ts';
import { type HttpRequest, questionOf } from './request-question.ts';

export type { Outcome } from './outcome.ts';
export type { HttpRequest } from './request-question.ts';

/** Middleware of Express, of Connect, or around a listener of `node:http`. */
export type Middleware = (request: HttpRequest, response: ServerResponse, next: (error?: unknown) => void) => void;

export type CountersignOptions = {
  readonly client: Client;
  /** What the application adds to the question, or says otherwise: subject, action, resource, context, policy. Members replace ours whole. */
  readonly question?: (request: HttpRequest) => Question;
  /** Meets an obligation of an allow, or says that it cannot; left out, a decision with obligations is denied. */
  readonly fulfil?: (obligation: JsonObject, request: HttpRequest) => boolean | Promise<boolean>;
  /** Told every outcome before it is acted on, for logs and metrics. */
  readonly onOutcome?: (outcome: Outcome, request: HttpRequest) => void;
};

const outcomes = new WeakMap<IncomingMessage, Outcome>();
const assertions = new WeakMap<IncomingMessage, AssertionClaims>();

/** What was decided about a request that `createCountersign` let pass; null where it did not see it. */
export function outcomeOf(request: IncomingMessage): Outcome | null {
  return outcomes.get(request) ?? null;
}

/** What was proven of a request that `createAssertionGuard` let pass; null where it did not see it. */
export function assertionOf(request: IncomingMessage): AssertionClaims | null {
  return assertions.get(request) ?? null;
}

/**
 * Asks Countersign about every request, and lets pass what it allows, with its headers set as a gateway would. Everything else gets the answer that
 * Countersign has for it, with challenges and Retry-After; without a decision that is a 503. What the application's own functions throw goes to
 * `next`, and the request no further.
 */
export function createCountersign({ client, question, fulfil, onOutcome }: CountersignOptions): Middleware {
  async function judge(request: HttpRequest, response: ServerResponse): Promise<boolean> {
    const left = new AbortController();
    const onClose = (): void => left.abort();
    response.on('close', onClose);
    const outcome = await client.decide({ ...questionOf(request), ...question?.(request) }, { signal: left.signal });
    response.off('close', onClose);
    onOutcome?.(outcome, request);
    // exactly true: whatever stands in for the client
    if (outcome.allowed !== true) {
      sendRefusal(response, outcome.response ?? plainResponse(503));
      return false;
    }
    if (!(await isFulfilled(outcome, request))) {
      sendRefusal(response, plainResponse(403));
      return false;
    }
    applyUpstream(request, response, outcome.upstream);
    outcomes.set(request, outcome);
    return true;
  }

  /** What cannot be done as it was said is not done in part. */
  async function isFulfilled({ upstream, obligations }: Outcome, request: HttpRequest): Promise<boolean> {
    // the application has parsed its query already, or will from a URL that is not ours to change
    if (Object.keys(upstream.queryToSet).length > 0 || upstream.queryToRemove.length > 0) return false;
    for (const obligation of obligations) if ((await fulfil?.(obligation, request)) !== true) return false;
    return true;
  }

  return (request, response, next) => {
    judge(request, response).then((passes) => {
      if (passes) next();
    }, next);
  };
}

export type AssertionGuardOptions = {
  readonly verifier: AssertionVerifier;
  /** Told why a request was refused. */
  readonly onRefused?: (code: AssertionRefusal, request: HttpRequest) => void;
};

/** Lets pass only what a gateway brings with Countersign's assertion; everything else is 403, and 503 while there are no keys to verify by. */
export function createAssertionGuard({ verifier, onRefused }: AssertionGuardOptions): Middleware {
  async function judge(request: HttpRequest, response: ServerResponse): Promise<boolean> {
    const verified = await verifier.verify(request.headersDistinct['x-countersign-assertion']);
    if (verified.ok === true) {
      assertions.set(request, verified.claims);
      return true;
    }
    onRefused?.(verified.code, request);
    sendRefusal(response, plainResponse(verified.code === 'assertion_keys_unavailable' ? 503 : 403));
    return false;
  }

  return (request, response, next) => {
    judge(request, response).then((passes) => {
      if (passes) next();
    }, next);
  };
}
