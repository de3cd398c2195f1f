import protobuf from 'protobufjs';
import type { Attribute, Span } from './span.ts';

/* ExportTraceServiceRequest of OTLP 1.x (opentelemetry/proto/collector/trace/v1), in both of its encodings. */

/** The members that are written here; their numbers are the protocol's. */
const OTLP_PROTO = `
syntax = "proto3";
package countersign.otlp;

message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Scope { string name = 1; string version = 2; }
message Span {
  bytes trace_id = 1;
  bytes span_id = 2;
  string trace_state = 3;
  bytes parent_span_id = 4;
  string name = 5;
  int32 kind = 6;
  fixed64 start_time_unix_nano = 7;
  fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9;
  Status status = 15;
  fixed32 flags = 16;
}
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message ExportTraceServiceResponse { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected_spans = 1; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`;

/** `Status.code` of a failure. */
const STATUS_ERROR = 2;

/** Who sends spans: attributes of the resource, and name and version of the scope. */
export type Sender = { readonly resource: readonly Attribute[]; readonly scope: { readonly name: string; readonly version: string } };

/** How ids, 64-bit numbers and times are written in an encoding. */
type Form = { id(hex: string): unknown; int(value: number): unknown; time(unixMs: number): unknown };

/** JSON of OTLP: ids in hexadecimal, 64-bit numbers as decimal texts, enums as numbers. */
const JSON_FORM: Form = {
  id: (hex) => hex,
  int: String,
  time: (unixMs) => String(nanosOf(unixMs)),
};

const PROTOBUF_FORM: Form = {
  id: (hex) => Buffer.from(hex, 'hex'),
  int: (value) => value,
  time(unixMs) {
    const nanos = nanosOf(unixMs);
    return { low: Number(nanos & 0xff_ff_ff_ffn) | 0, high: Number(nanos >> 32n) | 0, unsigned: true };
  },
};

/** Writes spans as the body of `POST /v1/traces`. */
export type EncodeSpans = (spans: readonly Span[]) => Uint8Array;

/** The writer of an encoding, with the content type of what it writes. */
export function createOtlpEncoder(
  encoding: 'protobuf' | 'json',
  sender: Sender,
): { readonly contentType: string; readonly encode: EncodeSpans } {
  if (encoding === 'json') {
    return { contentType: 'application/json', encode: (spans) => Buffer.from(JSON.stringify(messageOf(spans, sender, JSON_FORM))) };
  }
  const type = messageType('ExportTraceServiceRequest');
  return { contentType: 'application/x-protobuf', encode: (spans) => type.encode(messageOf(spans, sender, PROTOBUF_FORM)).finish() };
}

/** How many spans a collector says that it took not, though it answered 200 (OTLP, "Partial Success"); 0 where the answer cannot be read. */
export function parseRejectedSpans(contentType: string | null, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  try {
    const answer: unknown = contentType?.startsWith('application/json')
      ? JSON.parse(Buffer.from(bytes).toString('utf8'))
      : messageType('ExportTraceServiceResponse').decode(bytes);
    const partial = isRecord(answer) ? answer['partialSuccess'] : null;
    // a number, a decimal text or the Long of the library
    const rejected = isRecord(partial) ? Number(String(partial['rejectedSpans'] ?? 0)) : 0;
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    // what cannot be read says nothing of spans, and the status said that they were taken
    return 0;
  }
}

function messageType(name: string): protobuf.Type {
  return protobuf.parse(OTLP_PROTO).root.lookupType(`countersign.otlp.${name}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function messageOf(spans: readonly Span[], { resource, scope }: Sender, form: Form) {
  return {
    resourceSpans: [
      {
        resource: { attributes: resource.map((one) => keyValue(one, form)) },
        scopeSpans: [{ scope, spans: spans.map((span) => spanMessage(span, form)) }],
      },
    ],
  };
}

function spanMessage(span: Span, form: Form) {
  return {
    traceId: form.id(span.traceId),
    spanId: form.id(span.spanId),
    ...(span.state === '' ? {} : { traceState: span.state }),
    ...(span.parentSpanId === null ? {} : { parentSpanId: form.id(span.parentSpanId) }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: form.time(span.epochMs + span.startMs),
    endTimeUnixNano: form.time(span.epochMs + Math.max(span.startMs, span.endMs)),
    attributes: span.attributes.map((one) => keyValue(one, form)),
    ...(span.failed === null ? {} : { status: { code: STATUS_ERROR, message: span.failed } }),
    flags: span.flags,
  };
}

function keyValue([key, value]: Attribute, form: Form) {
  // half of a surrogate pair is no UTF-8, and a collector refuses the whole batch for it
  if (typeof value === 'string') return { key, value: { stringValue: value.toWellFormed() } };
  if (typeof value === 'boolean') return { key, value: { boolValue: value } };
  return { key, value: Number.isInteger(value) ? { intValue: form.int(value) } : { doubleValue: value } };
}

/** Microseconds are what a double holds of unix time. */
function nanosOf(unixMs: number): bigint {
  return BigInt(Math.round(unixMs * 1000)) * 1000n;
}
