import { CODES, type ErrorCode } from '../../contract/codes.ts';
import type { DecisionRecord } from '../../contract/record.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { CallHeaders, CallTrace } from '../../contract/trace.ts';
import { parseTraceparent, readTracestate, traceFlags, traceparentText } from '../../formats/trace-context.ts';
import { decisionAttributes, signalAttributes } from './attributes.ts';
import { isSampled, type TraceIds } from './ids.ts';
import { type Attribute, type Part, SPAN_KIND, type Span } from './span.ts';

/** What all calls share. */
export type TraceParts = {
  readonly ids: TraceIds;
  readonly monotonic: () => number;
  readonly ratio: number;
  readonly parent: 'request' | 'call' | 'none';
  /** False where nothing is exported: then no trace is sampled by us. */
  readonly exports: boolean;
  /** Takes the spans of a call that is over. */
  readonly finish: (spans: readonly Span[]) => void;
  /** What is added to the monotonic scale for unix milliseconds. */
  readonly epochMs: () => number;
};

/** A batch may hold more items than a trace is worth. */
const PARTS_MAX = 128;
/** OTLP `SpanFlags`: it is known whether the parent is remote, and it is. */
const KNOWN_REMOTE = 0x100;
const REMOTE = 0x200;

/** One call on its way. Where it is not sampled it costs its ids and nothing else. */
export class OpenTrace implements CallTrace {
  traceId = '';
  spanId = '';
  sampled = false;
  readonly #parts: TraceParts;
  readonly #name: string;
  readonly #arrivedAtMs: number;
  #headers: CallHeaders;
  #parentSpanId: string | null = null;
  #state = '';
  #flags = 0;
  #receivedAtMs: number | null = null;
  #decidedAtMs: number | null = null;
  #pieces: Part[] = [];
  #first: { readonly attributes: readonly Attribute[]; readonly failed: string | null } | null = null;
  #decisions = 0;
  #over = false;

  constructor(parts: TraceParts, name: string, headers: CallHeaders, arrivedAtMs: number) {
    this.#parts = parts;
    this.#name = name;
    this.#headers = headers;
    this.#arrivedAtMs = arrivedAtMs;
  }

  join(question: DecisionRequest): DecisionRequest {
    if (this.traceId === '') {
      this.#begin(question.http?.headers ?? null);
      if (this.sampled) this.#receivedAtMs = this.#parts.monotonic();
    }
    return { ...question, trace: this };
  }

  refused(code: ErrorCode): void {
    if (this.traceId === '') this.#begin(null);
    if (!this.sampled) return;
    const known = this.#first?.attributes ?? [];
    this.#first = { attributes: [...known, ['error.type', code]], failed: CODES[code].http >= 500 ? code : null };
    this.#end(CODES[code].http);
  }

  answered(status: number | null): void {
    if (this.sampled) this.#end(status);
  }

