import type { DecisionRequest } from '../contract/request.ts';
import { readConfirmation } from './confirmation.ts';
import { readClaims } from './token-claims.ts';
import { invalid, refusal, type TokenOutcome } from './token-outcome.ts';
import { judgeTimes } from './token-times.ts';

/** The gateway judged the times by its own clock a moment ago. */
const TIME_RULES = { clockSkewSeconds: 5, ageMaxSeconds: null };

/**
 * The token signal of claims that the gateway verified; only for requests without a token of their own, from gateways trusted for `claims`.
 * Types and times are checked as for a token; signature, issuer and audience are the gateway's word.
 */
export function readAssertedClaims(request: DecisionRequest, actorDepthMax: number): TokenOutcome {
  const { claims } = request.credentials;
  if (claims === null || !request.pep.trusts.has('claims')) return refusal('absent', 'token_missing');
  const value = readClaims(claims, actorDepthMax, 'pep');
  if (typeof value === 'string') return invalid(value);
  const confirmation = readConfirmation(claims);
  if (confirmation === 'claim_invalid') return invalid(confirmation);
  const code = judgeTimes(value, request.receivedAtMs / 1000, TIME_RULES);
  return code === null ? { signal: { status: 'present', value }, tokenKey: null, confirmation, identityAlone: null } : invalid(code);
}
