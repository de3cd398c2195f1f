import { hash } from 'node:crypto';
import type { ActorHop } from '../../contract/delegation.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { TokenCode, TokenValue } from '../../contract/signals.ts';
import { type Confirmation, readConfirmation } from '../confirmation.ts';
import { type Delegated, widening } from '../delegation.ts';
import { readClaims } from '../token-claims.ts';
import { invalid, type TokenOutcome } from '../token-outcome.ts';

/** What an answer is held against. */
export type AnswerRules = {
  readonly issuer: string;
  /** Null where any audience is accepted. */
  readonly audiences: ReadonlySet<string> | null;
  readonly actorDepthMax: number;
  readonly tokenTypeRequired: boolean;
};

/** A token that its server calls active. */
export type ActiveToken = TokenOutcome & { readonly signal: { readonly status: 'present'; readonly value: TokenValue } };

/** Access tokens by `token_type` (RFC 6749 section 7.1, RFC 9449 section 5). */
const ACCESS_TOKEN_TYPES = new Set(['bearer', 'dpop']);
/** What some servers say of tokens that are active and no access tokens. */
const ACCESS_TOKEN_USES = new Set(['access', 'access_token']);

/** `typ` of tokens that are no access tokens, by its letters: Keycloak's names, token types of OAuth and OpenID Connect, media types of JWTs. */
const OTHER_TYP = /^(?:application)?(?:refresh|offline|rt(?:jwt)?$|id(?:token)?(?:jwt)?$|serializedid|logout|secevent|txntoken|dpopjwt)/i;
const NO_LETTER = /[^a-z]/gi;

/**
 * The token of an answer `active: true` (RFC 7662 section 2.2), or why it cannot be accepted: types of all registered members, the kind of token,
 * issuer and audience. Times are judged at each use. `askedAt` is in unix seconds.
 */
export function readAnswer(token: string, members: JsonObject, rules: AnswerRules, askedAt: number): ActiveToken | TokenCode {
  const claimed = readClaims(members, rules.actorDepthMax, 'introspection');
  if (typeof claimed === 'string') return claimed;
  const confirmation = readConfirmation(members);
  if (confirmation === 'claim_invalid') return confirmation;
  const kind = judgeKind(members, confirmation, rules.tokenTypeRequired);
  if (kind !== null) return kind;
  if (claimed.issuer !== '' && claimed.issuer !== rules.issuer) return 'introspection_mismatch';
  const { audience } = claimed;
  if (rules.audiences !== null && audience.length > 0 && !audience.some((one) => rules.audiences?.has(one) === true)) {
    return 'audience_mismatch';
  }
  const value: TokenValue = { ...claimed, issuer: rules.issuer, introspectedAt: askedAt };
  // with the issuer, since two servers may give out the same text
  const tokenKey = hash('sha256', JSON.stringify([rules.issuer, token]), 'base64url');
  return { signal: { status: 'present', value }, tokenKey, confirmation, identityAlone: null };
}

/** A refresh token or an ID token is active too, and opens nothing here: its holder would not even have to authenticate. */
function judgeKind(
  { token_type: type, token_use: use, typ }: JsonObject,
  confirmation: Confirmation | null,
  required: boolean,
): TokenCode | null {
  if (use !== undefined && (typeof use !== 'string' || !ACCESS_TOKEN_USES.has(use.toLowerCase()))) return 'type_not_allowed';
  if (typ !== undefined && typeof typ !== 'string') return 'claim_invalid';
  if (typ !== undefined && OTHER_TYP.test(typ.replace(NO_LETTER, ''))) return 'type_not_allowed';
  if (type === undefined) return required && use === undefined ? 'type_not_allowed' : null;
  if (typeof type !== 'string' || !ACCESS_TOKEN_TYPES.has(type.toLowerCase())) return 'type_not_allowed';
  return type.toLowerCase() === 'dpop' && !confirmation?.jkt ? 'token_unbound' : null;
}

/**
 * A verified JWT with what its server says of it: never more than either of them says. They must not name different subjects, clients, actors or keys; the
 * scopes are those of both, the earlier end counts. Whom only one of them names is named, or nobody could be refused by that name.
 */
