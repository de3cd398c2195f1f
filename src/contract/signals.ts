import type { ApiKeyCode, ApiKeyValue } from './api-key.ts';
import type { BehaviourSignal, DeviceSignal } from './behaviour.ts';
import type { AuthorizationDetail, TokenActor, TokenDelegation } from './delegation.ts';
import type { JsonObject } from './json.ts';
import type { NetworkSignal } from './network.ts';
import type { RateDetails } from './rate-details.ts';
import type { RegistryCode } from './registry.ts';
import type { SignatureCode, SignatureValue } from './signature.ts';
import type { SourceSignals } from './sources.ts';
import type { TxnTokenValue } from './txn-token.ts';

/**
 * The typed result of one identity check or one source of attributes. Four facts that stay apart all the way into Rego:
 * `present` (known), `absent` (not offered), `invalid` (offered and refused), `unavailable` (our source failed).
 */
export type Signal<T, Code extends string = string> =
  | { readonly status: 'present'; readonly value: T }
  | { readonly status: 'absent' | 'invalid' | 'unavailable'; readonly code: Code };

/** Why a token signal is not present. */
export type TokenCode =
  | 'token_missing'
  | 'credentials_multiple'
  | 'scheme_unsupported'
  | 'token_too_large'
  | 'token_malformed'
  | 'token_encrypted'
  | 'algorithm_not_allowed'
  | 'type_not_allowed'
  | 'critical_header_unknown'
  | 'issuer_unknown'
  | 'kid_required'
  | 'kid_unknown'
  | 'kid_ambiguous'
  | 'key_algorithm_mismatch'
  | 'signature_invalid'
  | 'claim_missing'
  | 'claim_invalid'
  | 'audience_mismatch'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_issued_in_future'
  | 'token_too_old'
  | 'actor_chain_too_deep'
  | 'keys_unavailable'
  | 'verification_budget_exhausted'
  | 'token_binding_mismatch'
  | 'token_unbound'
  | 'binding_unavailable'
  | RegistryCode
  // of what its authorization server says (RFC 7662)
  | 'token_inactive'
  | 'introspection_mismatch'
  | 'introspection_unavailable'
  | 'introspection_not_configured';

/** Whether the token's holder proved that it is theirs (`cnf`, RFC 7800): what all of its confirmations together say. */
export type BindingState = 'none' | 'matched' | 'mismatched' | 'unchecked';

/** A token that was verified here, or claims that a trusted gateway verified. Times are unix seconds. */
export type TokenValue = {
  readonly issuer: string;
  readonly subject: string | null;
  /** `client_id`, else `azp`; RFC 9068, RFC 8693. */
  readonly clientId: string | null;
  readonly audience: readonly string[];
  /** From `scope` (string, RFC 8693) or `scp`. */
  readonly scopes: readonly string[];
  readonly expiresAt: number | null;
  readonly issuedAt: number | null;
  readonly notBefore: number | null;
  readonly acr: string | null;
  readonly amr: readonly string[];
  readonly authTime: number | null;
  /** SHA-256 of `jti`, base64url, or null. */
  readonly jtiHash: string | null;
  /**
   * `none` carries no `cnf`, `matched` what it names was proven, `unchecked` it names something that is not judged here. Where the proof
   * was missing or wrong the token is not present: `invalid: token_binding_mismatch`.
   */
  readonly binding: Exclude<BindingState, 'mismatched'>;
  readonly actor: TokenActor | null;
  /** Null where nobody acts for the subject. */
  readonly delegation: TokenDelegation | null;
  readonly authorizationDetails: readonly AuthorizationDetail[];
  /** RFC 9068 section 2.2.3.1: names, or the `value` of SCIM's objects. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly entitlements: readonly string[];
  readonly claims: JsonObject;
  /** `countersign` where the signature was verified here, `introspection` where its server says all this, `pep` for asserted claims. */
  readonly verifiedBy: 'countersign' | 'introspection' | 'pep';
  /** When its authorization server last called it active, unix seconds; not there where it was not asked. */
  readonly introspectedAt?: number;
  /** When the key set that it was verified with was last fetched with success, unix seconds; null where no keys of ours were used. */
  readonly keysFetchedAt: number | null;
};

/** Why a certificate signal is not present. */
export type CertificateCode =
  | 'certificate_missing'
  | 'certificate_malformed'
  | 'certificate_hash_mismatch'
  | 'certificate_conflict'
  | 'certificate_denied'
  | 'certificate_unverifiable'
  | 'certificate_svid_invalid'
  | 'certificate_trust_domain'
  | 'certificate_purpose'
  | 'certificate_untrusted'
  | 'certificate_chain_expired'
  | 'certificate_revoked'
  | 'trust_unavailable'
  | 'revocation_unavailable'
  | Extract<RegistryCode, 'client_revoked' | 'registry_unavailable'>;

