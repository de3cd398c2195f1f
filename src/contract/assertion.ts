import type { Decision } from './decision.ts';
import type { Identity } from './identity.ts';
import type { DecisionRequest } from './request.ts';
import type { Route } from './route.ts';

/** Proves to the upstream, whoever brings it the request, what was decided; throws where it cannot, and then nothing is allowed. */
export interface UpstreamProof {
  /** The decision with the proof among its upstream headers; asked for an allow of the policy only, never for what monitor mode lets pass. */
  attach(
    request: DecisionRequest,
    decision: Decision,
    known: { readonly route: Route | null; readonly identity: Identity | null },
  ): Decision;
}

/** One key that proofs are or were signed with. */
export type ProofKeyStatus = {
  /** Its id in the configuration. */
  readonly id: string;
  /** Its thumbprint (RFC 7638): what proofs and the published set call it. */
  readonly kid: string;
  readonly algorithm: 'ES256' | 'EdDSA';
  /** `active` signs, `published` may be verified by, `replaced` was in the file of this id before. */
  readonly use: 'active' | 'published' | 'replaced';
  /** Why what the file holds now is not used; null where it is. */
  readonly lastError: string | null;
};

/** What `/status` says of proofs. */
export type ProofStatus = { readonly keys: readonly ProofKeyStatus[] };
