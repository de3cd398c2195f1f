import type { AgreementOptions } from './agreement-mapping.ts';
import type { IntrospectionOptions } from './introspection/options.ts';
import type { SignatureOptions } from './signature/options.ts';
import type { CertificateTrustOptions } from './trust/options.ts';

/**
 * One authorization server whose tokens are accepted; exactly one of `jwksUrl`, `jwksFile`, `discovery` says where its keys are, or none where it is
 * asked about its tokens instead.
 */
export type IssuerOptions = {
  /**
   * `jwt_svid`: the SPIFFE trust domain that `issuer` names; its tokens are known by `sub`, and its keys by the use `jwt-svid`.
   * `txn_token`: the transaction token service of the trust domains that `audiences` names; its tokens come in `txn-token` and count nowhere else.
   */
  readonly kind: 'jwt' | 'jwt_svid' | 'txn_token';
  /** The exact `iss`, or `spiffe://<trust domain>`; of `txn_token` the `iss` of tokens that have one. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly allowAnyAudience: boolean;
  readonly jwksUrl: string | null;
  readonly jwksFile: string | null;
  readonly discovery: boolean;
  /** Names of RFC 7518 section 3.1 and RFC 8037, asymmetric ones only. */
  readonly algorithms: readonly string[];
  /** Header `typ` in lower case, without `application/`. A token without `typ` counts as `jwt`. */
  readonly types: readonly string[];
  readonly clockSkewSeconds: number;
  readonly ageMaxSeconds: number | null;
  readonly refreshSeconds: number;
  readonly fetchTimeoutMs: number;
  readonly allowInsecureHttp: boolean;
  /** Null where the server is not asked about its tokens. */
  readonly introspection: IntrospectionOptions | null;
};

/** How DPoP proofs are judged (RFC 9449). */
export type DpopOptions = {
  /** Names of RFC 7518 section 3.1 and RFC 8037, asymmetric ones only. */
  readonly algorithms: readonly string[];
  readonly ageMaxSeconds: number;
  readonly clockSkewSeconds: number;
  readonly proofBytesMax: number;
  readonly keyCache: { readonly entriesMax: number };
  /** Null where no nonce is asked for; a null secret makes one up. */
  readonly nonce: { readonly secret: string | null; readonly lifetimeSeconds: number } | null;
};

/** How callers are identified: the configuration's section `identity`. */
export type IdentityOptions = {
  readonly issuers: readonly IssuerOptions[];
  /** How long one request waits for the fetch of a key that it needs. */
  readonly keyWaitMs: number;
  readonly tokenBytesMax: number;
  readonly actorDepthMax: number;
  readonly tokenCache: { readonly bytesMax: number; readonly ttlSeconds: number };
  /** Room for the answers of authorization servers. */
  readonly introspectionCache: { readonly bytesMax: number };
  readonly negativeCache: { readonly entriesMax: number; readonly ttlSeconds: number };
  readonly verificationBudget: { readonly failuresPerMinute: number; readonly addressesMax: number };
  readonly certificateCache: { readonly entriesMax: number };
  readonly certificates: CertificateTrustOptions;
  /** `scheme://host[:port]` by which clients reach the gateways that are not trusted for `forwarded`. */
  readonly publicOrigins: readonly string[];
  readonly dpop: DpopOptions;
  readonly signatures: SignatureOptions;
  readonly clients: readonly { readonly id: string; readonly spiffeIds: readonly string[] }[];
  readonly agreement: AgreementOptions;
};
