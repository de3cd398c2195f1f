import type { DecisionRequest } from '../contract/request.ts';
import type { BindingCode, BindingState, BindingValue, Signal } from '../contract/signals.ts';
import type { Awaitable } from '../contract/stages.ts';
import type { OfferedToken } from './authorization.ts';
import type { CertificateSignal } from './certificate-offers.ts';
import type { Confirmation } from './confirmation.ts';
import type { DpopVerifier, ProofOutcome } from './dpop.ts';
import { accessTokenHash } from './dpop-proof.ts';
import { invalid, type TokenOutcome, unavailable } from './token-outcome.ts';

/** A token with what became of its binding; a token whose holder did not prove it is not present any more. */
export type Bound = {
  readonly token: TokenOutcome;
  readonly signal: Signal<BindingValue, BindingCode>;
  readonly state: BindingState;
  /** What was proven, as `evidence.methods` has it. */
  readonly methods: readonly string[];
  readonly dpopNonce: string | null;
};

const NOTHING: readonly string[] = [];
const NOT_BOUND = { signal: { status: 'absent', code: 'token_not_bound' }, state: 'none', methods: NOTHING, dpopNonce: null } as const;
const NOT_VERIFIED = { ...NOT_BOUND, signal: { status: 'absent', code: 'token_not_verified' } } as const;
const UNCHECKED = { ...NOT_BOUND, signal: { status: 'absent', code: 'binding_unchecked' }, state: 'unchecked' } as const;

/** A token that is bound to nothing, and came as such. */
export function unbound(token: TokenOutcome): Bound {
  return { token, ...(token.signal.status === 'present' ? NOT_BOUND : NOT_VERIFIED) };
}

/** Ties a token to the proofs that came with it. */
export interface BindingJudge {
  /** `offer` is null where the token is claims that the gateway asserts. Answers at once unless the replay memory is remote. Never throws. */
  judge(request: DecisionRequest, offer: OfferedToken | null, token: TokenOutcome, certificate: CertificateSignal): Awaitable<Bound>;
}

/**
 * Holds tokens against their confirmations (`cnf`): all that a token names must be proven. The token's own verification may come out of a
 * cache; this is judged at each request.
 */
export function createBindingJudge(dpop: DpopVerifier): BindingJudge {
  return {
    judge(request, offer, token, certificate) {
      const { confirmation } = token;
      if (token.signal.status !== 'present') return unbound(token);
      if (offer === null) return judgeAsserted(token, confirmation, certificate);
      // a client that proves possession believes its token to be safe with whoever reads it: one that is not is refused
      if (confirmation === null || confirmation.jkt === null) {
        if (offer.scheme === 'DPoP') return refuse(invalid('token_unbound'), 'dpop_token_unbound', null);
      } else if (offer.scheme !== 'DPoP') return refuse(MISMATCH, 'dpop_scheme_required', null);
      if (confirmation === null) return unbound(token);
      const code = judgeCertificate(confirmation, certificate);
      if (code !== null) return refuseCertificate(code);
      if (confirmation.jkt === null) return confirmation.certificate === null ? { token, ...UNCHECKED } : provenByMtls(token, certificate);
      const { jkt } = confirmation;
      const outcome = dpop.verify(request, athOf(token, offer.token), jkt);
      return outcome instanceof Promise ? outcome.then((known) => conclude(token, jkt, known)) : conclude(token, jkt, outcome);
    },
  };
}

/** The hash of a token that proofs name; the same for all of them, and a fifth of what a proof costs beside its signature. */
function athOf(token: TokenOutcome, text: string): string {
  if (token.held?.text !== text) token.held = { text, ath: accessTokenHash(text) };
  return token.held.ath;
}

const MISMATCH = invalid('token_binding_mismatch');

