import type { DecisionRequest } from '../contract/request.ts';
import type { IdentitySignals } from '../contract/signals.ts';
import type { Awaitable } from '../contract/stages.ts';
import type { IdentityOptions } from './options.ts';
import { createTokenVerifier, type Issuer, type TokenMemory, type TokenVerifier, type VerifierParts } from './token.ts';
import type { TokenOutcome } from './token-outcome.ts';
import { judgeTxnClaims, serviceOf, servicesByDomain, txnValueOf } from './txn-token-claims.ts';

export type TxnTokenSignal = IdentitySignals['txnToken'];

/** No `txn-token` header: the one signal that leaves an identity as it is without. */
export const NO_TXN_TOKEN: TxnTokenSignal = { status: 'absent', code: 'txn_token_missing' };
const UNCHECKED: TxnTokenSignal = { status: 'absent', code: 'txn_token_unchecked' };
const MULTIPLE: TxnTokenSignal = { status: 'invalid', code: 'txn_token_multiple' };

/** Verifies transaction tokens (draft-ietf-oauth-transaction-tokens). */
export interface TxnTokenVerifier {
  /** Reads the `txn-token` header alone. Answers at once unless a key must be fetched. Never throws. */
  judge(request: DecisionRequest): Awaitable<TxnTokenSignal>;
  status: TokenVerifier['status'];
}

/**
 * A verifier over the issuers of the kind `txn_token`, with a memory of its own: neither these issuers nor what was verified by them ever meets
 * a token of the `authorization` header. Fails with `config_invalid` where two of them are of one trust domain.
 */
export function createTxnTokenVerifier(
  options: Omit<IdentityOptions, 'issuers'>,
  issuers: ReadonlyMap<string, Issuer>,
  parts: VerifierParts,
  memory: TokenMemory,
  /** What is left of a token once the revocations were looked at. */
  held: (outcome: TokenOutcome) => TokenOutcome = (outcome) => outcome,
): TxnTokenVerifier {
  const byDomain = servicesByDomain(issuers);
  const profile = { issuerOf: (claims: Parameters<typeof serviceOf>[0]) => serviceOf(claims, byDomain), judge: judgeTxnClaims };
  const tokens = createTokenVerifier(options, issuers, parts, memory, profile);
  /** A cached token's signal is made once. */
  const signals = new WeakMap<TokenOutcome, TxnTokenSignal>();

  function signalOf(verified: TokenOutcome): TxnTokenSignal {
    const outcome = held(verified);
    if (outcome.signal.status !== 'present') return outcome.signal;
    const made = signals.get(outcome) ?? { status: 'present', value: txnValueOf(outcome.signal.value) };
    signals.set(outcome, made);
    return made;
  }

  return {
    judge(request) {
      const [token, second] = request.credentials.txnToken;
      if (token === undefined) return NO_TXN_TOKEN;
      if (issuers.size === 0) return UNCHECKED;
      // gateways join several lines by commas, and no token has one
      if (second !== undefined || token.includes(',')) return MULTIPLE;
      const outcome = tokens.verify(token, request);
      return outcome instanceof Promise ? outcome.then(signalOf) : signalOf(outcome);
    },
    status: tokens.status,
  };
}
