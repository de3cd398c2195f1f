import { hash } from 'node:crypto';
import { asCountersignError, type CountersignError } from '../../contract/errors.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Awaitable, Clock, Logger } from '../../contract/stages.ts';
import type { IntrospectionStatus } from '../../contract/status.ts';
import { within } from '../../contract/within.ts';
import type { CircuitBreaker } from '../../stores/circuit-breaker.ts';
import type { IssuerOptions } from '../options.ts';
import { invalid, type TokenOutcome, unavailable } from '../token-outcome.ts';
import { judgeTimes } from '../token-times.ts';
import type { VerificationBudget } from '../verification-budget.ts';
import { type AnswerRules, isActive, readAnswer } from './answer.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { IntrospectionEndpoint } from './endpoint.ts';
import type { IntrospectionOptions } from './options.ts';

/** Part of the deadline that is left for the stages after the answer. */
const DEADLINE_RESERVE_MS = 20;

export type IntrospectorParts = {
  readonly endpoint: IntrospectionEndpoint;
  readonly cache: AnswerCache;
  readonly breaker: CircuitBreaker;
  readonly budget: VerificationBudget;
  readonly accountOf: (request: DecisionRequest) => string | null;
  readonly actorDepthMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** One authorization server that is asked about tokens. */
export interface Introspector {
  /** What the server says of a token: at once where it is known, else by its deadline at the latest. Never throws. */
  introspect(token: string, request: DecisionRequest): Awaitable<TokenOutcome>;
  stop(): void;
  status(): IntrospectionStatus;
}

const INACTIVE = invalid('token_inactive');
const UNAVAILABLE = unavailable('introspection_unavailable');
const EXHAUSTED = unavailable('verification_budget_exhausted');

/**
 * Asks once for all who ask about the same token meanwhile; bounds what is in flight, and leaves a server alone that keeps failing. A question goes on
 * behind a request that could not wait for it, so that the next one finds the answer.
 */
export function createIntrospector(issuer: IssuerOptions, options: IntrospectionOptions, parts: IntrospectorParts): Introspector {
  const { endpoint, cache, breaker, budget, accountOf, clock, logger } = parts;
  const stopping = new AbortController();
  const inFlight = new Map<string, Promise<TokenOutcome>>();
  // another configuration has other keys, should a cache ever outlive one
  const generation = hash('sha256', JSON.stringify(issuer), 'base64url');
  const rules: AnswerRules = {
    issuer: issuer.issuer,
    audiences: issuer.allowAnyAudience ? null : new Set(issuer.audiences),
    actorDepthMax: parts.actorDepthMax,
    tokenTypeRequired: options.tokenTypeRequired,
  };
  const answers = { active: 0, inactive: 0, failed: 0 };
  let shed = 0;
  let lastError: CountersignError | null = null;

  function keyOf(token: string): string {
    // neither part can hold a line break, so no two pairs make the same text
    return hash('sha256', `${generation} ${endpoint.identity}\n${token}`, 'base64url');
  }

  function introspect(token: string, request: DecisionRequest): Awaitable<TokenOutcome> {
    const key = keyOf(token);
    const nowMs = request.receivedAtMs;
    const known = cache.get(key, nowMs);
    if (known !== undefined) return judged(known, nowMs);
    const account = accountOf(request);
    if (!budget.allows(account, nowMs)) return EXHAUSTED;
    const question = inFlight.get(key) ?? begin(key, token, account, nowMs);
    if (question === null) {
      shed++;
      return UNAVAILABLE;
    }
    const leftMs = request.deadlineAtMs - clock.monotonic() - DEADLINE_RESERVE_MS;
    return within(leftMs, question, UNAVAILABLE).then((outcome) => judged(outcome, nowMs));
  }

  /** Times are judged at each use, by the request's own clock. */
  function judged(outcome: TokenOutcome, nowMs: number): TokenOutcome {
    if (!isActive(outcome)) return outcome;
    const code = judgeTimes(outcome.signal.value, nowMs / 1000, issuer);
    return code === null ? outcome : invalid(code);
  }

  function begin(key: string, token: string, account: string | null, nowMs: number): Promise<TokenOutcome> | null {
    if (inFlight.size >= options.concurrencyMax || !breaker.allows()) return null;
    const question = ask(token, account, nowMs).finally(() => inFlight.delete(key));
    inFlight.set(key, question);
    return question;
  }

  async function ask(token: string, account: string | null, nowMs: number): Promise<TokenOutcome> {
    try {
      const members = await endpoint.ask(token, stopping.signal);
      succeed();
      const read = members === null ? INACTIVE : readAnswer(token, members, rules, Math.floor(nowMs / 1000));
      const outcome = typeof read === 'string' ? invalid(read) : read;
      if (isActive(outcome)) answers.active++;
      else {
        answers.inactive++;
        budget.spend(account, nowMs);
      }
      const seconds = isActive(outcome) ? options.cacheSeconds : options.inactiveCacheSeconds;
      // the address may have been found on the way, and is part of the key
      cache.set(keyOf(token), outcome, nowMs, seconds);
      return outcome;
    } catch (thrown) {
      fail(asCountersignError(thrown, 'introspection_invalid'), account, nowMs);
      return UNAVAILABLE;
    }
  }

  function succeed(): void {
    breaker.succeeded();
    if (lastError !== null) logger.info('introspection_recovered', { issuer: issuer.issuer });
    lastError = null;
  }

  function fail(error: CountersignError, account: string | null, nowMs: number): void {
    answers.failed++;
    if (isOfThisToken(error)) {
      // the server works; whoever makes it stumble pays for it, and takes it away from nobody else
      breaker.succeeded();
      budget.spend(account, nowMs);
    } else breaker.failed();
    if (stopping.signal.aborted) return;
    const level = error.code === lastError?.code ? 'debug' : 'warn';
    logger[level]('introspection_failed', { issuer: issuer.issuer, code: error.code, error: error.message });
    lastError = error;
  }

  return {
    introspect,
    stop: () => stopping.abort(),
    status: () => ({
      issuer: issuer.issuer,
      state: breaker.open ? 'open' : lastError !== null ? 'failing' : answers.active + answers.inactive === 0 ? 'never_asked' : 'ready',
      inFlight: inFlight.size,
      answers: { ...answers },
      shed,
      lastError: lastError?.code ?? null,
    }),
  };
}

/** True where another token might well get an answer. */
function isOfThisToken({ code }: CountersignError): boolean {
  return code === 'introspection_invalid' || code === 'fetch_too_large';
}
