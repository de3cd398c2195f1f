/** Why a message signature is not present, in the order of the checks. */
export type SignatureCode =
  // absent: none was offered, or none that is for us
  | 'signature_missing'
  | 'signature_unchecked'
  | 'signature_profile_unknown'
  // invalid: its form
  | 'signature_too_large'
  | 'signature_malformed'
  | 'signature_incomplete'
  | 'signature_multiple'
  // invalid: its parameters
  | 'signature_parameter_missing'
  | 'signature_parameter_invalid'
  | 'signature_key_id_invalid'
  | 'signature_algorithm_not_allowed'
  | 'signature_created_in_future'
  | 'signature_expired'
  | 'signature_too_old'
  | 'signature_lifetime_too_long'
  // invalid: what it covers
  | 'signature_component_repeated'
  | 'signature_component_unsupported'
  | 'signature_component_missing'
  | 'signature_component_invalid'
  | 'signature_coverage_insufficient'
  // invalid: the agent (Web Bot Auth)
  | 'signature_agent_missing'
  | 'signature_agent_invalid'
  | 'signature_agent_not_allowed'
  | 'signature_directory_refused'
  // invalid: the key, the signature, the body, its use
  | 'signature_key_unknown'
  | 'signature_algorithm_mismatch'
  | 'signature_invalid'
  | 'signature_digest_invalid'
  | 'signature_digest_mismatch'
  | 'signature_replayed'
  | 'client_revoked'
  // unavailable: it could not be judged here
  | 'public_origin_unknown'
  | 'keys_unavailable'
  | 'directory_pending'
  | 'directory_unavailable'
  | 'directory_budget_exhausted'
  | 'verification_budget_exhausted'
  | 'replay_memory_too_young'
  | 'store_unavailable'
  | 'store_full'
  | 'registry_unavailable';

/** An HTTP message signature that was verified here (RFC 9421). Times are unix seconds. */
export type SignatureValue = {
  readonly profile: 'rfc9421' | 'web_bot_auth';
  /** Name of the configured key set; null for a directory's. */
  readonly keySet: string | null;
  readonly label: string;
  readonly keyId: string;
  /** The URI of `signature-agent` that the key was fetched for: with the key it is the identity. Null for a configured key set. */
  readonly agent: string | null;
  /** True where the configuration names the agent. */
  readonly agentListed: boolean;
  readonly tag: string | null;
  /** Name of RFC 9421 section 6.2. */
  readonly algorithm: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** Component identifiers as they were signed, without quotes: `@authority`, `signature-agent;key="a"`. */
  readonly covered: readonly string[];
  /** True where a nonce was used up: without one the signature may be used again until it expires. */
  readonly nonce: boolean;
  /** Whether a covered `content-digest` is that of the body; `none` where none is covered, `unchecked` where the body was not seen whole. */
  readonly digest: 'none' | 'matched' | 'unchecked';
  /** The client that the configuration gives the key set to. */
  readonly clientId: string | null;
};
