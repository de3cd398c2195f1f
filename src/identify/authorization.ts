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
  if (hasScheme(value, 'Bearer ', 'bearer ')) return { scheme: 'Bearer', token: afterSpaces(value, 7) };
  return hasScheme(value, 'DPoP ', 'dpop ') ? { scheme: 'DPoP', token: afterSpaces(value, 5) } : UNSUPPORTED;
}

function hasScheme(value: string, usual: string, lower: string): boolean {
  return value.startsWith(usual) || value.slice(0, lower.length).toLowerCase() === lower;
}

function afterSpaces(value: string, from: number): string {
  let start = from;
  while (value.charCodeAt(start) === 0x20) start++;
  return value.slice(start);
}