export type CertificateValue = {
  /** Lower-case hex of the DER's SHA-256. */
  readonly sha256: string | null;
  readonly subject: string | null;
  readonly issuer: string | null;
  /** Lower-case hex without leading zeros. */
  readonly serial: string | null;
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  /** Set where `svid` is `valid`. */
  readonly spiffeId: string | null;
  /**
   * X.509-SVID section 2 and 5: `none` no URI SAN in the scheme spiffe; `ambiguous` several URI SANs, one of them spiffe;
   * `invalid` a CA or signing certificate, an id without path, or a malformed id.
   */
  readonly svid: 'none' | 'valid' | 'ambiguous' | 'invalid';
  /** Unix seconds. */
  readonly notBefore: number | null;
  readonly notAfter: number | null;
  /** Bits of RFC 5280 section 4.2.1.3 by their names in snake_case; empty where the certificate does not say. */
  readonly keyUsage: readonly string[];
  /**
   * `verified` here, up to a trust bundle; `asserted`: the gateway that is trusted for it says so; `unchecked`: only fields, no certificate was
   * seen. A chain that leads to no bundle is the signal `invalid`.
   */
  readonly chain: 'verified' | 'asserted' | 'unchecked';
  /** Name of the bundle that the chain ends in. */
  readonly trustBundle: string | null;
  /**
   * What the revocation lists say: `stale` by one whose `nextUpdate` is past, `unknown` where there is none of that issuer, `unchecked` where
   * none is configured. A revoked certificate is the signal `invalid`.
   */
  readonly revocation: 'good' | 'stale' | 'unknown' | 'unchecked';
};

/** Why a binding signal is not present; `dpop_*` are those of one proof, in the order of RFC 9449 section 4.3. */
export type BindingCode =
  // absent: there is nothing to prove, or nothing to prove it to
  | 'token_not_bound'
  | 'token_not_verified'
  | 'binding_unchecked'
  // invalid: the token
  | 'certificate_required'
  | 'certificate_mismatch'
  | 'dpop_scheme_required'
  | 'dpop_token_unbound'
  // invalid: the proof
  | 'dpop_proof_missing'
  | 'dpop_proof_multiple'
  | 'dpop_malformed'
  | 'dpop_type_invalid'
  | 'dpop_algorithm_not_allowed'
  | 'dpop_key_invalid'
  | 'dpop_signature_invalid'
  | 'dpop_claim_invalid'
  | 'dpop_method_mismatch'
  | 'dpop_uri_mismatch'
  | 'dpop_nonce_required'
  | 'dpop_nonce_invalid'
  | 'dpop_expired'
  | 'dpop_issued_in_future'
  | 'dpop_token_mismatch'
  | 'dpop_key_mismatch'
  | 'dpop_replayed'
  // unavailable: it could not be judged here
  | 'certificate_unavailable'
  | 'public_origin_unknown'
  | 'verification_budget_exhausted'
  | 'replay_memory_too_young'
  | 'store_unavailable'
  | 'store_full';

/** A token's binding that was proven. */
export type BindingValue = {
  /** `dpop` RFC 9449, also where a certificate was proven beside it; `mtls` RFC 8705 section 3. */
  readonly method: 'dpop' | 'mtls';
  /** `jkt` (RFC 7638) or `x5t#S256`: SHA-256, base64url. */
  readonly thumbprint: string;
  /** False where the gateway handed on the certificate's fields only: no certificate was seen. */
  readonly proven: boolean;
  /** `iat` of the proof, unix seconds; null for mTLS. */
  readonly issuedAt: number | null;
  /** True where the proof carries a nonce of ours, which shows that it is fresh. */
  readonly nonce: boolean;
};

/** Counts of one entity by window, this request included. */
export type WindowCounts = { readonly '10s': number; readonly '1m': number; readonly '10m': number; readonly '1h': number };
export type RateCode = 'store_unavailable' | 'store_full';
export type RateValue = RateDetails & {
  /** Null where the entity is not known for this request, or where its store failed (then `degraded`). */
  readonly client: WindowCounts | null;
  readonly address: WindowCounts | null;
  readonly token: WindowCounts | null;
  readonly route: WindowCounts | null;
  /** True where a part of the counts is missing. */
  readonly degraded: boolean;
  /** True where the store has lost its windows within the longest window (restart or flush). */
  readonly historyLost: boolean;
  readonly pep: { readonly count: number; readonly windowSeconds: number } | null;
};

/** Why a transaction token is not present; the other codes are those of any token. `txn_token_unchecked`: no issuer is configured for them. */
export type TxnTokenCode = TokenCode | 'txn_token_missing' | 'txn_token_unchecked' | 'txn_token_multiple';
export type IdentitySignals = {
  readonly token: Signal<TokenValue, TokenCode>;
  readonly certificate: Signal<CertificateValue, CertificateCode>;
  readonly binding: Signal<BindingValue, BindingCode>;
  readonly apiKey: Signal<ApiKeyValue, ApiKeyCode>;
  readonly txnToken: Signal<TxnTokenValue, TxnTokenCode>;
  readonly signature: Signal<SignatureValue, SignatureCode>;
};
export type EnrichmentSignals = {
  readonly network: NetworkSignal;
  readonly rate: Signal<RateValue, RateCode>;
  readonly device: DeviceSignal;
  readonly behaviour: BehaviourSignal;
  /** Left out where none is configured. */
  readonly sources?: SourceSignals;
};
export type Signals = IdentitySignals & EnrichmentSignals;
