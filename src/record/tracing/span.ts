/** An attribute of a span: a text, a whole number or a boolean. */
export type Attribute = readonly [name: string, value: string | number | boolean];

/** OTLP `SpanKind`. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;

/** A piece of the work of one call, on the monotonic scale of the clock. */
export type Part = {
  readonly name: string;
  readonly kind: number;
  readonly spanId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: readonly Attribute[];
  /** Stable code of what failed, or null. */
  readonly failed: string | null;
};

/** A span that is over, ready for OTLP. */
export type Span = Part & {
  readonly traceId: string;
  /** Null of the first span of a trace. */
  readonly parentSpanId: string | null;
  /** `tracestate`, empty where there is none. */
  readonly state: string;
  /** OTLP `Span.flags`: those of W3C, and whether the parent is in another process. */
  readonly flags: number;
  /** What times of the monotonic scale are added to for unix milliseconds. */
  readonly epochMs: number;
};

/** Long texts are cut: an attribute is no place for content. */
const TEXT_MAX = 256;

/** An attribute with a bounded text. */
export function textAttribute(name: string, value: string): Attribute {
  return [name, value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX).toWellFormed()}…` : value];
}
