import { hash } from 'node:crypto';
import { CountersignError } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { TokenCode, TokenValue } from '../contract/signals.ts';
import type { Awaitable, Clock } from '../contract/stages.ts';
import type { CacheStatus } from '../contract/status.ts';
import { within } from '../contract/within.ts';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';
import { SIGNATURE_ALGORITHMS } from './algorithms.ts';
import { type Confirmation, readConfirmation } from './confirmation.ts';
import { issuerOf, prepareSvids } from './jwt-svid.ts';
import { type KeySet, selectKey } from './keys.ts';
import type { KeyRing, VerificationKey } from './keys-jwk.ts';
import type { IdentityOptions, IssuerOptions } from './options.ts';
import { createNegativeCache, createVerifiedCache } from './token-cache.ts';
import { readClaims } from './token-claims.ts';
import { invalid, type TokenOutcome, unavailable, type VerifiedToken } from './token-outcome.ts';
import { parseTokenText, type TokenText } from './token-text.ts';
import { judgeTimes } from './token-times.ts';
import { prepareTxnTokens, TXN_TOKEN_TYPE } from './txn-token-claims.ts';
import { createVerificationBudget, type VerificationBudget } from './verification-budget.ts';

/** Part of the deadline that is left for the stages after a wait for keys. */
const DEADLINE_RESERVE_MS = 20;

/** Refusals that neither time nor a fetch of keys changes. */
const LASTING: ReadonlySet<TokenCode> = new Set<TokenCode>([
  'token_malformed',
  'token_encrypted',
  'algorithm_not_allowed',
  'type_not_allowed',
  'critical_header_unknown',
  'issuer_unknown',
  'signature_invalid',
  'claim_missing',
  'claim_invalid',
  'audience_mismatch',
  'actor_chain_too_deep',
]);

/** An issuer with its keys and its lists ready for look-up. */
export type Issuer = {
  readonly options: IssuerOptions;
  readonly algorithms: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
  /** Null where any audience is accepted. */
  readonly audiences: ReadonlySet<string> | null;
  readonly keys: KeySet;
};

/** Checks an issuer's lists and gets them ready; fails with `config_invalid`. */
export function prepareIssuer(options: IssuerOptions, keys: KeySet): Issuer {
  const unknown = options.algorithms.find((name) => !SIGNATURE_ALGORITHMS.has(name));
  if (unknown !== undefined) throw new CountersignError('config_invalid', { field: 'identity.issuers.algorithms' });
  // an empty list must not mean "any" by accident (USER-ASKS 33)
  if ((options.audiences.length === 0) !== options.allowAnyAudience) {
    throw new CountersignError('config_invalid', { field: 'identity.issuers.audiences' });
  }
  const { algorithms, types } = listsOf(options);
  return {
    options,
    keys,
    algorithms: new Set(algorithms),
    types: new Set(types.map((type) => type.toLowerCase())),
    audiences: options.allowAnyAudience ? null : new Set(options.audiences),
  };
}

function listsOf(options: IssuerOptions): Pick<IssuerOptions, 'algorithms' | 'types'> {
  if (options.kind === 'jwt_svid') return prepareSvids(options);
  if (options.kind === 'txn_token') return prepareTxnTokens(options);
  // a transaction token is never an access token, whoever signed both
  if (options.types.some((type) => type.toLowerCase() === TXN_TOKEN_TYPE)) {
    throw new CountersignError('config_invalid', { field: 'identity.issuers.types' });
  }
  return options;
}

/** What tells one kind of tokens from another, beside the types of their issuers. */
export type TokenProfile = {
  /** The issuer whose keys a token is held against. */
  issuerOf(claims: JsonObject, issuers: ReadonlyMap<string, Issuer>): Issuer | TokenCode;
  /** What else such a token has to say, or null where it says it. */
  judge(claims: JsonObject): TokenCode | null;
};

/** What comes in the `authorization` header. */
const ACCESS_TOKENS: TokenProfile = { issuerOf, judge: () => null };

