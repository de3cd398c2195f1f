import { hash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { TokenCode, TokenValue } from '../contract/signals.ts';
import { detailsOf, namesOf } from './authorization-claims.ts';
import { listOf, scopesOf, text } from './claim-forms.ts';
import { readDelegation } from './delegation.ts';

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
  const roles = namesOf(claims['roles']);
  const groups = namesOf(claims['groups']);
  const entitlements = namesOf(claims['entitlements']);
  if (audience === null || scopes === null || amr === null || details === null) return 'claim_invalid';
  if (roles === null || groups === null || entitlements === null) return 'claim_invalid';
  const delegated = readDelegation(claims['act'], scopes, actorDepthMax);
  if (typeof delegated === 'string') return delegated;
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
    actor: delegated?.actor ?? null,
    delegation: delegated?.delegation ?? null,
    authorizationDetails: details,
    roles,
    groups,
    entitlements,
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

function time(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
