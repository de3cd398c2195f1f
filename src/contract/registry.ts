/* What operators declare of the callers they know: client records, API keys, and what of it all is revoked. Look-ups only: how it got here is the registry's business. */

/** What kind of caller a client is. */
export const CLIENT_TYPES = ['service', 'agent', 'device'] as const;
/** Only `active` clients may do anything; `suspended` ones may again some day, `retired` ones not. */
export const CLIENT_STATUSES = ['active', 'suspended', 'retired'] as const;

/** Why evidence that is good in itself counts for nothing: it is revoked, or that could not be told. */
export type RegistryCode = 'token_revoked' | 'session_revoked' | 'token_issued_before' | 'client_revoked' | 'registry_unavailable';

/** One client as it is declared. Lists that are empty restrict nothing. */
export type ClientRecord = {
  readonly id: string;
  readonly name: string | null;
  readonly type: (typeof CLIENT_TYPES)[number];
  readonly owner: string | null;
  readonly tier: string | null;
  readonly status: (typeof CLIENT_STATUSES)[number];
  /** `iss` that its tokens come from. */
  readonly issuers: readonly string[];
  /** SPIFFE ids that are its own and nobody else's. */
  readonly spiffeIds: readonly string[];
  /** What it is known by on the wire: certificates as lower-case hex of the SHA-256, TLS clients by JA3 and JA4. */
  readonly fingerprints: { readonly certificates: readonly string[]; readonly ja3: readonly string[]; readonly ja4: readonly string[] };
  /** Addresses and CIDR blocks that it calls from. */
  readonly networks: readonly string[];
  /** ISO 3166-1 alpha-2. */
  readonly countries: readonly string[];
  /** The most that its credentials may hold; null: whatever they hold. */
  readonly scopes: readonly string[] | null;
  readonly tags: readonly string[];
};

/** One API key, without its secret. */
export type ApiKeyRecord = {
  readonly id: string;
  readonly clientId: string;
  /** Which hash key of the configuration the digest was made with. */
  readonly hashKeyId: string;
  /** HMAC-SHA-256 of the whole key, base64url. */
  readonly digest: string;
  /** Already bounded by the client's own. */
  readonly scopes: readonly string[];
  /** Unix seconds, or null. */
  readonly expiresAt: number | null;
  /** Addresses and CIDR blocks that it counts from; empty: from anywhere. */
  readonly networks: readonly string[];
};

/** What is revoked, by name. Each look-up is one or two of a set. */
export interface Revocations {
  /** 0 where nothing is revoked, so that nothing need be looked up. */
  readonly entries: number;
  client(id: string): boolean;
  apiKey(id: string): boolean;
  /** By the SHA-256 of `jti` (base64url), revoked of this issuer or of any. */
  token(jtiHash: string, issuer: string): boolean;
  /** By `sid`, revoked of this issuer or of any. */
  session(sid: string, issuer: string): boolean;
  /** By lower-case hex, as `CertificateValue` has it. */
  certificate(certificate: { readonly sha256: string | null; readonly serial: string | null }): boolean;
  /** Tokens of this issuer, client and subject that were issued before this time (unix seconds) are refused; null where there is no such time. */
  issuedBefore(issuer: string, client: string | null, subject?: string | null): number | null;
}

/** The declared callers. Answers at once, from memory, and never throws. */
export interface Registry {
  /** Another number after every change: what was derived from a look-up before is void. */
  readonly generation: number;
  /** False until records and revocations were both loaded once: till then nobody can be told from one who is revoked. */
  readonly available: boolean;
  client(id: string): ClientRecord | null;
  /** The client that a SPIFFE id belongs to. */
  clientOfSpiffeId(spiffeId: string): string | null;
  apiKey(id: string): ApiKeyRecord | null;
  readonly revocations: Revocations;
}
