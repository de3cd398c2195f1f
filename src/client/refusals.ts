/** Why an assertion proves nothing; stable codes, for logs and metrics. */
export type AssertionRefusal =
  | 'assertion_missing'
  /** More than one header: two readers could take different ones. */
  | 'assertion_multiple'
  /** No JWS of our form, or claims of a wrong form. */
  | 'assertion_malformed'
  /** Another token, whoever signed it. */
  | 'assertion_type'
  | 'assertion_algorithm'
  | 'assertion_key_unknown'
  /** No key set could be had: nothing can be verified. */
  | 'assertion_keys_unavailable'
  | 'assertion_signature'
  | 'assertion_issuer'
  /** For another upstream. */
  | 'assertion_audience'
  | 'assertion_policy'
  | 'assertion_gateway'
  | 'assertion_expired'
  | 'assertion_not_yet'
  /** The caller is not identified strongly enough. */
  | 'assertion_assurance';
