/** What one error code means on each wire. */
export type CodeFacts = {
  /** HTTP status of the problem+json body, or of the denied response on gateway endpoints. */
  readonly http: number;
  /** google.rpc.Code inside `CheckResponse.status`; the RPC's own status stays OK. */
  readonly rpc: number;
  /** Text that may be shown to a client: it names no value. */
  readonly text: string;
};

/**
 * The closed table of error codes: request border, failures to decide, policy loading, start-up.
 * `docs/codes.md` is generated from it. RPC codes are those of google/rpc/code.proto.
 */
export const CODES = {
  // the request border (400 to 431): a bad body never becomes a decision
  body_invalid_json: { http: 400, rpc: 3, text: 'The body is not valid JSON' },
  body_invalid_utf8: { http: 400, rpc: 3, text: 'The body is not valid UTF-8' },
  body_lone_surrogate: { http: 400, rpc: 3, text: 'A string holds a lone surrogate' },
  body_duplicate_key: { http: 400, rpc: 3, text: 'An object has the same name twice' },
  body_too_deep: { http: 400, rpc: 3, text: 'The body is nested too deeply' },
  body_too_many_keys: { http: 400, rpc: 3, text: 'The body has too many names' },
  body_empty: { http: 400, rpc: 3, text: 'The body is empty' },
  body_too_large: { http: 413, rpc: 8, text: 'The body is too large' },
  body_timeout: { http: 408, rpc: 4, text: 'The body did not arrive in time' },
  request_invalid: { http: 400, rpc: 3, text: 'The request does not have the required form' },
  context_too_large: { http: 400, rpc: 3, text: 'The context is too large or too deep' },
  request_message_invalid: { http: 400, rpc: 3, text: 'The protobuf message could not be read' },
  message_too_large: { http: 413, rpc: 8, text: 'The message is too large' },
  headers_too_large: { http: 431, rpc: 8, text: 'The header block is too large' },
  content_type_unsupported: { http: 415, rpc: 3, text: 'The content type is not application/json' },
  content_encoding_unsupported: { http: 415, rpc: 3, text: 'A content encoding is not accepted' },
  origin_forbidden: { http: 403, rpc: 7, text: 'Requests with an Origin are not accepted' },
  host_misdirected: { http: 421, rpc: 3, text: 'This host is not served here' },
  pep_unauthenticated: { http: 401, rpc: 16, text: 'The calling gateway is not known' },
  policy_not_allowed: { http: 403, rpc: 7, text: 'The calling gateway may not ask for this policy' },
  operator_unauthenticated: { http: 401, rpc: 16, text: 'An operator token is required' },
  operator_not_allowed: { http: 403, rpc: 7, text: 'The role of the operator does not allow this' },
  feedback_not_allowed: { http: 403, rpc: 7, text: 'The calling gateway may not report outcomes' },
  decision_unknown: { http: 404, rpc: 5, text: 'No such decision was made here within the last five minutes' },
  not_found: { http: 404, rpc: 12, text: 'There is nothing at this address' },
  method_not_allowed: { http: 405, rpc: 12, text: 'The method is not allowed here' },
  overloaded: { http: 503, rpc: 8, text: 'The service has too many requests in flight' },
  // no decision could be made: decision is deny, `error.code` is set
  policy_not_loaded: { http: 503, rpc: 13, text: 'No policy is active' },
  policy_unknown: { http: 503, rpc: 13, text: 'The policy is not known' },
  data_not_loaded: { http: 503, rpc: 13, text: 'Data that the policy needs is not there' },
  policy_evaluation_failed: { http: 503, rpc: 13, text: 'The policy could not be evaluated' },
  policy_result_invalid: { http: 503, rpc: 13, text: 'The policy gave a result of the wrong form' },
  policy_collect_unknown: { http: 503, rpc: 13, text: 'The policy asked for a source that is not known' },
  policy_collect_repeated: { http: 503, rpc: 13, text: 'The policy asked for more sources after it had them' },
  deadline_exceeded: { http: 503, rpc: 13, text: 'The decision was not made in time' },
  internal_error: { http: 503, rpc: 13, text: 'The decision could not be made' },
  // a bundle that is refused: the active policy stays
  bundle_unreadable: { http: 400, rpc: 3, text: 'The bundle could not be read' },
  bundle_too_large: { http: 400, rpc: 3, text: 'The bundle is too large' },
  bundle_path_invalid: { http: 400, rpc: 3, text: 'The bundle holds a path that is not allowed' },
  bundle_wasm_missing: { http: 400, rpc: 3, text: 'The bundle holds no policy.wasm' },
  bundle_wasm_invalid: { http: 400, rpc: 3, text: 'The WebAssembly module could not be loaded' },
  bundle_manifest_invalid: { http: 400, rpc: 3, text: 'The manifest does not have the required form' },
  bundle_entrypoint_missing: { http: 400, rpc: 3, text: 'The bundle lacks the entry point' },
  bundle_builtin_missing: { http: 400, rpc: 3, text: 'The bundle needs a builtin that is not there' },
  bundle_rule_depth: { http: 400, rpc: 3, text: 'A rule package is not countersign.rules.<category>.<rule>' },
  bundle_redefines_base: { http: 400, rpc: 3, text: 'The bundle redefines a package of the base' },
  bundle_data_shadows_rules: { http: 400, rpc: 3, text: 'Data lies at, above or below a package' },
  bundle_rule_missing: { http: 400, rpc: 3, text: 'The bundle lacks a required rule' },
  bundle_rule_defaulted: { http: 400, rpc: 3, text: 'A rule hides an error by a default or a bare else' },
  bundle_data_invalid: { http: 400, rpc: 3, text: 'The data does not match its schema' },
  bundle_routes_invalid: { http: 400, rpc: 3, text: 'The route catalogue is not valid' },
  bundle_smoke_failed: { http: 400, rpc: 3, text: 'A trial evaluation of the bundle failed' },
  bundle_unsigned: { http: 400, rpc: 3, text: 'The bundle is not signed, and a key is configured' },
  bundle_signed: { http: 400, rpc: 3, text: 'The bundle is signed, and no key is configured' },
  bundle_signature_invalid: { http: 400, rpc: 3, text: 'The signature of the bundle is not valid' },
  bundle_sequence_behind: { http: 400, rpc: 3, text: 'The sequence of the bundle is lower than that of the active one' },
  bundle_too_slow: { http: 400, rpc: 3, text: 'The bundle is too slow on the worst input' },
  bundle_cases_failed: { http: 400, rpc: 3, text: 'A case of the bundle itself failed' },
  revision_unknown: { http: 404, rpc: 5, text: 'No such revision is kept' },
  policy_compile_failed: { http: 400, rpc: 3, text: 'OPA could not compile the policies' },
  opa_missing: { http: 503, rpc: 13, text: 'OPA is needed to compile the policies and was not found' },
  // the admin API
  decision_not_kept: { http: 404, rpc: 5, text: 'The decision is not among the last ones that are kept here' },
  media_type_unsupported: { http: 415, rpc: 3, text: 'The content type is not one that is accepted here' },
  policy_not_configured: { http: 404, rpc: 5, text: 'There is no such policy' },
  precondition_required: { http: 428, rpc: 9, text: 'If-Match, or If-None-Match: *, is required' },
  precondition_failed: { http: 412, rpc: 9, text: 'The data is not what the condition says' },
  data_path_invalid: { http: 400, rpc: 3, text: 'The path of the data is not valid' },
  data_path_forbidden: { http: 403, rpc: 7, text: 'Nothing may be pushed at this path' },
  data_unknown: { http: 404, rpc: 5, text: 'There is no data at this path' },
  data_too_large: { http: 413, rpc: 8, text: 'The pushed data is larger than it may be' },
  data_unfit: { http: 409, rpc: 9, text: 'Pushed data does not fit the policy' },
  data_preparation_failed: { http: 503, rpc: 13, text: 'The data could not be prepared' },
  patch_invalid: { http: 400, rpc: 3, text: 'The patch does not have the required form' },
  patch_conflict: { http: 409, rpc: 9, text: 'The patch does not fit the data' },
  exception_invalid: { http: 400, rpc: 3, text: 'The exception does not have the required form' },
  revocation_invalid: { http: 400, rpc: 3, text: 'The revocation does not have the required form' },
  revocation_unknown: { http: 404, rpc: 5, text: 'There is no such revocation' },
  revocations_full: { http: 507, rpc: 8, text: 'There are as many revocations as there may be' },
  state_unwritable: { http: 503, rpc: 13, text: 'What is to be kept over a restart could not be written' },
  // outside systems
  store_unavailable: { http: 503, rpc: 13, text: 'The store did not answer' },
  store_full: { http: 503, rpc: 13, text: 'The store is full' },
  fetch_failed: { http: 503, rpc: 13, text: 'The document could not be fetched' },
  fetch_too_large: { http: 503, rpc: 13, text: 'The document is too large' },
  keys_invalid: { http: 503, rpc: 13, text: 'The key set does not have the required form' },
  introspection_refused: { http: 503, rpc: 13, text: 'The authorization server did not answer the introspection' },
  introspection_invalid: { http: 503, rpc: 13, text: 'The introspection answer does not have the required form' },
  trust_bundle_invalid: { http: 503, rpc: 13, text: 'The trust bundle does not have the required form' },
  crl_invalid: { http: 503, rpc: 13, text: 'The revocation list does not have the required form' },
  crl_untrusted: { http: 503, rpc: 13, text: 'The revocation list is not signed by a certificate of a trust bundle' },
  crl_outdated: { http: 503, rpc: 13, text: 'The revocation list is older than the one in use' },
  deny_list_invalid: { http: 503, rpc: 13, text: 'The list of refused certificates does not have the required form' },
  list_invalid: { http: 503, rpc: 13, text: 'The list does not have the required form' },
  list_too_short: { http: 503, rpc: 13, text: 'The list has fewer entries than it must have' },
  list_shrunk: { http: 503, rpc: 13, text: 'The list lost more of its entries than it may' },
  registry_missing: { http: 503, rpc: 13, text: 'The registry is missing a file' },
  registry_invalid: { http: 503, rpc: 13, text: 'The registry does not have the required form' },
  registry_too_large: { http: 503, rpc: 13, text: 'The registry is too large' },
  database_missing: { http: 503, rpc: 13, text: 'The database file is missing' },
  database_broken: { http: 503, rpc: 13, text: 'The database file could not be read' },
  state_invalid: { http: 503, rpc: 13, text: 'What was kept over the restart could not be read' },
  // start-up
  config_invalid: { http: 500, rpc: 13, text: 'The configuration is not valid' },
  config_unreadable: { http: 500, rpc: 13, text: 'The configuration could not be read' },
  listen_failed: { http: 500, rpc: 13, text: 'A listener could not be opened' },
} as const satisfies Record<string, CodeFacts>;

/** Every code an error of ours can have. */
export type ErrorCode = keyof typeof CODES;
