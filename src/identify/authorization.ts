import type { TokenCode } from '../contract/signals.ts';

/** A token with the scheme that it came by. */
export type OfferedToken = { readonly scheme: 'Bearer' | 'DPoP'; readonly token: string };

/** The one token of the `authorization` values, or why there is none. */
export type TokenOffer =
  | OfferedToken
  | { readonly code: Extract<TokenCode, 'token_missing' | 'credentials_multiple' | 'scheme_unsupported'> };

const MISSING: TokenOffer = { code: 'token_missing' };
const MULTIPLE: TokenOffer = { code: 'credentials_multiple' };
const UNSUPPORTED: TokenOffer = { code: 'scheme_unsupported' };

/** A further credential in the same value: Envoy joins repeated headers by commas. */
const JOINED = /,\s*[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]*\s+[^\s=]/;

/**
 * Reads RFC 6750 section 2.1, RFC 9449 section 7.1 and RFC 9110 section 11.6.2: the scheme has no case, one or more spaces follow, and there
 * is one credential. Whether the token is one is not looked at here.
 */
export function readAuthorization(authorization: readonly string[]): TokenOffer {
  const [value] = authorization;
  if (value === undefined) return MISSING;
  if (authorization.length > 1 || (value.includes(',') && JOINED.test(value))) return MULTIPLE;
  // as nearly everybody writes them, which spares the folding
  if (value.startsWith('Bearer ')) return { scheme: 'Bearer', token: afterSpaces(value, 7) };
  if (value.startsWith('DPoP ')) return { scheme: 'DPoP', token: afterSpaces(value, 5) };
  const lower = value.slice(0, 7).toLowerCase();
  if (lower === 'bearer ') return { scheme: 'Bearer', token: afterSpaces(value, 7) };
  return lower.startsWith('dpop ') ? { scheme: 'DPoP', token: afterSpaces(value, 5) } : UNSUPPORTED;
}

function afterSpaces(value: string, from: number): string {
  let start = from;
  while (value.charCodeAt(start) === 0x20) start++;
  return value.slice(start);
}
