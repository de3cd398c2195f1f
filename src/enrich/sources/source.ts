import { hash } from 'node:crypto';
import type { SourceCode, SourceStatus } from '../../contract/sources.ts';
import type { Awaitable, Clock, Logger } from '../../contract/stages.ts';
import { within } from '../../contract/within.ts';
import type { CreateBoundedCache } from '../../stores/bounded-cache.ts';
import type { CircuitBreaker } from '../../stores/circuit-breaker.ts';
import type { GuardedExchange } from '../../stores/guarded-exchange.ts';
import { type Judged, judgeAnswer, type SourceSignal } from './answer.ts';
import type { PickAttributes } from './attributes.ts';
import type { SourceHeaders } from './credentials.ts';
import type { SourceOptions } from './options.ts';
import type { Question, QuestionTemplate } from './question.ts';
import { createSourceTally } from './source-tally.ts';
import type { QuestionFacts } from './template-values.ts';

/** Part of the deadline that is left for the stages after the answer. */
const DEADLINE_RESERVE_MS = 20;
/** What an entry takes beside its texts, and how much more than its JSON the members of an answer take. */
const ENTRY_BYTES = 512;
const MEMBERS_FACTOR = 5;

export type SourceParts = {
  readonly template: QuestionTemplate;
  readonly pick: PickAttributes;
  readonly headers: SourceHeaders;
  readonly exchange: Awaitable<GuardedExchange | null>;
  readonly breaker: CircuitBreaker;
  readonly createCache: CreateBoundedCache;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** One source of attributes. */
export interface Source {
  readonly name: string;
  readonly when: 'prefetch' | 'collect';
  /** What it says about a request: at once where that is known, else before the request's deadline. Never throws or rejects. */
  ask(facts: QuestionFacts): Awaitable<SourceSignal>;
  stop(): void;
  status(): SourceStatus;
}

type Kept = { readonly signal: SourceSignal; readonly untilMs: number };

/**
 * Asks once for all who have the same question meanwhile; bounds what is in flight, and leaves a source alone that keeps failing. A question goes on
 * behind a request that could not wait for it, so that the next one finds the answer.
 */
export function createSource(options: SourceOptions, parts: SourceParts): Source {
  const { template, pick, headers, breaker, clock } = parts;
  const { name, when, notFound, cacheSeconds, negativeCacheSeconds } = options;
  const cache = parts.createCache<Kept>({ bytesMax: options.cacheBytesMax });
  const inFlight = new Map<string, Promise<SourceSignal>>();
  const tally = createSourceTally(name, parts);
  // another configuration has other keys, should a cache ever outlive one
  const generation = hash('sha256', JSON.stringify(options), 'base64url');

  function ask(facts: QuestionFacts): Awaitable<SourceSignal> {
    const question = template.fill(facts);
    if (typeof question === 'string') return { status: question === 'placeholder_missing' ? 'absent' : 'invalid', code: question };
    const key = `${generation} ${question.key}`;
    const known = cache.get(key);
    if (known !== undefined && clock.monotonic() < known.untilMs) {
      tally.cached();
      return known.signal;
    }
    const running = inFlight.get(key) ?? begin(key, question);
    if (typeof running === 'string') {
      tally.shed();
      return unavailable(running);
    }
    const waitMs = facts.request.deadlineAtMs - clock.monotonic() - DEADLINE_RESERVE_MS;
    return waitMs <= 0 ? unavailable('deadline') : within(waitMs, running, unavailable('deadline'));
  }

  function begin(key: string, question: Question): Promise<SourceSignal> | SourceCode {
    if (inFlight.size >= options.concurrencyMax) return 'concurrency_full';
    if (!breaker.allows()) return 'breaker_open';
    const sinceMs = clock.monotonic();
    const running = send(question)
      .catch((): Judged => ({ signal: unavailable('internal'), works: false }))
      .then((judged) => conclude(key, judged, clock.monotonic() - sinceMs))
      .finally(() => inFlight.delete(key));
    inFlight.set(key, running);
    return running;
  }

  async function send({ target, body }: Question): Promise<Judged> {
    const exchange = await parts.exchange;
    const known = exchange === null ? null : await headers.current();
    if (exchange === null || known === null) return { signal: unavailable('credential_unreadable'), works: false };
    const typed = body === null ? known : { ...known, 'content-type': 'application/json' };
    const answer = await exchange.send({ method: options.method, target, headers: typed, body });
    if (answer.ok && (answer.status === 401 || answer.status === 403)) headers.refused();
    return judgeAnswer(answer, { pick, notFound, nowSeconds: Math.floor(clock.now() / 1000) });
  }

  function conclude(key: string, { signal, works }: Judged, tookMs: number): SourceSignal {
    if (works) breaker.succeeded();
    else breaker.failed();
    tally.answered(signal, works, tookMs);
    // what was said before no longer holds, unless nothing was said now
    const seconds = signal.status === 'present' ? cacheSeconds : signal.status === 'unavailable' ? 0 : negativeCacheSeconds;
    if (seconds > 0) {
      const bytes = ENTRY_BYTES + key.length * 2 + JSON.stringify(signal).length * MEMBERS_FACTOR;
      cache.set(key, { signal, untilMs: clock.monotonic() + seconds * 1000 }, bytes);
    } else cache.delete(key);
    return signal;
  }

  return {
    name,
    when,
    ask,
    stop() {
      tally.stop();
      if (!(parts.exchange instanceof Promise)) parts.exchange?.stop();
      else void parts.exchange.then((exchange) => exchange?.stop());
    },
    status: () => ({ name, when, inFlight: inFlight.size, entries: cache.entries, ...tally.status(breaker.open) }),
  };
}

function unavailable(code: SourceCode): SourceSignal {
  return { status: 'unavailable', code };
}