/** Verifies tokens of the configured issuers. */
export interface TokenVerifier {
  /** Answers at once, unless the key must be fetched; then after `keyWaitMs` at the latest. Never throws. */
  verify(token: string, request: DecisionRequest): Awaitable<TokenOutcome>;
  status(): { readonly tokenCache: CacheStatus; readonly negativeCache: CacheStatus };
}

/** What verifiers remember. It outlives a change of the issuers: what was verified by one that stayed as it was is verified still. */
export type TokenMemory = {
  readonly verified: ReturnType<typeof createVerifiedCache<VerifiedToken>>;
  readonly refused: ReturnType<typeof createNegativeCache>;
  readonly budget: VerificationBudget;
};

/** Empty, for verifiers of one kind of tokens. */
export function createTokenMemory(options: Omit<IdentityOptions, 'issuers'>, createCache: CreateBoundedCache): TokenMemory {
  return {
    verified: createVerifiedCache<VerifiedToken>(options.tokenCache.bytesMax, createCache),
    refused: createNegativeCache(options.negativeCache, createCache),
    budget: createVerificationBudget(options.verificationBudget, createCache),
  };
}

export type VerifierParts = {
  readonly clock: Clock;
  /** Who pays for a failed verification: a prefix of the client's address, or null where that is not known. */
  readonly accountOf: (request: DecisionRequest) => string | null;
  /** Told once of each token whose signature was checked, by its claims as one object; left out: nobody is. */
  readonly onVerified?: ((claims: JsonObject, issuer: Issuer) => void) | undefined;
};

/** A token that has passed all checks but that of its signature. */
type Candidate = {
  readonly token: string;
  readonly text: TokenText;
  readonly value: TokenValue;
  readonly confirmation: Confirmation | null;
  readonly issuer: Issuer;
};

