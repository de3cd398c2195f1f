import type { DecisionRequest } from '../../contract/request.ts';
import type { TokenCode, TokenValue } from '../../contract/signals.ts';
import type { Awaitable } from '../../contract/stages.ts';
import { parseApiKey } from '../../formats/api-key-text.ts';
import { listOf } from '../claim-forms.ts';
import { readConfirmation } from '../confirmation.ts';
import { readDelegation } from '../delegation.ts';
import type { IdentityOptions, IssuerOptions } from '../options.ts';
import type { TokenVerifier } from '../token.ts';
import { invalid, type TokenOutcome } from '../token-outcome.ts';
import { parseTokenText, type TokenText } from '../token-text.ts';
import { holdAnswer, isActive, joinAnswer, joinOutcome } from './answer.ts';
import type { Introspector } from './introspector.ts';
import type { IntrospectionOptions } from './options.ts';
import type { AskedServer } from './servers.ts';

/** Tokens whose authorization servers have a say in them. */
export interface TokenIntrospection {
  /** The token by its signature, by its server, or by both, as its issuer is configured. Never throws. */
  verify(token: string, request: DecisionRequest): Awaitable<TokenOutcome>;
}

/** RFC 6750 section 2.1, `b64token`: nothing else is a token, and nothing else is sent anywhere. */
const OPAQUE_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Joins the verifier of JWTs with the servers that are asked; null where none is, so that nobody pays for what is not used. */
export function createTokenIntrospection(
  options: Omit<IdentityOptions, 'issuers'>,
  asked: readonly AskedServer[],
  verifier: TokenVerifier,
): TokenIntrospection | null {
  if (asked.length === 0) return null;
  const ofOpaque = asked.filter((one) => one.options.mode !== 'on_demand');
  const always = new Map(asked.filter((one) => one.options.mode === 'always').map((one) => [one.issuer.issuer, one.introspector]));
  const withoutKeys = new Map(
    asked.filter((one) => always.has(one.issuer.issuer) && !hasKeys(one.issuer)).map((one) => [one.issuer.issuer, prepareTexts(one)]),
  );
  const joined = new WeakMap<TokenOutcome, { readonly of: TokenOutcome; readonly outcome: TokenOutcome }>();

  function verify(token: string, request: DecisionRequest): Awaitable<TokenOutcome> {
    if (token.length > options.tokenBytesMax) return invalid('token_too_large');
    if (ofOpaque.length > 0 && !looksLikeJwt(token)) return verifyOpaque(token, request);
    if (withoutKeys.size > 0) {
      const text = parseTokenText(token);
      const issuer = typeof text === 'string' ? undefined : text.claims['iss'];
      const texts = typeof issuer === 'string' ? withoutKeys.get(issuer) : undefined;
      if (texts !== undefined && typeof text !== 'string') {
        const code = judgeText(text, texts);
        if (code !== null) return invalid(code);
        const { cnf, act } = text.claims;
        const answer = texts.introspector.introspect(token, request);
        if (cnf === undefined && act === undefined) return answer;
        return answer instanceof Promise ? answer.then((known) => hold(known, text)) : hold(answer, text);
      }
    }
    const outcome = verifier.verify(token, request);
    return outcome instanceof Promise ? outcome.then((known) => confirm(token, known, request)) : confirm(token, outcome, request);
  }

  function hold(answer: TokenOutcome, { claims }: TokenText): TokenOutcome {
    if (!isActive(answer)) return answer;
    const confirmation = readConfirmation(claims);
    const delegated = readDelegation(claims['act'], answer.signal.value.scopes, options.actorDepthMax);
    if (confirmation === 'claim_invalid') return invalid(confirmation);
    return typeof delegated === 'string' ? invalid(delegated) : holdAnswer(answer, { confirmation, delegated });
  }

  function verifyOpaque(token: string, request: DecisionRequest): Awaitable<TokenOutcome> {
    // a key of ours by the wrong scheme is a secret that no server is to see
    if (!OPAQUE_TOKEN.test(token) || (token.startsWith('csk_') && parseApiKey(token) !== 'malformed')) return invalid('token_malformed');
    const selected = ofOpaque.find((one) => isSelected(one.options.opaqueTokens, request));
    return selected === undefined ? invalid('issuer_unknown') : selected.introspector.introspect(token, request);
  }

  /** Only what the signature did not refuse is worth a question. */
  function confirm(token: string, outcome: TokenOutcome, request: DecisionRequest): Awaitable<TokenOutcome> {
    if (always.size === 0 || !isActive(outcome)) return outcome;
    const answer = always.get(outcome.signal.value.issuer)?.introspect(token, request);
    if (answer === undefined) return outcome;
    const join = (said: TokenOutcome): TokenOutcome => {
      if (!isActive(said)) return said;
      const before = joined.get(said);
      if (before?.of === outcome) return before.outcome;
      const made = joinOutcome(outcome, said);
      joined.set(said, { of: outcome, outcome: made });
      return made;
    };
    return answer instanceof Promise ? answer.then(join) : join(answer);
  }

  return { verify };
}

