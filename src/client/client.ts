import { systemClock } from '../system-clock.ts';
import { checkUrl } from './check-url.ts';
import { createExchange, type TlsSettings } from './exchange.ts';
import { type Failure, failed, type Outcome } from './outcome.ts';
import type { Question, Report } from './question.ts';
import { readAnswer } from './read-answer.ts';

export type { Failure, FailureCode, Outcome } from './outcome.ts';
export type { Question, Report } from './question.ts';

export type ClientOptions = {
  /** Where Countersign listens for gateways, for example `https://countersign.internal:8080`. */
  readonly url: string;
  /** The application's token as a gateway; a function is asked for each question, so that a replaced token is taken. Left out: by certificate, or anonymous. */
  readonly token?: string | (() => string);
  /** From a question to the last byte of its answer, milliseconds; by default 500. Countersign itself takes no longer than `decisions.deadlineMs` (150). */
  readonly timeoutMs?: number;
  /** Connections that are kept at most; by default 64. */
  readonly connectionsMax?: number;
  /** Questions on their way at most, more are denied; by default 1024. */
  readonly inFlightMax?: number;
  /** By default 1 MiB. */
  readonly answerBytesMax?: number;
  readonly tls?: TlsSettings;
  /** Ask by plain http over a network: token and evidence can be read, and answers forged, by whoever is on the way. */
  readonly allowInsecureHttp?: boolean;
};

/** What became of a report. */
export type Reported = { readonly ok: true } | { readonly ok: false; readonly failure: Failure };

/** Asks Countersign. */
export interface Client {
  /** One decision. Never rejects: whatever goes wrong is a deny, with `failure`. */
  decide(question: Question, options?: { readonly signal?: AbortSignal }): Promise<Outcome>;
  /** Says what became of a request that was decided; the gateway needs the trust `feedback`. Never rejects. */
  report(report: Report): Promise<Reported>;
  /** Closes what is kept; questions after that are denied. */
  close(): void;
}

/**
 * A client that keeps its connections and fails closed.
 * @throws TypeError where the URL is none, or plain http over a network
 */
export function createClient(options: ClientOptions): Client {
  const { token, timeoutMs = 500, inFlightMax = 1024 } = options;
  const exchange = createExchange({
    url: checkUrl(options.url, options.allowInsecureHttp === true),
    tls: options.tls ?? {},
    connectionsMax: options.connectionsMax ?? 64,
    answerBytesMax: options.answerBytesMax ?? 1_048_576,
    monotonic: () => systemClock.monotonic(),
  });
  let inFlight = 0;
  let closed = false;

  function headers(): Record<string, string> {
    const shown = typeof token === 'function' ? token() : token;
    const base = { 'content-type': 'application/json', accept: 'application/json' };
    return shown === undefined ? base : { ...base, authorization: `Bearer ${shown}` };
  }

  async function post(path: string, said: Question | Report, signal: AbortSignal | undefined) {
    if (closed) return { failure: 'closed', detail: null } as const;
    if (inFlight >= inFlightMax) return { failure: 'overloaded', detail: null } as const;
    inFlight++;
    try {
      return await exchange.post({ path, headers: headers(), body: Buffer.from(JSON.stringify(said)), timeoutMs, signal });
    } catch {
      // a token that no header can hold, a cycle, a bigint: the message could quote it
      return { failure: 'question_invalid', detail: null } as const;
    } finally {
      inFlight--;
    }
  }

  return {
    async decide(question, { signal } = {}) {
      const answered = await post('/decide', question, signal);
      return 'failure' in answered ? failed(answered.failure, answered.detail) : readAnswer(answered);
    },
    async report(report) {
      const answered = await post('/feedback', report, undefined);
      if ('failure' in answered) return { ok: false, failure: { code: answered.failure, detail: answered.detail } };
      if (answered.status === 204) return { ok: true };
      return {
        ok: false,
        failure: readAnswer({ ...answered, status: answered.status === 200 ? 500 : answered.status }).failure ?? NOT_TAKEN,
      };
    },
    close() {
      closed = true;
      exchange.close();
    },
  };
}

const NOT_TAKEN: Failure = { code: 'refused', detail: null };