/** A verifier over the issuers by their `iss`. */
export function createTokenVerifier(
  options: Omit<IdentityOptions, 'issuers'>,
  issuers: ReadonlyMap<string, Issuer>,
  { clock, accountOf, onVerified }: VerifierParts,
  { verified, refused, budget }: TokenMemory,
  profile: TokenProfile = ACCESS_TOKENS,
): TokenVerifier {
  function verify(token: string, request: DecisionRequest): Awaitable<TokenOutcome> {
    if (token.length > options.tokenBytesMax) return invalid('token_too_large');
    const nowMs = request.receivedAtMs;
    const cached = verified.get(token);
    if (cached !== undefined) {
      const outcome = reuse(token, cached, nowMs);
      if (outcome !== null) return outcome;
    }
    const remembered = refused.get(token, nowMs, issuers);
    if (remembered !== undefined) return remembered;
    const candidate = examine(token, nowMs);
    return typeof candidate === 'string' ? refuse(token, candidate, nowMs) : authenticate(candidate, request);
  }

  /** A cached token is judged anew for its times and for its key being there still. */
  function reuse(token: string, cached: VerifiedToken, nowMs: number): TokenOutcome | null {
    const issuer = issuers.get(cached.signal.value.issuer);
    const ring = issuer?.keys.ring;
    if (issuer === undefined || issuer !== cached.issuer || !ring || nowMs >= cached.cachedUntilMs) return forget(token);
    if (cached.ring !== ring && !ring.keys.includes(cached.key)) return forget(token);
    const code = judgeTimes(cached.signal.value, nowMs / 1000, issuer.options);
    if (code !== null) return invalid(code);
    return cached.ring === ring ? cached : renew(token, cached, ring, issuer);
  }

  /** The same token by newer keys; what was made of the older entry goes with it. */
  function renew(token: string, { signal, tokenKey, confirmation, key, cachedUntilMs }: VerifiedToken, ring: KeyRing, issuer: Issuer) {
    const value = { ...signal.value, keysFetchedAt: issuer.keys.fetchedAt };
    const entry: VerifiedToken = {
      signal: { status: 'present', value },
      tokenKey,
      confirmation,
      identityAlone: null,
      key,
      issuer,
      ring,
      cachedUntilMs,
    };
    verified.set(token, entry);
    return entry;
  }

  function forget(token: string): null {
    verified.delete(token);
    return null;
  }

  function refuse(token: string, code: TokenCode, nowMs: number): TokenOutcome {
    const outcome = invalid(code);
    if (LASTING.has(code)) refused.set(token, outcome, nowMs, issuers);
    return outcome;
  }

  /** All that can be said without a key, cheapest first. */
  function examine(token: string, nowMs: number): Candidate | TokenCode {
    const text = parseTokenText(token);
    if (typeof text === 'string') return text;
    const issuer = profile.issuerOf(text.claims, issuers);
    if (typeof issuer === 'string') return issuer;
    if (!issuer.algorithms.has(text.algorithm)) return 'algorithm_not_allowed';
    if (!issuer.types.has(text.type)) return 'type_not_allowed';
    const claimed = readClaims(text.claims, options.actorDepthMax, 'countersign');
    if (typeof claimed === 'string') return claimed;
    const missing = profile.judge(text.claims);
    if (missing !== null) return missing;
    const value = issuer.options.kind === 'jwt' ? claimed : { ...claimed, issuer: issuer.options.issuer };
    const confirmation = readConfirmation(text.claims);
    if (confirmation === 'claim_invalid') return confirmation;
    if (value.expiresAt === null) return 'claim_missing';
    if (issuer.audiences !== null && !value.audience.some((one) => issuer.audiences?.has(one) === true)) return 'audience_mismatch';
    return judgeTimes(value, nowMs / 1000, issuer.options) ?? { token, text, value, confirmation, issuer };
  }

  function authenticate(candidate: Candidate, request: DecisionRequest): Awaitable<TokenOutcome> {
    const { ring } = candidate.issuer.keys;
    if (ring === null) return awaitKey(candidate, request);
    const key = selectKey(ring, candidate.text.algorithm, candidate.text.kid);
    if (typeof key !== 'string') return conclude(candidate, ring, key, request);
    return key === 'kid_unknown' ? awaitKey(candidate, request) : invalid(key);
  }

  function awaitKey(candidate: Candidate, request: DecisionRequest): Awaitable<TokenOutcome> {
    const { keys } = candidate.issuer;
    const renewal = keys.renew(candidate.text.kid);
    if (renewal === 'kid_unknown') return invalid(renewal);
    if (renewal === 'keys_unavailable') return unavailable(renewal);
    const leftMs = request.deadlineAtMs - clock.monotonic() - DEADLINE_RESERVE_MS;
    return within(Math.min(options.keyWaitMs, leftMs), renewal, false).then((succeeded) => {
      const { ring } = keys;
      if (!succeeded || ring === null) return unavailable('keys_unavailable');
      const key = selectKey(ring, candidate.text.algorithm, candidate.text.kid);
      return typeof key === 'string' ? invalid(key) : conclude(candidate, ring, key, request);
    });
  }

  function conclude(candidate: Candidate, ring: KeyRing, key: VerificationKey, request: DecisionRequest): TokenOutcome {
    const { token, text, value, confirmation, issuer } = candidate;
    const nowMs = request.receivedAtMs;
    if (!budget.untouched && !budget.allows(accountOf(request), nowMs)) return unavailable('verification_budget_exhausted');
    const check = key.checks.get(text.algorithm);
    if (check?.(text.signingInput, text.signature) !== true) {
      budget.spend(accountOf(request), nowMs);
      return refuse(token, 'signature_invalid', nowMs);
    }
    const entry: VerifiedToken = {
      signal: { status: 'present', value: { ...value, keysFetchedAt: issuer.keys.fetchedAt } },
      // the signature is left out: an ECDSA signature has two forms, and counters must not see two tokens
      tokenKey: hash('sha256', text.signingInput, 'base64url'),
      confirmation,
      identityAlone: null,
      key,
      issuer,
      ring,
      cachedUntilMs: Math.min(nowMs + options.tokenCache.ttlSeconds * 1000, (value.expiresAt ?? 0) * 1000),
    };
    onVerified?.(value.claims, issuer);
    if (entry.cachedUntilMs > nowMs) verified.set(token, entry);
    return entry;
  }

  return { verify, status: () => ({ tokenCache: verified.status(), negativeCache: refused.status() }) };
}
