import type { TokenCode } from '../contract/signals.ts';

/** The one bearer token of the `authorization` values, or why there is none. */
export type BearerOffer =
  | { readonly token: string }
  | { readonly code: Extract<TokenCode, 'token_missing' | 'credentials_multiple' | 'scheme_unsupported'> };

const MISSING: BearerOffer = { code: 'token_missing' };
const MULTIPLE: BearerOffer = { code: 'credentials_multiple' };
const UNSUPPORTED: BearerOffer = { code: 'scheme_unsupported' };

/** A further credential in the same value: Envoy joins repeated headers by commas. */
const JOINED = /,\s*[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]*\s+[^\s=]/;

/**
 * Reads RFC 6750 section 2.1 and RFC 9110 section 11.6.2: the scheme has no case, one or more spaces follow, and there is one credential.
 * Whether the token is one is not looked at here.
 */
export function readBearer(authorization: readonly string[]): BearerOffer {
  const [value] = authorization;
  if (value === undefined) return MISSING;
  if (authorization.length > 1 || (value.includes(',') && JOINED.test(value))) return MULTIPLE;
  if (!hasBearerScheme(value)) return UNSUPPORTED;
  let start = 7;
  while (value.charCodeAt(start) === 0x20) start++;
  return { token: value.slice(start) };
}

function hasBearerScheme(value: string): boolean {
  if (value.startsWith('Bearer ')) return true;
  return value.length >= 7 && value.slice(0, 7).toLowerCase() === 'bearer ';
}
