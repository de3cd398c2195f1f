import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { TokenCode, TokenValue } from '../contract/signals.ts';
import type { TxnTokenValue } from '../contract/txn-token.ts';
import type { IssuerOptions } from './options.ts';
import type { Issuer } from './token.ts';

/* draft-ietf-oauth-transaction-tokens, "Txn-Token Format" and "Txn-Token Claims". */

/** Header `typ`, in lower case and without `application/`. */
export const TXN_TOKEN_TYPE = 'txntoken+jwt';

const REQUIRED_TEXTS = ['txn', 'sub', 'scope', 'req_wl'] as const;
const CONTEXTS = ['tctx', 'rctx'] as const;
const EMPTY: JsonObject = {};

/** The types of a transaction token service's tokens, whatever else is configured; fails with `config_invalid`. */
export function prepareTxnTokens({ audiences, algorithms }: IssuerOptions): Pick<IssuerOptions, 'algorithms' | 'types'> {
  // a token must not be accepted outside its trust domain
  if (audiences.length === 0) throw new CountersignError('config_invalid', { field: 'identity.issuers.audiences' });
  return { algorithms, types: [TXN_TOKEN_TYPE] };
}

/** Services by their trust domains, which have one each; fails with `config_invalid` where two claim one. */
export function servicesByDomain(issuers: ReadonlyMap<string, Issuer>): ReadonlyMap<string, Issuer> {
  const byDomain = new Map<string, Issuer>();
  for (const issuer of issuers.values()) {
    for (const domain of issuer.options.audiences) {
      if (byDomain.has(domain)) throw new CountersignError('config_invalid', { field: 'identity.issuers.audiences' });
      byDomain.set(domain, issuer);
    }
  }
  return byDomain;
}

/** The service that a token claims to be of: that of its trust domain, whose name is all that `iss` may say where there is one. */
export function serviceOf({ iss, aud }: JsonObject, byDomain: ReadonlyMap<string, Issuer>): Issuer | TokenCode {
  if (iss !== undefined && typeof iss !== 'string') return 'claim_invalid';
  const domain = domainOf(aud);
  if (domain === null) return aud === undefined ? 'claim_missing' : 'claim_invalid';
  const service = byDomain.get(domain);
  if (service === undefined) return 'audience_mismatch';
  return iss === undefined || iss === service.options.issuer ? service : 'issuer_unknown';
}

/** The claims that only such tokens have to have, by their types. `iat` is looked at here since other tokens may lack it. */
export function judgeTxnClaims(claims: JsonObject): TokenCode | null {
  for (const name of REQUIRED_TEXTS) {
    const value = claims[name];
    if (value === undefined || value === '') return 'claim_missing';
    if (typeof value !== 'string') return 'claim_invalid';
  }
  if (claims['iat'] === undefined) return 'claim_missing';
  return CONTEXTS.every((name) => claims[name] === undefined || isJsonObject(claims[name])) ? null : 'claim_invalid';
}

/** The value of a token that passed all checks. */
export function txnValueOf({ issuer, subject, scopes, issuedAt, expiresAt, claims }: TokenValue): TxnTokenValue {
  return {
    issuer,
    txn: textOf(claims['txn']),
    subject: subject ?? '',
    scopes,
    requestingWorkload: textOf(claims['req_wl']),
    trustDomain: domainOf(claims['aud']) ?? '',
    transactionContext: objectOf(claims['tctx']),
    requesterContext: objectOf(claims['rctx']),
    issuedAt: issuedAt ?? 0,
    expiresAt: expiresAt ?? 0,
  };
}

/** The trust domain, which is one, also where it stands in a list. */
function domainOf(aud: JsonValue | undefined): string | null {
  const only = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
  return typeof only === 'string' ? only : null;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : EMPTY;
}
