import type { JsonObject } from './json.ts';
import type { OriginalRequest } from './original-request.ts';
import type { Pep } from './pep.ts';
import type { CallTrace } from './trace.ts';

/**
 * Facts about the request that the border noticed; a closed list, policies read it as `input.request.flags`.
 * `path_*` come from the canonical form, `untrusted_*` name what the gateway sent without being trusted for it.
 */
export const REQUEST_FLAGS = [
  'path_dot_segments',
  'path_double_slash',
  'path_backslash',
  'path_encoded_slash',
  'path_encoded_backslash',
  'path_double_encoded',
  'path_encoded_dot',
  'path_parameters',
  'path_nul',
  'path_control',
  'path_invalid_encoding',
  'path_invalid_utf8',
  'path_absolute_form',
  'path_form_unknown',
  'path_fragment',
  'path_too_long',
  'host_invalid',
  'host_conflict',
  'method_invalid',
  'headers_capped',
  'header_values_capped',
  'query_capped',
  'segments_capped',
  'query_invalid_encoding',
  'query_duplicate_key',
  'header_underscore',
  'header_not_utf8',
  'address_all_trusted',
  'address_chain_broken',
  'address_chain_short',
  'untrusted_client_address',
  'untrusted_client_certificate',
  'untrusted_claims',
  'untrusted_subject',
  'untrusted_fingerprint',
  'untrusted_rate',
  'untrusted_explain',
  'fingerprint_invalid',
] as const;
export type RequestFlag = (typeof REQUEST_FLAGS)[number];

/** What became of the client's body. `json` is set only where `status` is `parsed`. */
export type RequestBody = {
  readonly status: 'absent' | 'parsed' | 'unparsed' | 'truncated';
  /** Why a body was not parsed: `no_content_type`, `content_type`, `invalid_json`, `too_large`; else null. */
  readonly reason: 'no_content_type' | 'content_type' | 'invalid_json' | 'too_large' | null;
  readonly contentType: string | null;
  /** Bytes, or null where the gateway does not say. */
  readonly size: number | null;
  readonly json: JsonObject[string] | null;
};

/** The client's request as the gateway saw it, made canonical once by `endpoints/canonical-url.ts`. */
export type HttpFacts = {
  readonly method: string;
  readonly scheme: string;
  /** Lower case, without port or trailing dot; IPv6 in brackets. */
  readonly host: string;
  readonly port: number | null;
  /** Decoded once, dot segments and empty segments resolved. */
  readonly path: string;
  /** As it came, without its query. */
  readonly pathRaw: string;
  readonly segments: readonly string[];
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** As it came, without `?`; null where there is none. */
  readonly queryRaw?: string | null;
  /** Lower-case names to values in order; no pseudo-headers, no credentials. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: RequestBody;
  /** True where a rule must not trust the path: two components could read it differently. */
  readonly pathAmbiguous: boolean;
};

/** Where the request came from, before `enrich/client-address.ts` walks the chain. */
export type SourceFacts = {
  /** The peer of the gateway as the gateway says (ext_authz `source.address`, `/decide` `source.ip`), or null. */
  readonly ip: string | null;
  readonly port: number | null;
  /** The chain left to right: from `source.forwarded_for` or the configured header; empty where there is none. */
  readonly forwardedFor: readonly string[];
};

/** TLS facts of the client's connection to the gateway. */
export type TlsFacts = {
  readonly sni: string | null;
  readonly version: string | null;
  readonly ja3: string | null;
  readonly ja4: string | null;
};

