import type { JsonObject } from '../contract/json.ts';
import type { TokenCode } from '../contract/signals.ts';
import { parseStrictObject } from './strict-json.ts';

/** A JWT in compact form, taken apart and not yet believed. */
export type TokenText = {
  readonly algorithm: string;
  readonly kid: string | null;
  /** Lower case, without `application/`; `jwt` where the header has none (RFC 7519 section 5.1). */
  readonly type: string;
  readonly claims: JsonObject;
  /** The bytes that were signed (RFC 7515 section 5.2). */
  readonly signingInput: Buffer;
  readonly signature: Buffer;
};

/** Extension parameters that change what is signed or what the payload is; none is understood here (RFC 7797 section 7, RFC 7515 section 4.1.11). */
const REFUSED_PARAMETERS = ['crit', 'b64'] as const;
const TYPE_PREFIX = 'application/';

/**
 * Takes a JWT apart (RFC 7519 section 7.2 steps 1 to 10, RFC 7515 section 5.2), strictly: three parts, canonical base64url, a header and
 * a payload that every JSON parser reads alike. `jku`, `jwk`, `x5u` and `x5c` are not looked at (RFC 8725 section 3.10).
 */
export function parseTokenText(token: string): TokenText | TokenCode {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first <= 0 || second === -1) return 'token_malformed';
  const header = parsePart(token.slice(0, first));
  if (header === null) return 'token_malformed';
  if (token.indexOf('.', second + 1) !== -1) return Object.hasOwn(header, 'enc') ? 'token_encrypted' : 'token_malformed';
  const parameters = readHeader(header);
  if (typeof parameters === 'string') return parameters;
  const claims = parsePart(token.slice(first + 1, second));
  const signature = decodeCanonical(token.slice(second + 1));
  if (claims === null || signature === null) return 'token_malformed';
  return { ...parameters, claims, signature, signingInput: Buffer.from(token.slice(0, second), 'latin1') };
}

function parsePart(part: string): JsonObject | null {
  const bytes = decodeCanonical(part);
  return bytes === null ? null : parseStrictObject(bytes);
}

/** RFC 7515 section 2: no padding, no other character, unused bits zero; what does not come out the same again was not canonical. */
function decodeCanonical(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : null;
}

function readHeader(header: JsonObject): Pick<TokenText, 'algorithm' | 'kid' | 'type'> | TokenCode {
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
