import { isUtf8 } from 'node:buffer';
import type { ErrorCode } from '../../contract/codes.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { OriginalRequest } from '../../contract/original-request.ts';
import { isForeignPolicy, type Pep } from '../../contract/pep.ts';
import type { CertificateOffer, DecisionRequest, RequestFlag, SourceFacts } from '../../contract/request.ts';
import { noteOnce } from '../client-headers.ts';
import { receiveFingerprints } from '../fingerprints.ts';
import { receiveHttpFacts } from '../request-facts.ts';
import { type ClaimsMetadata, offersClaims, readClaims } from './claims.ts';
import { readOriginal } from './original.ts';
import { type AttributesMessage, type CheckRequestMessage, checkRequest, type HttpRequestMessage } from './schema.ts';

/** What the call itself says, beside its message. */
export type CheckCall = { readonly id: string; readonly receivedAtMs: number; readonly deadlineAtMs: number; readonly pep: Pep };

export type ReceivedCheck =
  | { readonly ok: true; readonly request: DecisionRequest }
  /** No question could be read; `cause` is for the log. */
  | { readonly ok: false; readonly code: ErrorCode; readonly cause: unknown };

/** Set by Envoy with `with_request_body`: `true` where the body was cut. It is Envoy's word, not the client's. */
const PARTIAL_BODY = 'x-envoy-auth-partial-body';
/** DESIGN 3: the context's bound. */
const EXTENSIONS_MAX_CHARS = 16_384;
const REQUEST_ID_MAX_CHARS = 256;
const NO_CONTEXT: JsonObject = Object.freeze({});
const NO_SOURCE: SourceFacts = Object.freeze({ ip: null, port: null, forwardedFor: [] });

/**
 * Reads the bytes of an `envoy.service.auth.v3.CheckRequest` into the one question. Never throws.
 * Facts about the client come from the message alone, never from the RPC's own headers (those are Envoy's and its network's).
 */
export function receiveCheck(bytes: Uint8Array, call: CheckCall, claimsMetadata: ClaimsMetadata): ReceivedCheck {
  let message: CheckRequestMessage;
  try {
    message = checkRequest.decode(bytes);
  } catch (cause) {
    return { ok: false, code: 'request_message_invalid', cause };
  }
  const attributes = message.attributes;
  const http = attributes?.request?.http;
  // The network filter asks without an HTTP request; it cannot carry our answers either.
  if (!attributes || !http) return { ok: false, code: 'request_message_invalid', cause: 'attributes.request.http is absent' };
  const extensions = readExtensions(attributes);
  if (extensions === null) return { ok: false, code: 'context_too_large', cause: 'context_extensions' };
  const { policyName, context } = extensions;
  if (policyName !== null && isForeignPolicy(call.pep, policyName)) {
    return { ok: false, code: 'policy_not_allowed', cause: policyName };
  }
  const original = () => readOriginal(bytes, call.pep);
  return { ok: true, request: toRequest(attributes, http, original, call, claimsMetadata, policyName, context) };
}

function toRequest(
  attributes: AttributesMessage,
  http: HttpRequestMessage,
  original: () => OriginalRequest,
  call: CheckCall,
  claimsMetadata: ClaimsMetadata,
  policyName: string | null,
  context: JsonObject,
): DecisionRequest {
  const { pep } = call;
  const { headers, truncated, requestId, notUtf8 } = readHeaders(http);
  const body = http.rawBody.length > 0 ? http.rawBody : http.body;
  const received = receiveHttpFacts(
    {
      method: http.method,
      scheme: http.scheme === '' ? null : http.scheme,
      authority: http.host === '' ? null : http.host,
      target: http.path,
      headers,
      body: { bytes: body.length > 0 ? body : null, truncated, size: readSize(http.size) },
    },
    pep,
  );
  const { flags } = received;
  if (notUtf8) noteOnce(flags, 'header_not_utf8');

  const certificates: CertificateOffer[] = [];
  let principal: string | null = null;
  const source = attributes.source;
  if (source !== null && (source.certificate !== '' || source.principal !== '')) {
    if (pep.trusts.has('client_certificate')) {
      principal = source.principal === '' ? null : source.principal;
      if (source.certificate !== '') certificates.push({ form: 'pem', from: 'ext_authz', pem: decodePem(source.certificate) });
    } else noteOnce(flags, 'untrusted_client_certificate');
  }
  if (received.certificate !== null) certificates.push(received.certificate);

  let claims: JsonObject | null = null;
  if (attributes.metadataContext !== null && offersClaims(attributes, claimsMetadata)) {
    if (pep.trusts.has('claims')) claims = readClaims(attributes, claimsMetadata);
    else noteOnce(flags, 'untrusted_claims');
  }

  const sni = attributes.tlsSession?.sni ?? '';
  return {
    id: call.id,
    requestId: requestId ?? (http.id === '' ? null : http.id.slice(0, REQUEST_ID_MAX_CHARS)),
    endpoint: 'ext_authz',
    receivedAtMs: call.receivedAtMs,
    deadlineAtMs: call.deadlineAtMs,
    pep,
    policyName,
    http: received.http,
    original,
    source: readSource(attributes, pep, received.forwardedFor, flags),
    tls: { sni: sni === '' ? null : sni, version: null, ...receiveFingerprints(received.fingerprints, pep, flags) },
    credentials: {
      authorization: received.authorization,
      apiKeys: received.apiKeys,
      dpop: received.dpop,
      txnToken: received.txnToken,
      signature: received.signature,
      claims,
      certificates,
      principal,
    },
    subject: null,
    action: null,
    resource: null,
    context,
    pepRate: null,
    flags,
    explain: false,
  };
}

