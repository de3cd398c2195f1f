import { hash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { TokenActor, TokenCode, TokenValue } from '../contract/signals.ts';

/** DESIGN 4: no request can make a policy slow. */
const SCOPES_MAX = 256;
const LIST_MAX = 64;
/** Year 9999: milliseconds in the place of seconds are above it. */
const TIME_MAX = 253_402_300_799;

const STRING_CLAIMS = ['iss', 'sub', 'jti', 'client_id', 'azp', 'acr', 'scope', 'sid'] as const;
const TIME_CLAIMS = ['exp', 'nbf', 'iat', 'auth_time'] as const;
const OBJECT_CLAIMS = ['cnf', 'act', 'may_act'] as const;

/**
 * The claims of a token in the contract's form: types of all registered claims (RFC 7519 section 4.1, RFC 9068, RFC 8693, RFC 9396,
 * OpenID Connect Core section 2) are checked, values are not judged. A claim of the wrong type refuses the token even where nobody
 * reads it, since somebody upstream might.
 */
export function readClaims(claims: JsonObject, actorDepthMax: number, verifiedBy: TokenValue['verifiedBy']): TokenValue | TokenCode {
  if (!haveRightTypes(claims)) return 'claim_invalid';
  const audience = listOf(claims['aud']);
  const scopes = scopesOf(claims);
  const amr = claims['amr'] === undefined ? [] : Array.isArray(claims['amr']) ? listOf(claims['amr']) : null;
  const details = detailsOf(claims['authorization_details']);
  if (audience === null || scopes === null || amr === null || details === null) return 'claim_invalid';
  const actor = actorOf(claims['act'], actorDepthMax);
  if (typeof actor === 'string') return actor;
  const jti = text(claims['jti']);
  return {
    issuer: text(claims['iss']) ?? '',
    subject: text(claims['sub']),
    clientId: text(claims['client_id']) ?? text(claims['azp']),
    audience,
    scopes,
    expiresAt: time(claims['exp']),
    issuedAt: time(claims['iat']),
    notBefore: time(claims['nbf']),
    acr: text(claims['acr']),
    amr,
    authTime: time(claims['auth_time']),
    jtiHash: jti === null ? null : hash('sha256', jti, 'base64url'),
    binding: claims['cnf'] === undefined ? 'none' : 'unchecked',
    actor,
    authorizationDetails: details,
    claims,
    verifiedBy,
    keysFetchedAt: null,
  };
}

function haveRightTypes(claims: JsonObject): boolean {
  return (
    STRING_CLAIMS.every((name) => claims[name] === undefined || typeof claims[name] === 'string') &&
    TIME_CLAIMS.every((name) => claims[name] === undefined || isTime(claims[name])) &&
    OBJECT_CLAIMS.every((name) => claims[name] === undefined || isJsonObject(claims[name]))
  );
}

/** RFC 7519 section 2, NumericDate. */
function isTime(value: JsonValue | undefined): boolean {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= TIME_MAX;
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function time(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

/** A string or a list of strings as a list; null where it is anything else or too long. */
function listOf(value: JsonValue | undefined, itemsMax = LIST_MAX): readonly string[] | null {
  if (value === undefined) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value) || value.length > itemsMax) return null;
  const items = value.filter((item) => typeof item === 'string');
  return items.length === value.length ? items : null;
}

/** `scope` is a string with single spaces (RFC 8693 section 4.2); `scp` is what some servers send instead, as a string or a list. */
function scopesOf(claims: JsonObject): readonly string[] | null {
  const { scope, scp } = claims;
  const others = typeof scp === 'string' ? scp.split(' ') : listOf(scp, SCOPES_MAX);
  if (others === null) return null;
  const scopes = [...new Set(typeof scope === 'string' ? scope.split(' ') : others)].filter((one) => one !== '');
  return scopes.length > SCOPES_MAX ? null : scopes;
}

/** RFC 9396 section 2: objects, each with a `type`. */
function detailsOf(value: JsonValue | undefined): readonly JsonObject[] | null {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > LIST_MAX) return null;
  const details = value.filter((item) => isJsonObject(item) && typeof item['type'] === 'string');
  return details.length === value.length ? details : null;
}

/**
 * RFC 8693 section 4.1: the outermost `act` is the current actor, nested ones are history and only counted. An actor without `sub`
 * has the subject null. `may_act` grants nothing.
 */
function actorOf(act: JsonValue | undefined, depthMax: number): TokenActor | null | TokenCode {
  if (!isJsonObject(act)) return null;
  let depth = 0;
  for (let actor: JsonValue | undefined = act; actor !== undefined; actor = actor['act']) {
    if (!isJsonObject(actor)) return 'claim_invalid';
    if (actor['sub'] !== undefined && typeof actor['sub'] !== 'string') return 'claim_invalid';
    if (++depth > depthMax) return 'actor_chain_too_deep';
  }
  return { subject: text(act['sub']), depth };
}