  /** What was decided, and how long each stage took; called when the decision has just been made. */
  decided(record: DecisionRecord): void {
    if (!this.sampled || this.#over) return;
    const { identity, enrichment, times, decision, further } = record;
    const endMs = this.#parts.monotonic();
    const failed = decision.error === null ? null : decision.error.code;
    const attributes = decisionAttributes(record);
    this.#first ??= { attributes, failed };
    this.#decisions += 1;
    this.#decidedAtMs = endMs;
    const decideAtMs = endMs - times.decide;
    const enrichAtMs = decideAtMs - times.enrich;
    // what was walked once for a batch is in its first item alone; where a stage failed its time is in the last one that is known
    if (further === undefined && identity !== null) {
      this.#add('identify', enrichAtMs - times.identify, enrichAtMs, signalAttributes(identity.signals));
      if (enrichment !== null) this.#add('enrich', enrichAtMs, decideAtMs, signalAttributes(enrichment));
    }
    const broke =
      record.route === null || (identity !== null && enrichment !== null) ? 'decide' : identity === null ? 'identify' : 'enrich';
    this.#add(broke, decideAtMs, endMs, attributes, failed);
  }

  /** Notes a question to another system; nothing where the call is not sampled or over. */
  asked(spanId: string, name: string, startMs: number, attributes: readonly Attribute[], failed: string | null): void {
    this.#push({ name, kind: SPAN_KIND.client, spanId, startMs, endMs: this.#parts.monotonic(), attributes, failed });
  }

  /** What another system is told of the trace (section 3). @param spanId of the question to it */
  headersFor(spanId: string): Record<string, string> {
    const traceparent = traceparentText(this.traceId, spanId, this.#flags);
    return this.#state === '' ? { traceparent } : { traceparent, tracestate: this.#state };
  }

  #begin(requestHeaders: ReadonlyMap<string, readonly string[]> | null): void {
    const { ids, ratio, parent, exports } = this.#parts;
    const call = this.#headers;
    const offered = parent === 'none' ? null : parentIn((name) => lineOf(call[name]));
    const found =
      offered ?? (parent !== 'request' || requestHeaders === null ? null : parentIn((name) => requestHeaders.get(name)?.join(',') ?? null));
    this.#headers = {};
    this.spanId = ids.spanId();
    if (found === null) {
      this.traceId = ids.traceId();
      this.sampled = exports && isSampled(this.traceId, ratio);
      this.#flags = traceFlags({ sampled: this.sampled, random: true });
      return;
    }
    this.traceId = found.traceId;
    this.#parentSpanId = found.parentId;
    this.#state = found.state;
    this.sampled = exports && found.sampled;
    this.#flags = traceFlags(found);
  }

  #add(name: string, startMs: number, endMs: number, attributes: readonly Attribute[], failed: string | null = null): void {
    this.#push({ name, kind: SPAN_KIND.internal, spanId: this.#parts.ids.spanId(), startMs, endMs, attributes, failed });
  }

  #push(part: Part): void {
    if (this.sampled && !this.#over && this.#pieces.length < PARTS_MAX) this.#pieces.push(part);
  }

  #end(status: number | null): void {
    if (this.#over) return;
    const endMs = this.#parts.monotonic();
    const startMs = this.#arrivedAtMs;
    if (this.#receivedAtMs !== null) this.#add('receive', startMs, this.#receivedAtMs, []);
    if (this.#decidedAtMs !== null) this.#add('respond', this.#decidedAtMs, endMs, []);
    this.#over = true;
    const { attributes = [], failed = null } = this.#first ?? {};
    const said: Attribute[] = [...attributes];
    if (status !== null) said.push(['http.response.status_code', status]);
    if (this.#decisions > 1) said.push(['authz.decisions', this.#decisions]);
    const whole = { name: this.#name, kind: SPAN_KIND.server, spanId: this.spanId, startMs, endMs, attributes: said, failed };
    const common = { traceId: this.traceId, state: this.#state, epochMs: this.#parts.epochMs() };
    const remote = this.#parentSpanId === null ? 0 : REMOTE;
    const spans: Span[] = [{ ...whole, ...common, parentSpanId: this.#parentSpanId, flags: this.#flags | KNOWN_REMOTE | remote }];
    for (const piece of this.#pieces) {
      spans.push({ ...piece, ...common, parentSpanId: this.#parentOf(piece), flags: this.#flags | KNOWN_REMOTE });
    }
    this.#pieces = [];
    this.#parts.finish(spans);
  }

  /** A question to another system belongs to the stage that it was asked in. */
  #parentOf(piece: Part): string {
    if (piece.kind !== SPAN_KIND.client) return this.spanId;
    const stage = this.#pieces.find(
      ({ kind, startMs, endMs }) => kind === SPAN_KIND.internal && startMs <= piece.startMs && piece.startMs <= endMs,
    );
    return stage?.spanId ?? this.spanId;
  }
}

function parentIn(line: (name: string) => string | null) {
  const traceparent = line('traceparent');
  const parent = traceparent === null ? null : parseTraceparent(traceparent);
  // without a parent that can be read the state is not looked at (section 4.3)
  return parent === null ? null : { ...parent, state: readTracestate(line('tracestate') ?? '') };
}

function lineOf(value: CallHeaders[string]): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : value.join(',');
}
