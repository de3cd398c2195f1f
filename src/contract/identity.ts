import type { EvidenceAgreement } from './agreement.ts';
import type { JsonObject } from './json.ts';
import type { ClientRecord } from './registry.ts';
import type { BindingState, IdentitySignals } from './signals.ts';

/** How strongly the caller is identified: 0 nothing or only asserted, 1 API key, 2 verified token, 3 token or key with a client certificate, 4 proven binding (DESIGN 1). */
export type AssuranceLevel = 0 | 1 | 2 | 3 | 4;

/** AuthZEN's subject as it was derived. */
export type Subject = {
  readonly type: string;
  readonly id: string | null;
  /** True where the gateway only said so. */
  readonly asserted: boolean;
  /** The client that the verified evidence names; null where there is none or where two disagree. */
  readonly client: string | null;
  /** What the registry says of this client; null where it does not know it, or where there is none. */
  readonly record: ClientRecord | null;
  readonly properties: JsonObject;
};

/** WHO asks: the result of the stage identify. */
export type Identity = {
  readonly signals: IdentitySignals;
  readonly subject: Subject;
  readonly evidence: {
    /** What was verified, in a fixed order: `token`, `api_key`, `certificate`, `dpop`, `mtls_bound`, `signature`, `txn_token`, `asserted_claims`. */
    readonly methods: readonly string[];
    readonly assurance: AssuranceLevel;
    readonly binding: BindingState;
    /** `client` is `conflict` where two pieces of evidence name different clients. */
    readonly agreement: EvidenceAgreement & { readonly client: 'none' | 'single' | 'agreed' | 'conflict' };
  };
  /** Stable key of the verified token for counting (a hash); null where no token was verified. */
  readonly tokenKey: string | null;
  /** What a challenge to this caller has to say beside the reason. */
  readonly challenge: {
    /** The authentication scheme that the token came by, or has to. */
    readonly scheme: 'Bearer' | 'DPoP';
    /** The nonce for the next proof (RFC 9449 section 8); null where none is asked for, or where the caller has it. */
    readonly dpopNonce: string | null;
    /** `Accept-Signature` (RFC 9421 section 5.1) for who has none that was verified; absent where none is asked for. */
    readonly acceptSignature?: string;
  };
};
