import type { OutgoingHttpHeaders } from 'node:http2';

/** The RPC status codes that we use (grpc/doc/statuscodes.md; the numbers are those of google.rpc.Code). */
export const GRPC_STATUS = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;
export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/** Content type of every answer. */
export const GRPC_CONTENT_TYPE = 'application/grpc';

/** Response headers before a message; frozen, since they are shared by all answers. */
export const RESPONSE_HEADERS: OutgoingHttpHeaders = Object.freeze({ ':status': 200, 'content-type': GRPC_CONTENT_TYPE });

/** Trailers of an RPC that went well; frozen, since they are shared by all answers. */
export const OK_TRAILERS: OutgoingHttpHeaders = Object.freeze({ 'grpc-status': '0' });

/** Trailers of an RPC that failed. `text` is percent-encoded as PROTOCOL-HTTP2.md wants it. */
export function failureTrailers(status: GrpcStatus, text: string): OutgoingHttpHeaders {
  return { 'grpc-status': String(status), 'grpc-message': encodeURIComponent(text) };
}

/** The whole answer of an RPC that failed before any message (PROTOCOL-HTTP2.md, Trailers-Only). */
export function trailersOnly(status: GrpcStatus, text: string): OutgoingHttpHeaders {
  return { ...RESPONSE_HEADERS, ...failureTrailers(status, text) };
}

/**
 * True for the content types of gRPC with protobuf: `application/grpc`, `application/grpc+proto`, either with parameters.
 * PROTOCOL-HTTP2.md: anything that does not begin with `application/grpc` is a 415; grpc-web is another protocol.
 */
export function isGrpcContentType(value: string | undefined): boolean {
  if (value === GRPC_CONTENT_TYPE) return true;
  if (value === undefined) return false;
  const bare = value.split(';', 1)[0]?.trim().toLowerCase();
  return bare === GRPC_CONTENT_TYPE || bare === 'application/grpc+proto';
}
