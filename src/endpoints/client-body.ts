import type { RequestBody } from '../contract/request.ts';
import { parseJsonBody } from './json-body.ts';

/** The client's body as far as the gateway handed it on. */
export type ClientBody = {
  /** Null where the gateway sends no bodies. */
  readonly bytes: Uint8Array | null;
  /** True where the gateway cut it (`x-envoy-auth-partial-body`). */
  readonly truncated: boolean;
  /** Bytes that the client sent, or null where the gateway does not say; then `content-length` speaks. */
  readonly size: number | null;
};

/** DESIGN 4: a longer body is not parsed for Rego. */
export const CLIENT_BODY_MAX = 65_536;

const JSON_TYPE = /^application\/(?:json|[a-z0-9!#$&^_.+-]+\+json)[ \t]*(?:;|$)/i;
const LENGTH = /^[0-9]{1,15}$/;

/**
 * What became of the client's body: a policy can tell nothing, parsed, there but not read, and cut, so that rules that need the body
 * fail closed. A body that is there without a content type is `unparsed`, never the same as none.
 */
export function receiveClientBody(body: ClientBody, contentType: string | null, contentLength: string | null): RequestBody {
  const { bytes, truncated } = body;
  const announced = body.size ?? (contentLength !== null && LENGTH.test(contentLength) ? Number(contentLength) : null);
  const size = announced ?? bytes?.length ?? null;
  const facts = { contentType, size, json: null };
  if (truncated) return { status: 'truncated', reason: null, ...facts };
  if (bytes === null || bytes.length === 0) return { status: size !== null && size > 0 ? 'unparsed' : 'absent', reason: null, ...facts };
  if (bytes.length > CLIENT_BODY_MAX) return { status: 'unparsed', reason: 'too_large', ...facts };
  if (contentType === null) return { status: 'unparsed', reason: 'no_content_type', ...facts };
  if (!JSON_TYPE.test(contentType)) return { status: 'unparsed', reason: 'content_type', ...facts };
  const parsed = parseJsonBody(bytes);
  if (!parsed.ok) return { status: 'unparsed', reason: 'invalid_json', ...facts };
  return { status: 'parsed', reason: null, contentType, size, json: parsed.value };
}
