import { AsyncLocalStorage } from 'node:async_hooks';
import type { DecisionRecord } from '../../contract/record.ts';
import type { Awaitable, Clock } from '../../contract/stages.ts';
import type { CallTrace, Tracing, TracingStatus } from '../../contract/trace.ts';
import type { Exporter } from './exporter.ts';
import { createTraceIds } from './ids.ts';
import { OpenTrace, type TraceParts } from './open-trace.ts';
import type { Attribute } from './span.ts';

export type TracerOptions = { readonly ratio: number; readonly parent: 'request' | 'call' | 'none' };

export type TracerParts = {
  readonly clock: Clock;
  /** Cryptographic. */
  readonly randomBytes: (size: number) => Uint8Array;
  /** Null: nothing is exported. */
  readonly exporter: Exporter | null;
};

/** A question to another system. */
export type Question<T> = {
  /** Of the span: one of a few. */
  readonly name: string;
  readonly attributes: readonly Attribute[];
  /** @param headers what the other system is told of the trace; empty where the question belongs to no call */
  readonly ask: (headers: Readonly<Record<string, string>>) => Awaitable<T>;
  /** Stable code of what failed in the answer, or null. */
  readonly failure: (answer: T) => string | null;
};

/** Follows calls through the process. */
export interface Tracer extends Tracing {
  /** Notes what was decided; at once after it was. */
  observe(record: DecisionRecord): void;
  /** Does the work for a call: what it asks of other systems, now or later, is that call's. */
  within<T>(trace: CallTrace | undefined, work: () => T): T;
  /** Asks another system, as a part of the call that is at work; an answer that is there at once is no span. */
  ask<T>(question: Question<T>): Awaitable<T>;
  status(): TracingStatus;
  close(boundMs: number): Promise<void>;
}

const NO_HEADERS = Object.freeze({});
const NOTHING: TracingStatus = { queued: 0, exported: 0, droppedFull: 0, droppedFailed: 0, lastError: null };

/** Makes the tracer of this process. */
export function createTracer(options: TracerOptions, { clock, randomBytes, exporter }: TracerParts): Tracer {
  const atWork = new AsyncLocalStorage<OpenTrace>();
  const ids = createTraceIds(randomBytes);
  const monotonic = (): number => clock.monotonic();
  const parts: TraceParts = {
    ...options,
    ids,
    monotonic,
    exports: exporter !== null,
    finish: (spans) => exporter?.add(spans),
    epochMs: createEpoch(clock),
  };

  function ask<T>({ name, attributes, ask: send, failure }: Question<T>): Awaitable<T> {
    const trace = atWork.getStore();
    if (trace === undefined) return send(NO_HEADERS);
    if (!trace.sampled) return send(trace.headersFor(trace.spanId));
    const spanId = ids.spanId();
    const startMs = monotonic();
    const answer = send(trace.headersFor(spanId));
    if (!(answer instanceof Promise)) return answer;
    return answer.then(
      (value) => {
        trace.asked(spanId, name, startMs, attributes, failure(value));
        return value;
      },
      (thrown: unknown) => {
        trace.asked(spanId, name, startMs, attributes, 'failed');
        throw thrown;
      },
    );
  }

  return {
    open: (name, headers, arrivedAtMs = monotonic()) => new OpenTrace(parts, name, headers, arrivedAtMs),
    observe(record) {
      const { trace } = record.request;
      if (trace instanceof OpenTrace) trace.decided(record);
    },
    within: (trace, work) => (trace instanceof OpenTrace ? atWork.run(trace, work) : work()),
    ask,
    status: () => exporter?.status() ?? NOTHING,
    close: async (boundMs) => exporter?.close(boundMs),
  };
}

/**
 * What is added to the monotonic scale for unix milliseconds. A clock of whole milliseconds says up to one too little, so the largest of what was
 * seen is the best, until the clock was set.
 */
function createEpoch(clock: Clock): () => number {
  let known = Number.NEGATIVE_INFINITY;
  return () => {
    const seen = clock.now() - clock.monotonic();
    if (seen > known || known - seen > 1) known = seen;
    return known;
  };
}
