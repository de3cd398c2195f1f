import type { ErrorCode } from './codes.ts';
import type { DecisionRequest } from './request.ts';

/** Headers of a gateway's call, by lower-case name; lines of one name joined by commas. */
export type CallHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Where one question stands in its trace (W3C Trace Context): there only where tracing is configured. */
export interface QuestionTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Our own span of the call, 16 hexadecimal digits; the parent of what we ask others for it. */
  readonly spanId: string;
  /** Whether its spans are exported. */
  readonly sampled: boolean;
}

/** One call of a gateway, from its arrival to its answer. */
export interface CallTrace extends QuestionTrace {
  /** The question with its place in the trace, which is settled by the first of the call; of a batch all are joined. */
  join(question: DecisionRequest): DecisionRequest;
  /** It was refused at the border and never became a question, or there was no way to answer it. */
  refused(code: ErrorCode): void;
  /** The answer is on its way. @param status the HTTP status of the answer; null on gRPC */
  answered(status: number | null): void;
}

/** Follows calls; never throws and never waits. */
export interface Tracing {
  /** @param name of the span, one of a few @param arrivedAtMs on the monotonic scale of the clock; left out: now */
  open(name: string, headers: CallHeaders, arrivedAtMs?: number): CallTrace;
}

/** What became of spans since the start. */
export type TracingStatus = {
  /** Spans that wait. */
  readonly queued: number;
  /** Taken by the collector. */
  readonly exported: number;
  /** Lost since the queue was full. */
  readonly droppedFull: number;
  /** Lost since the collector could not be reached or did not want them. */
  readonly droppedFailed: number;
  /** Stable code of the last failure, or null where the last export was good. */
  readonly lastError: string | null;
};