export function joinAnswer(jwt: TokenValue, confirmation: Confirmation | null, answer: ActiveToken): TokenValue | TokenCode {
  const said = answer.signal.value;
  if (differs(jwt.subject, said.subject) || differs(jwt.clientId, said.clientId)) return 'introspection_mismatch';
  if (answer.confirmation !== null && !isSameConfirmation(answer.confirmation, confirmation)) return 'introspection_mismatch';
  const acting = joinActors(jwt, said);
  if (acting === null) return 'introspection_mismatch';
  const { claims } = said;
  const saysScopes = claims['scope'] !== undefined || claims['scp'] !== undefined;
  return {
    ...jwt,
    ...acting,
    subject: jwt.subject ?? said.subject,
    clientId: jwt.clientId ?? said.clientId,
    jtiHash: jwt.jtiHash ?? said.jtiHash,
    scopes: saysScopes ? jwt.scopes.filter((one) => said.scopes.includes(one)) : jwt.scopes,
    expiresAt: earlier(jwt.expiresAt, said.expiresAt),
    acr: jwt.acr ?? said.acr,
    amr: jwt.amr.length === 0 ? said.amr : jwt.amr,
    authTime: jwt.authTime ?? said.authTime,
    authorizationDetails: claims['authorization_details'] === undefined ? jwt.authorizationDetails : said.authorizationDetails,
    ...(said.introspectedAt === undefined ? {} : { introspectedAt: said.introspectedAt }),
  };
}

/** Who acts, by whichever of the two says so; null where they say different chains. */
function joinActors(jwt: TokenValue, said: TokenValue): Pick<TokenValue, 'actor' | 'delegation'> | null {
  const { actor, delegation } = said;
  if (actor === null || delegation === null) return { actor: jwt.actor, delegation: jwt.delegation };
  if (jwt.actor !== null) {
    const { chain } = jwt.actor;
    const same = chain.length === actor.chain.length && chain.every((hop, index) => !isOtherHop(hop, actor.chain[index]));
    return same ? { actor: jwt.actor, delegation: jwt.delegation } : null;
  }
  // the scopes that were signed are those that whoever reads the token next goes by
  const scopes = [...actor.chain.map((hop) => hop.scopes).reverse(), jwt.scopes];
  return { actor, delegation: { ...delegation, ...widening(scopes) } };
}

function isOtherHop(mine: ActorHop, theirs: ActorHop | undefined): boolean {
  if (theirs === undefined) return true;
  return differs(mine.subject, theirs.subject) || differs(mine.issuer, theirs.issuer) || differs(mine.clientId, theirs.clientId);
}

function differs(mine: string | null, theirs: string | null): boolean {
  return mine !== null && theirs !== null && mine !== theirs;
}

/** The same as an outcome, for a token whose binding is still to be judged. */
export function joinOutcome(jwt: ActiveToken, answer: ActiveToken): TokenOutcome {
  const value = joinAnswer(jwt.signal.value, jwt.confirmation, answer);
  if (typeof value === 'string') return invalid(value);
  return { signal: { status: 'present', value }, tokenKey: jwt.tokenKey, confirmation: jwt.confirmation, identityAlone: null };
}

/** What the text of a JWT says that must not be lost where its server is silent of it. */
export type Said = { readonly confirmation: Confirmation | null; readonly delegated: Delegated | null };

/**
 * An answer about a JWT whose own text binds it or says who acts: a server that leaves that out makes it neither anybody's nor its subject's own, and
 * another key or actor is a contradiction.
 */
export function holdAnswer(answer: TokenOutcome, { confirmation, delegated }: Said): TokenOutcome {
  if (!isActive(answer)) return answer;
  const { value } = answer.signal;
  if (answer.confirmation !== null && confirmation !== null && !isSameConfirmation(answer.confirmation, confirmation)) {
    return invalid('introspection_mismatch');
  }
  const acting = delegated === null ? value : joinActors({ ...value, ...delegated }, value);
  if (acting === null) return invalid('introspection_mismatch');
  const { actor, delegation } = acting;
  const held = answer.confirmation ?? confirmation;
  const known: TokenValue = { ...value, actor, delegation, binding: held === null ? 'none' : 'unchecked' };
  return { signal: { status: 'present', value: known }, tokenKey: answer.tokenKey, confirmation: held, identityAlone: null };
}

/** Narrows an outcome to a token that is present. */
export function isActive(outcome: TokenOutcome): outcome is ActiveToken {
  return outcome.signal.status === 'present';
}

function isSameConfirmation(a: Confirmation, b: Confirmation | null): boolean {
  return b !== null && a.jkt === b.jkt && a.certificate?.sha256 === b.certificate?.sha256;
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}
