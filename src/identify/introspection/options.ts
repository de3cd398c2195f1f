/** How the authorization server of one issuer is asked about tokens (RFC 7662). */
export type IntrospectionOptions = {
  /**
   * `always`: about every token of the issuer, and about opaque ones; `opaque`: about tokens that are no JWT; `on_demand`: only where a policy
   * collects it. Whatever the mode, a policy may collect it for the JWTs of this issuer.
   */
  readonly mode: 'always' | 'opaque' | 'on_demand';
  /** Null: the one of the issuer's metadata. */
  readonly endpoint: string | null;
  /** Who we are at that server. */
  readonly clientId: string;
  readonly authentication: ClientAuthenticationOptions;
  /** Which requests' opaque tokens are this issuer's; an empty list means any. A token is never shown to a server that is not selected. */
  readonly opaqueTokens: { readonly peps: readonly string[]; readonly hosts: readonly string[] };
  /** How long an answer `active` serves, and never past `exp`; 0 asks each time. */
  readonly cacheSeconds: number;
  /** How long an answer that is not `active` serves. */
  readonly inactiveCacheSeconds: number;
  readonly timeoutMs: number;
  /** Questions to this server at the same time. */
  readonly concurrencyMax: number;
  /** False: an answer that does not say what kind of token it is about counts as one about an access token. */
  readonly tokenTypeRequired: boolean;
  /** The JWS algorithm of answers as JWT (RFC 9701), or null for answers as JSON. */
  readonly signedAnswers: string | null;
};

/** RFC 6749 section 2.3.1 with one of `secret` and `secretFile`, or RFC 7523 section 2.2 with `keyFile` (PEM) and `algorithm`. */
export type ClientAuthenticationOptions = {
  readonly method: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  readonly secret: string | null;
  readonly secretFile: string | null;
  readonly keyFile: string | null;
  readonly algorithm: string | null;
  readonly kid: string | null;
};
