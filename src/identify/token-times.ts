import type { TokenCode, TokenValue } from '../contract/signals.ts';

/** How one issuer's times are judged. */
export type TimeRules = { readonly clockSkewSeconds: number; readonly ageMaxSeconds: number | null };

/**
 * Judges the times of a token (RFC 7519 sections 4.1.4 to 4.1.6); called for each use, also of a cached token.
 * At `exp` itself a token has expired.
 */
export function judgeTimes(token: TokenValue, nowSeconds: number, rules: TimeRules): TokenCode | null {
  const { clockSkewSeconds: skew, ageMaxSeconds } = rules;
  if (token.expiresAt !== null && nowSeconds >= token.expiresAt + skew) return 'token_expired';
  if (token.notBefore !== null && nowSeconds < token.notBefore - skew) return 'token_not_yet_valid';
  if (token.issuedAt !== null && nowSeconds < token.issuedAt - skew) return 'token_issued_in_future';
  if (ageMaxSeconds === null) return null;
  if (token.issuedAt === null) return 'claim_missing';
  return nowSeconds > token.issuedAt + ageMaxSeconds + skew ? 'token_too_old' : null;
}
