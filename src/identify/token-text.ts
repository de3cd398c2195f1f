import type { JsonObject } from '../contract/json.ts';
import type { TokenCode } from '../contract/signals.ts';
import { parseStrictObject } from './strict-json.ts';

/** A JWS in compact form, taken apart and not yet believed. */
export type JwsText = {
  readonly algorithm: string;
  readonly kid: string | null;
  /** Lower case, without `application/`; `jwt` where the header has none (RFC 7519 section 5.1). */
  readonly type: string;
  readonly payload: Buffer;
  /** The bytes that were signed (RFC 7515 section 5.2). */
  readonly signingInput: Buffer;
  readonly signature: Buffer;
};

/** A JWT: a JWS whose payload is a set of claims. */
export type TokenText = JwsText & { readonly claims: JsonObject };

/** Extension parameters that change what is signed or what the payload is; none is understood here (RFC 7797 section 7, RFC 7515 section 4.1.11). */
const REFUSED_PARAMETERS = ['crit', 'b64'] as const;
const TYPE_PREFIX = 'application/';

/**
 * Takes a JWT apart (RFC 7519 section 7.2 steps 1 to 10), strictly: as `parseJwsText`, and the payload is an object that every JSON parser
 * reads alike.
 */
export function parseTokenText(token: string): TokenText | TokenCode {
  const jws = parseJwsText(token);
  if (typeof jws === 'string') return jws;
  const claims = parseStrictObject(jws.payload);
  return claims === null ? 'token_malformed' : { ...jws, claims };
}

/**
 * Takes a JWS apart (RFC 7515 section 5.2): three parts, canonical base64url, a header that every JSON parser reads alike. `jku`, `jwk`, `x5u` and
 * `x5c` are not looked at (RFC 8725 section 3.10).
 */
export function parseJwsText(token: string): JwsText | TokenCode {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first <= 0 || second === -1) return 'token_malformed';
  const headerBytes = decodeCanonical(token.slice(0, first));
  const header = headerBytes === null ? null : parseStrictObject(headerBytes);
  if (header === null) return 'token_malformed';
  if (token.indexOf('.', second + 1) !== -1) return Object.hasOwn(header, 'enc') ? 'token_encrypted' : 'token_malformed';
  const parameters = readHeader(header);
  if (typeof parameters === 'string') return parameters;
  const payload = decodeCanonical(token.slice(first + 1, second));
  const signature = decodeCanonical(token.slice(second + 1));
  if (payload === null || signature === null) return 'token_malformed';
  return { ...parameters, payload, signature, signingInput: Buffer.from(token.slice(0, second), 'latin1') };
}

/** RFC 7515 section 2: no padding, no other character, unused bits zero; what does not come out the same again was not canonical. */
export function decodeCanonical(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}

/** What of a header concerns every kind of token; a header with an extension that is not understood is refused. */
export function readHeader(header: JsonObject): Pick<JwsText, 'algorithm' | 'kid' | 'type'> | TokenCode {
  for (const name of REFUSED_PARAMETERS) if (Object.hasOwn(header, name)) return 'critical_header_unknown';
  if (Object.hasOwn(header, 'enc')) return 'token_encrypted';
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string') return 'token_malformed';
  if (kid !== undefined && typeof kid !== 'string') return 'token_malformed';
  if (typ !== undefined && typeof typ !== 'string') return 'type_not_allowed';
  return { algorithm: alg, kid: kid ?? null, type: typ === undefined ? 'jwt' : bareType(typ) };
}

/** RFC 7515 section 4.1.9: `application/` may be left out, and media types have no case. */
function bareType(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith(TYPE_PREFIX) && !lower.includes('/', TYPE_PREFIX.length) ? lower.slice(TYPE_PREFIX.length) : lower;
}