/** A token that was verified already, with what its server says of it now; the binding in the value stays as it is. Never throws. */
export function collectAnswer(
  introspector: Introspector,
  token: string,
  value: TokenValue,
  request: DecisionRequest,
): Awaitable<TokenOutcome> {
  const confirmation = readConfirmation(value.claims);
  const join = (said: TokenOutcome): TokenOutcome => {
    if (!isActive(said) || confirmation === 'claim_invalid') return said;
    const known = joinAnswer(value, confirmation, said);
    if (typeof known === 'string') return invalid(known);
    return { signal: { status: 'present', value: known }, tokenKey: null, confirmation, identityAlone: null };
  };
  const answer = introspector.introspect(token, request);
  return answer instanceof Promise ? answer.then(join) : join(answer);
}

/** Whether tokens of the issuer can be verified by signature at all. */
export function hasKeys(issuer: IssuerOptions | undefined): boolean {
  return issuer !== undefined && (issuer.jwksUrl !== null || issuer.jwksFile !== null || issuer.discovery);
}

/** What the text of a JWT is held against that is believed by its server's word alone. */
type Texts = { readonly introspector: Introspector; readonly types: ReadonlySet<string>; readonly audiences: ReadonlySet<string> | null };

function prepareTexts({ issuer, introspector }: AskedServer): Texts {
  const audiences = issuer.allowAnyAudience ? null : new Set(issuer.audiences);
  return { introspector, types: new Set(issuer.types.map((type) => type.toLowerCase())), audiences };
}

/**
 * What the text itself rules out, whoever vouches for it: a server calls all that it signed active, also refresh and transaction tokens (RFC 8725 section
 * 3.11) and tokens for others.
 */
function judgeText({ type, claims }: TokenText, { types, audiences }: Texts): TokenCode | null {
  if (!types.has(type)) return 'type_not_allowed';
  const audience = listOf(claims['aud']);
  if (audience === null) return 'claim_invalid';
  return audiences === null || audience.length === 0 || audience.some((one) => audiences.has(one)) ? null : 'audience_mismatch';
}

/** Three parts or more, of which the first is the base64url of a JSON object: such a token is judged as the JWT that it claims to be. */
function looksLikeJwt(token: string): boolean {
  const first = token.indexOf('.');
  if (first <= 0 || token.indexOf('.', first + 1) === -1) return false;
  return token.startsWith('ey') || Buffer.from(token.slice(0, 64), 'base64url').toString('latin1').trimStart().startsWith('{');
}

function isSelected({ peps, hosts }: IntrospectionOptions['opaqueTokens'], request: DecisionRequest): boolean {
  if (peps.length > 0 && !peps.includes(request.pep.name)) return false;
  return hosts.length === 0 || (request.http !== null && hosts.includes(request.http.host));
}