/** The gateway judged these claims; a certificate that contradicts them is still a contradiction, and of proofs nothing is known here. */
function judgeAsserted(token: TokenOutcome, confirmation: Confirmation | null, certificate: CertificateSignal): Bound {
  if (confirmation === null) return unbound(token);
  if (confirmation.certificate === null || certificate.status === 'absent') return { token, ...UNCHECKED };
  const code = judgeCertificate(confirmation, certificate);
  if (code !== null) return refuseCertificate(code);
  return confirmation.jkt === null ? provenByMtls(token, certificate) : { token, ...UNCHECKED };
}

/** RFC 8705 section 3: the certificate of the connection, by its hash. */
function judgeCertificate({ certificate: wanted }: Confirmation, certificate: CertificateSignal): BindingCode | null {
  if (wanted === null) return null;
  if (certificate.status === 'absent') return 'certificate_required';
  if (certificate.status === 'unavailable') return 'certificate_unavailable';
  return certificate.status === 'present' && certificate.value.sha256 === wanted.sha256 ? null : 'certificate_mismatch';
}

/** That a certificate cannot be judged here is no fault of its holder: a new token would not help. */
function refuseCertificate(code: BindingCode): Bound {
  return code === 'certificate_unavailable' ? unjudged(code, null) : refuse(MISMATCH, code, null);
}

function unjudged(code: BindingCode, dpopNonce: string | null): Bound {
  return {
    ...NOT_BOUND,
    token: unavailable('binding_unavailable'),
    signal: { status: 'unavailable', code },
    state: 'unchecked',
    dpopNonce,
  };
}

function provenByMtls(token: TokenOutcome, certificate: CertificateSignal): Bound {
  const thumbprint = token.confirmation?.certificate?.thumbprint ?? '';
  // fields are what the gateway says of a certificate that nobody here has seen
  const proven = certificate.status === 'present' && certificate.value.chain !== 'unchecked';
  const value: BindingValue = { method: 'mtls', thumbprint, proven, issuedAt: null, nonce: false };
  return { token: matched(token), signal: { status: 'present', value }, state: 'matched', methods: BY_MTLS, dpopNonce: null };
}

function conclude(token: TokenOutcome, thumbprint: string, outcome: ProofOutcome): Bound {
  if (outcome.status === 'invalid') return refuse(MISMATCH, outcome.code, outcome.nextNonce);
  if (outcome.status === 'unavailable') return unjudged(outcome.code, outcome.nextNonce);
  const { issuedAt, nonce, nextNonce } = outcome;
  const value: BindingValue = { method: 'dpop', thumbprint, proven: true, issuedAt, nonce };
  const methods = token.confirmation?.certificate ? BY_BOTH : BY_DPOP;
  return { token: matched(token), signal: { status: 'present', value }, state: 'matched', methods, dpopNonce: nextNonce };
}

/** A binding that was proven, once its certificate is another signal than it was then; proofs of a key stay what they were. */
export function heldAgainst(bound: Bound, certificate: CertificateSignal): Bound {
  const { token, methods } = bound;
  if (token.confirmation === null || !methods.includes('mtls_bound')) return bound;
  const code = judgeCertificate(token.confirmation, certificate);
  return code === null ? bound : refuseCertificate(code);
}

/** What `evidence.methods` says of proven bindings. */
export const BINDING_METHODS: ReadonlySet<string> = new Set(['dpop', 'mtls_bound']);

const BY_DPOP = ['dpop'];
const BY_MTLS = ['mtls_bound'];
const BY_BOTH = ['dpop', 'mtls_bound'];

/** A token that is presented by somebody else, or in another way than it has to be. */
function refuse(token: TokenOutcome, code: BindingCode, dpopNonce: string | null): Bound {
  return { token, signal: { status: 'invalid', code }, state: 'mismatched', methods: NOTHING, dpopNonce };
}

/** The token with its binding in the value; a copy beside the cached one, which is of no request. */
function matched(token: TokenOutcome): TokenOutcome {
  const { signal, tokenKey, confirmation } = token;
  if (signal.status !== 'present') return token;
  token.matched ??= {
    signal: { status: 'present', value: { ...signal.value, binding: 'matched' } },
    tokenKey,
    confirmation,
    identityAlone: null,
  };
  return token.matched;
}
