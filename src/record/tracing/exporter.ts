import { asCountersignError } from '../../contract/errors.ts';
import type { Logger } from '../../contract/stages.ts';
import type { TracingStatus } from '../../contract/trace.ts';
import type { HttpSendAnswer, HttpSendRequest } from '../../stores/http-send.ts';
import { type EncodeSpans, parseRejectedSpans } from './otlp.ts';
import type { Span } from './span.ts';

/** Where spans go, and how many may wait. */
export type ExporterOptions = {
  readonly endpoint: string;
  readonly allowInsecureHttp: boolean;
  readonly queueSpansMax: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
};

export type ExporterParts = {
  readonly encode: EncodeSpans;
  readonly contentType: string;
  /** Headers of the configuration, or null where a secret of them cannot be read. */
  readonly headers: () => Promise<Readonly<Record<string, string>> | null>;
  readonly send: (request: HttpSendRequest, answerBytesMax: number) => Promise<HttpSendAnswer>;
  readonly logger: Logger;
  /** From 0 to 1, for the jitter of retries. */
  readonly random: () => number;
};

/** Hands spans to a collector by OTLP over HTTP. */
export interface Exporter {
  /** Takes the spans of one call, or drops and counts all of them where they do not fit. Never waits. */
  add(spans: readonly Span[]): void;
  status(): TracingStatus;
  /** Sends what waits, for `boundMs` at most; what is left then is counted as dropped. */
  close(boundMs: number): Promise<void>;
}

/** So many in one export, and what the last call of them brings beyond: encoding them takes about a millisecond of the event loop. */
const BATCH_SPANS = 512;
const ANSWER_BYTES_MAX = 65_536;
/** OTLP/HTTP, "Failures": what may be sent again. All else is dropped. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const ATTEMPTS_MAX = 5;
const RETRY_MS = 500;
const RETRY_MAX_MS = 30_000;

/** One export at a time, so that a slow collector costs spans and nothing else. */
export function createExporter(options: ExporterOptions, parts: ExporterParts): Exporter {
  const { encode, contentType, headers, send, logger, random } = parts;
  /** Batches in the making: whole ones first, so that taking one moves no other span. */
  let batches: Span[][] = [];
  let queued = 0;
  let sending: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  let wake: (() => void) | null = null;
  const counts = { exported: 0, droppedFull: 0, droppedFailed: 0 };
  let inHand = 0;
  let lastError: string | null = null;

  function add(spans: readonly Span[]): void {
    if (closed || queued + inHand + spans.length > options.queueSpansMax) {
      counts.droppedFull += spans.length;
      return;
    }
    let last = batches.at(-1);
    if (last === undefined || last.length >= BATCH_SPANS) {
      last = [];
      batches.push(last);
    }
    last.push(...spans);
    queued += spans.length;
    if (last.length >= BATCH_SPANS) start();
    else if (sending === null) timer ??= setTimeout(start, options.intervalMs).unref();
  }

  function start(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    sending ??= drain().finally(() => {
      sending = null;
      if (queued > 0 && !closed) timer ??= setTimeout(start, options.intervalMs).unref();
    });
  }

  /** Until less than a batch waits; at the end until nothing does. */
  async function drain(): Promise<void> {
    do {
      const batch = batches.shift();
      if (batch === undefined) return;
      queued -= batch.length;
      inHand = batch.length;
      // the request that filled the batch is answered first
      await new Promise<void>((resolve) => void setImmediate(resolve));
      await deliver(batch);
      inHand = 0;
    } while (queued >= BATCH_SPANS || (closed && queued > 0));
  }

  async function deliver(batch: readonly Span[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await post(batch);
      if (outcome.taken !== null) {
        counts.exported += outcome.taken;
        counts.droppedFailed += batch.length - outcome.taken;
        lastError = outcome.error;
        return;
      }
      if (lastError !== outcome.error) logger.warn('trace_export_failed', { error: outcome.error });
      lastError = outcome.error;
      if (!outcome.again || attempt === ATTEMPTS_MAX || closed) {
        counts.droppedFailed += batch.length;
        return;
      }
      await pause(outcome.afterMs ?? Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (attempt - 1)) * (0.5 + random()));
    }
  }

  async function post(batch: readonly Span[]): Promise<Outcome> {
    const { endpoint: url, timeoutMs, allowInsecureHttp } = options;
    try {
      const own = await headers();
      if (own === null) return { taken: null, error: 'headers_unreadable', again: true };
      const request = { method: 'POST' as const, url, headers: { ...own, 'content-type': contentType }, body: encode(batch) };
      const answer = await send({ ...request, timeoutMs, allowInsecureHttp }, ANSWER_BYTES_MAX);
      if (answer.status >= 200 && answer.status < 300) {
        const rejected = Math.min(batch.length, parseRejectedSpans(answer.contentType, answer.bytes));
        return { taken: batch.length - rejected, error: rejected === 0 ? null : 'spans_rejected' };
      }
      const again = RETRYABLE.has(answer.status);
      return { taken: null, error: `status_${answer.status}`, again, afterMs: again ? (answer.retryAfterMs ?? null) : null };
    } catch (thrown) {
      return { taken: null, error: asCountersignError(thrown, 'internal_error').code, again: true };
    }
  }

  function pause(forMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timeout = setTimeout(resolve, Math.min(forMs, RETRY_MAX_MS)).unref();
      wake = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }

  async function close(boundMs: number): Promise<void> {
    closed = true;
    wake?.();
    if (sending !== null || queued > 0) {
      start();
      let bound: NodeJS.Timeout | null = null;
      const late = new Promise<void>((resolve) => {
        bound = setTimeout(resolve, boundMs);
      });
      await Promise.race([emptied(), late]);
      if (bound !== null) clearTimeout(bound);
    }
    counts.droppedFailed += queued;
    batches = [];
    queued = 0;
  }

  async function emptied(): Promise<void> {
    await sending;
    if (queued > 0) {
      start();
      await sending;
    }
  }

  return { add, close, status: () => ({ queued: queued + inHand, ...counts, lastError }) };
}

/** `taken` is null where nothing was. */
type Outcome =
  | { readonly taken: number; readonly error: string | null }
  | { readonly taken: null; readonly error: string; readonly again: boolean; readonly afterMs?: number | null };
