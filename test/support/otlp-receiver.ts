import { createServer, type IncomingMessage } from 'node:http';
import protobuf from 'protobufjs';
import { z } from 'zod';

/* A receiver of OTLP over HTTP that takes what the protocol has and nothing else: the members and numbers of opentelemetry-proto 1.x. */

const PROTO = `
syntax = "proto3";
package otlp;
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
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
  uint32 dropped_attributes_count = 10;
  Status status = 15;
  fixed32 flags = 16;
}
message Status { reserved 1; string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`;

const REQUEST = protobuf.parse(PROTO).root.lookupType('otlp.Request');

const decimal = z.string().regex(/^-?\d{1,20}$/);
const value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: decimal }),
  z.strictObject({ doubleValue: z.number() }),
]);
const attributes = z.array(z.strictObject({ key: z.string().min(1), value })).default([]);
const span = z.strictObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  traceState: z.string().default(''),
  parentSpanId: z.union([z.literal(''), z.string().regex(/^[0-9a-f]{16}$/)]).default(''),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: decimal,
  endTimeUnixNano: decimal,
  attributes,
  status: z.strictObject({ message: z.string().default(''), code: z.int().min(0).max(2).default(0) }).optional(),
  flags: z.int().default(0),
});
const request = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string().default('') }).optional(),
          // an empty list is left out of protobuf
          spans: z.array(span).default([]),
        }),
      ),
    }),
  ),
});

/** A span as it came, with the attributes of its resource. */
export type ReceivedSpan = Omit<z.output<typeof span>, 'attributes'> & {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
};

/** Reads a request in one of the encodings; throws for what is none. */
export function readOtlp(contentType: string | undefined, body: Buffer): ReceivedSpan[] {
  const read = request.parse(contentType === 'application/json' ? JSON.parse(body.toString('utf8')) : fromProtobuf(body));
  return read.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((one) => ({ ...one, attributes: plain(one.attributes), resource: plain(resource.attributes) })),
    ),
  );
}

export type OtlpReceiver = {
  readonly url: string;
  readonly port: number;
  readonly spans: ReceivedSpan[];
  /** Of each request: its headers, and what the body was that could not be read. */
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly problem: string | null }[];
  /** Status and body of the next answers; 200 and nothing where it is empty. */
  readonly answers: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }[];
  stop(): Promise<void>;
};

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: OtlpReceiver['requests'] = [];
  const answers: OtlpReceiver['answers'] = [];
  const server = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on('data', (chunk: Buffer) => chunks.push(chunk));
    asked.on('end', () => {
      const next = answers.shift() ?? { status: 200 };
      let problem: string | null = null;
      try {
        const read = readOtlp(asked.headers['content-type'], Buffer.concat(chunks));
        if (next.status === 200) spans.push(...read);
      } catch (thrown) {
        problem = String(thrown);
      }
      requests.push({ headers: asked.headers, problem });
      answer.writeHead(problem === null ? next.status : 400, next.headers);
      answer.end(next.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/v1/traces`,
    port,
    spans,
    requests,
    answers,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function plain(list: z.output<typeof attributes>): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value: said }) => [key, Object.values(said)[0]]));
}

/** In the form of the JSON encoding. */
function fromProtobuf(body: Buffer): unknown {
  const read: unknown = REQUEST.toObject(REQUEST.decode(body), { longs: String, bytes: String });
  return JSON.parse(JSON.stringify(read), (key, inner: unknown) =>
    /^(traceId|spanId|parentSpanId)$/.test(key) && typeof inner === 'string' ? Buffer.from(inner, 'base64').toString('hex') : inner,
  );
}
