/** Why an API key signal is not present. */
export type ApiKeyCode =
  | 'api_key_missing'
  | 'credentials_multiple'
  | 'api_key_malformed'
  | 'api_key_checksum_wrong'
  | 'api_key_unknown'
  | 'api_key_expired'
  | 'api_key_network'
  | 'api_key_revoked'
  | 'client_revoked'
  | 'registry_unavailable'
  | 'verification_budget_exhausted';

/** An API key whose secret was verified here. */
export type ApiKeyValue = {
  readonly id: string;
  readonly clientId: string;
  /** Its own, within those of the client. */
  readonly scopes: readonly string[];
  /** Unix seconds, or null. */
  readonly expiresAt: number | null;
};