/** A client certificate as the gateway handed it on; only from gateways trusted for `client_certificate`. */
export type CertificateOffer =
  | { readonly form: 'pem'; readonly from: 'ext_authz' | 'decide'; readonly pem: string }
  | { readonly form: 'xfcc'; readonly header: string }
  /** A header of one certificate, several lines joined by commas; `chain` is that of the issuers, in the same form. */
  | {
      readonly form: 'rfc9440' | 'pem_escaped' | 'der_base64';
      readonly header: string;
      readonly chain: string | null;
    }
  | {
      readonly form: 'fields';
      readonly sha256: string | null;
      readonly subject: string | null;
      readonly issuer: string | null;
      readonly serial: string | null;
      readonly uris: readonly string[];
      readonly dns: readonly string[];
      /** Unix seconds. */
      readonly notAfter: number | null;
    };

/** An HTTP message signature with what it may cover and nobody else sees (RFC 9421). */
export type SignatureOffer = {
  /** Lines of `signature-input` and `signature`, in order. */
  readonly input: readonly string[];
  readonly signature: readonly string[];
  /** Lines of the headers that are among no `HttpFacts`: credentials, by lower-case name. */
  readonly hidden: ReadonlyMap<string, readonly string[]>;
  /** The body as it came, or null where the gateway did not hand it on whole. */
  readonly body: Uint8Array | null;
};

/** Everything secret or vouched for that identify reads; it never reaches Rego or a log. */
export type Credentials = {
  /** Every `authorization` value in order; two are a refusal. */
  readonly authorization: readonly string[];
  /** Every `x-api-key` value in order; two are a refusal. */
  readonly apiKeys: readonly string[];
  /** Every `dpop` value in order (RFC 9449 section 4.1); two are a refusal. */
  readonly dpop: readonly string[];
  /** Every `txn-token` value in order; two are a refusal. */
  readonly txnToken: readonly string[];
  /** There only where one of the two headers came. */
  readonly signature?: SignatureOffer | null;
  /** Claims that the gateway verified (ext_authz `metadata_context` of jwt_authn, `/decide` `token.claims`), or null. */
  readonly claims: JsonObject | null;
  readonly certificates: readonly CertificateOffer[];
  /** `source.principal` of ext_authz: what Envoy took from the verified certificate; informative. */
  readonly principal: string | null;
};

/** AuthZEN's subject, action and resource, as the gateway sent them. */
export type AssertedSubject = { readonly type: string; readonly id: string; readonly properties: JsonObject };
export type ActionFacts = { readonly name: string; readonly properties: JsonObject };
export type ResourceFacts = { readonly type: string; readonly id: string; readonly properties: JsonObject };

/** One question, immutable, made once at the border. */
export type DecisionRequest = {
  /** UUIDv7, ours: the decision id. */
  readonly id: string;
  /** The gateway's own id of the request, for correlation only; or null. */
  readonly requestId: string | null;
  readonly endpoint: 'decide' | 'ext_authz' | 'forward_auth' | 'authzen' | 'ext_authz_http';
  /** Unix milliseconds by the injected clock. */
  readonly receivedAtMs: number;
  /** On the injected clock's monotonic scale, milliseconds. */
  readonly deadlineAtMs: number;
  readonly pep: Pep;
  /** The policy that was asked for, or null for the gateway's own. */
  readonly policyName: string | null;
  /** Null where there is no HTTP request behind the question. */
  readonly http: HttpFacts | null;
  /** Reads the question once more as it came, credentials included: for policies that are configured to see it. Never throws. Not there where it cannot be. */
  readonly original?: () => OriginalRequest;
  readonly source: SourceFacts;
  readonly tls: TlsFacts;
  readonly credentials: Credentials;
  readonly subject: AssertedSubject | null;
  readonly action: ActionFacts | null;
  readonly resource: ResourceFacts | null;
  readonly context: JsonObject;
  /** What the gateway's own rate measurement says; only where it is trusted for `rate`. */
  readonly pepRate: { readonly count: number; readonly windowSeconds: number } | null;
  readonly flags: readonly RequestFlag[];
  /** True where the gateway is trusted for `explain` and asked for it. */
  readonly explain: boolean;
  /** Left out where tracing is off. */
  readonly trace?: CallTrace;
};
