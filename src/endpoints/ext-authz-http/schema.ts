/** The client's path and query stand behind it, as Envoy's `path_prefix` puts them; Envoy hands on no path that does not begin with a slash. */
export const PREFIX = '/envoy';

/**
 * What Envoy's recipe says of the client's connection by `headers_to_add`, which overwrite, and which its allow-list never takes from a client. What it
 * has no value for is left out by Envoy.
 */
export const FACTS = {
  /** `%REQ(:SCHEME)%`; without it `x-forwarded-proto` counts, which Envoy sets by itself. */
  scheme: 'x-original-proto',
  /** `%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%`. */
  address: 'x-original-remote-addr',
  /** `%REQ(CONTENT-LENGTH)%`: that of the question is Envoy's. */
  length: 'x-original-content-length',
  /** `%REQ(TRANSFER-ENCODING)%`. */
  coding: 'x-original-transfer-encoding',
  /** `%REQUESTED_SERVER_NAME%`. */
  sni: 'x-original-sni',
} as const;

/** Set by Envoy where it hands on bodies: `true` where it cut this one. */
export const PARTIAL_BODY = 'x-envoy-auth-partial-body';

/** Milliseconds that Envoy waits for the answer. */
export const EXPECTED_WITHIN = 'x-envoy-expected-rq-timeout-ms';

/** Of the connection between Envoy and Countersign, not of the client's request. */
export const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'x-envoy-internal',
  EXPECTED_WITHIN,
]);

/** Comma-separated names that Envoy takes from the request after it has set its own (any Envoy: read from an answer of 200 only). */
export const HEADERS_TO_REMOVE = 'x-envoy-auth-headers-to-remove';