type ReadHeaders = {
  readonly headers: readonly (readonly [string, string])[];
  readonly truncated: boolean;
  /** `x-request-id`, by which Envoy's own access log is found. */
  readonly requestId: string | null;
  readonly notUtf8: boolean;
};

/** Either list of headers in order; names as they came, Envoy's mark taken out. */
function readHeaders(http: HttpRequestMessage): ReadHeaders {
  const headers: (readonly [string, string])[] = [];
  let truncated = false;
  let requestId: string | null = null;
  let notUtf8 = false;

  const add = (key: string, value: string): void => {
    // Any `true` counts: a second copy can only be the client's.
    if (key === PARTIAL_BODY) truncated ||= value === 'true';
    else headers.push([key, value]);
    if (key === 'x-request-id') requestId ??= value.slice(0, REQUEST_ID_MAX_CHARS);
  };

  for (const { key, value } of http.headers) add(key, value);
  for (const { key, value, rawValue } of http.headerMap?.headers ?? []) {
    if (rawValue.length === 0) {
      add(key, value);
      continue;
    }
    const raw = Buffer.from(rawValue.buffer, rawValue.byteOffset, rawValue.length);
    const utf8 = isUtf8(raw);
    notUtf8 ||= !utf8;
    add(key, raw.toString(utf8 ? 'utf8' : 'latin1'));
  }
  return { headers, truncated, requestId, notUtf8 };
}

function readSource(attributes: AttributesMessage, pep: Pep, forwardedFor: readonly string[], flags: RequestFlag[]): SourceFacts {
  const address = attributes.source?.address?.socketAddress ?? null;
  if (address === null || address.address === '') return forwardedFor.length === 0 ? NO_SOURCE : { ip: null, port: null, forwardedFor };
  if (!pep.trusts.has('client_address')) {
    noteOnce(flags, 'untrusted_client_address');
    return { ip: null, port: null, forwardedFor };
  }
  return { ip: address.address, port: address.portValue === 0 ? null : address.portValue, forwardedFor };
}

/** `context_extensions` come from Envoy's own route config: `policy` asks for a policy by name, the rest is `context.extensions`. */
function readExtensions(attributes: AttributesMessage): { policyName: string | null; context: JsonObject } | null {
  if (attributes.contextExtensions.length === 0) return { policyName: null, context: NO_CONTEXT };
  let policyName: string | null = null;
  let chars = 0;
  const others: [string, string][] = [];
  for (const { key, value } of attributes.contextExtensions) {
    chars += key.length + value.length;
    if (key === 'policy') policyName = value;
    else others.push([key, value]);
  }
  if (chars > EXTENSIONS_MAX_CHARS) return null;
  return { policyName, context: others.length === 0 ? NO_CONTEXT : { extensions: Object.fromEntries(others) } };
}

/** Envoy sends the PEM URL-encoded. What does not decode goes on as it is: identify then says that it is malformed. */
function decodePem(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function readSize(size: unknown): number | null {
  const bytes = Number(String(size));
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : null;
}
