import type { TokenActor, TokenDelegation } from '../contract/delegation.ts';
import type { JsonValue } from '../contract/json.ts';
import type { TxnTokenValue } from '../contract/txn-token.ts';

/* What `input.ts` says of those who act for somebody else, and of transaction tokens. */

/** `signals.token.value.actor`. */
export function actorOf(actor: TokenActor | null): JsonValue {
  if (actor === null) return null;
  const { subject, issuer, clientId, depth, chain, flags } = actor;
  const hops = chain.map((hop) => ({ subject: hop.subject, issuer: hop.issuer, client_id: hop.clientId, scopes: hop.scopes }));
  return { subject, issuer, client_id: clientId, depth, chain: hops, flags };
}

/** `signals.token.value.delegation`. */
export function delegationOf(delegation: TokenDelegation | null): JsonValue {
  if (delegation === null) return null;
  const { depth, actorIdentified, widened, widenedScopes, complete } = delegation;
  return { depth, actor_identified: actorIdentified, widened, widened_scopes: widenedScopes, complete };
}

/** The fields of `signals.txn_token.value`; `second` is the time of the request. */
export function txnTokenFields<F>(second: (facts: F) => number): Record<string, (token: TxnTokenValue, facts: F) => JsonValue> {
  return {
    issuer: (token) => token.issuer,
    txn: (token) => token.txn,
    subject: (token) => token.subject,
    scopes: (token) => token.scopes,
    req_wl: (token) => token.requestingWorkload,
    trust_domain: (token) => token.trustDomain,
    tctx: (token) => token.transactionContext,
    rctx: (token) => token.requesterContext,
    issued_at: (token) => token.issuedAt,
    expires_at: (token) => token.expiresAt,
    age_seconds: (token, facts) => second(facts) - token.issuedAt,
  };
}
