import { atMost } from './builtin.ts';
import { textOfBytes } from './bytes.ts';
import { base64UrlBytes } from './encoding.ts';
import { parseJson } from './json-text.ts';
import { isArray, isObject, type RegoObject, type RegoValue } from './value.ts';

/*
 * A JWT as OPA takes it apart. This is not how Countersign verifies the caller's token (src/identify/token-text.ts, which is stricter): it is
 * for tokens that a policy finds elsewhere.
 */

const TOKEN_CHARS_MAX = 65_536;

export type Jwt = {
  readonly header: RegoObject;
  /** Still text: an object, or a token within the token. */
  readonly payload: string;
  readonly signature: Buffer;
  readonly signed: string;
};

/** Undefined where the text is no JWS of three parts with a header, or is encrypted. */
export function parseJwt(token: string): Jwt | undefined {
  atMost(token.length, TOKEN_CHARS_MAX, 'characters of a token');
  const parts = token.split('.');
  const [head = '', body = '', tail = ''] = parts;
  const [header, payload, signature] = [head, body, tail].map(base64UrlBytes);
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined) return undefined;
  const members = parseJson(textOfBytes(header));
  if (!isObject(members) || members.has('enc')) return undefined;
  return { header: members, payload: textOfBytes(payload), signature, signed: `${head}.${body}` };
}

/** The payload's object. */
export function claimsOf(jwt: Jwt): RegoObject | undefined {
  const claims = parseJson(jwt.payload);
  return isObject(claims) ? claims : undefined;
}

/** What verification reads of a header; undefined where a member has the wrong type. */
export type JwtHeader = { readonly algorithm: string; readonly kid: string; readonly contentType: string; readonly isUnderstood: boolean };

const KNOWN = new Set<RegoValue>(['alg', 'kid', 'typ', 'cty', 'crit']);

/** The members of a header that verification reads; undefined where one has the wrong type. */
export function headerOf({ header }: Jwt): JwtHeader | undefined {
  const [algorithm = '', kid = '', typ = '', contentType = ''] = ['alg', 'kid', 'typ', 'cty'].map((name) => header.get(name));
  const critical = header.get('crit') ?? null;
  if (typeof algorithm !== 'string' || typeof kid !== 'string' || typeof typ !== 'string' || typeof contentType !== 'string')
    return undefined;
  if (critical !== null || header.has('crit')) {
    if (!isArray(critical) || critical.length === 0) return undefined;
    const isUnknown = critical.some((name) => !KNOWN.has(name) && typeof name === 'string' && header.has(name));
    return { algorithm, kid, contentType, isUnderstood: algorithm !== '' && !isUnknown };
  }
  return { algorithm, kid, contentType, isUnderstood: algorithm !== '' };
}
