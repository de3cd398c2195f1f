import type { DecisionRequest, HttpFacts } from '../contract/request.ts';
import type { BindingCode } from '../contract/signals.ts';
import type { Awaitable, Clock } from '../contract/stages.ts';
import type { CacheStatus } from '../contract/status.ts';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';
import type { ReplayAnswer, ReplayMemory } from '../stores/replay-memory.ts';
import type { ProofKey } from './dpop-key.ts';
import { createDpopNonces, type DpopNonces } from './dpop-nonce.ts';
import { judgeProof, type KeyMemory, type Proof, type ProofTarget, parseProof, replayKeyOf } from './dpop-proof.ts';
import type { IdentityOptions } from './options.ts';
import { normalPath, originOfRequest, type TargetUri } from './target-uri.ts';
import { counted } from './token-cache.ts';
import type { VerificationBudget } from './verification-budget.ts';

/** Part of the deadline that is left for the stages after a question to the replay memory. */
const DEADLINE_RESERVE_MS = 20;

/** What became of the proof of one request. */
export type ProofOutcome = (
  | { readonly status: 'proven'; readonly issuedAt: number; readonly nonce: boolean }
  | { readonly status: 'invalid'; readonly code: BindingCode }
  | { readonly status: 'unavailable'; readonly code: BindingCode }
) & {
  /** The nonce that the client should use from now on; null where none is asked for, or where it has it. */
  readonly nextNonce: string | null;
};

/** Judges proofs of possession (RFC 9449 section 4.3), each of them anew. */
export interface DpopVerifier {
  /** Whether the request's proof is for the token of this hash (`ath`), by the key that the token names. Answers at once unless the replay memory is remote. Never throws. */
  verify(request: DecisionRequest, ath: string, thumbprint: string): Awaitable<ProofOutcome>;
  status(): CacheStatus;
}

export type DpopParts = {
  readonly clock: Clock;
  readonly createCache: CreateBoundedCache;
  readonly replays: ReplayMemory;
  readonly budget: VerificationBudget;
  /** Who pays for a failed verification, or null where that is not known. */
  readonly accountOf: (request: DecisionRequest) => string | null;
};

/**
 * A verifier with a cache of keys. The order is: what costs nothing, the signature, and only then the replay memory: a proof that somebody
 * forged must not use up the identifier of the true one (USER-ASKS 95).
 */
export function createDpopVerifier(
  { dpop: options, publicOrigins }: Pick<IdentityOptions, 'dpop' | 'publicOrigins'>,
  { clock, createCache, replays, budget, accountOf }: DpopParts,
): DpopVerifier {
  const algorithms = new Set(options.algorithms);
  const nonces = options.nonce === null ? null : createDpopNonces(options.nonce);
  const { cache, tally, status } = counted<ProofKey>(options.keyCache, createCache);
  const keys: KeyMemory = {
    get(header) {
      const key = cache.get(header);
      if (key === undefined) tally.misses++;
      else tally.hits++;
      return key;
    },
    set: (header, key) => cache.set(header, key),
  };

  function verify(request: DecisionRequest, ath: string, thumbprint: string): Awaitable<ProofOutcome> {
    const nowMs = request.receivedAtMs;
    const target = targetOf(request, ath, thumbprint);
    if (typeof target === 'string') return unavailable(target, null);
    const proof = open(request.credentials.dpop);
    if (typeof proof === 'string') return refuse(proof, nowMs);
    const uri = judgeProof(proof, target, nowMs / 1000, options);
    if (typeof uri === 'string') return refuse(uri, nowMs);
    const nonceCode = nonces === null ? null : judgeNonce(nonces, proof, nowMs);
    if (nonceCode !== null) return refuse(nonceCode, nowMs);
    if (!budget.untouched && !budget.allows(accountOf(request), nowMs)) return unavailable('verification_budget_exhausted', null);
    if (!proof.isSigned()) {
      budget.spend(accountOf(request), nowMs);
      return refuse('dpop_signature_invalid', nowMs);
    }
    proof.keepKey();
    return useOnce(proof, uri, request);
  }

  function open(offered: readonly string[]): Proof | BindingCode {
    const [text] = offered;
    if (text === undefined) return 'dpop_proof_missing';
    // a proof has no comma: gateways join repeated headers by it
    if (offered.length > 1 || text.includes(',')) return 'dpop_proof_multiple';
    return text.length > options.proofBytesMax ? 'dpop_malformed' : parseProof(text, algorithms, keys);
  }

  function targetOf({ http, pep }: DecisionRequest, ath: string, thumbprint: string): ProofTarget | BindingCode {
    const origins = http === null ? publicOrigins : originsOf(http, pep.trusts.has('forwarded'));
    if (http === null || origins.length === 0) return 'public_origin_unknown';
    return { method: http.method, path: normalPath(http.pathRaw), origins, ath, thumbprint };
  }

  /** The host that a gateway names is its client's word, unless the gateway is trusted to vouch for it. */
  function originsOf(http: HttpFacts, trusted: boolean): readonly string[] {
    const origin = trusted ? originOfRequest(http) : null;
    return origin === null ? publicOrigins : [origin];
  }

  function useOnce(proof: Proof, uri: TargetUri, request: DecisionRequest): Awaitable<ProofOutcome> {
    const nowMs = request.receivedAtMs;
    const { ageMaxSeconds, clockSkewSeconds } = options;
    // a proof whose client is ahead of us could have been used before the memory began
    if (replays.sinceMs !== null && (proof.iat - clockSkewSeconds) * 1000 < replays.sinceMs) {
      return unavailable('replay_memory_too_young', nextNonce(proof, nowMs));
    }
    const untilMs = (proof.iat + ageMaxSeconds + clockSkewSeconds) * 1000 + 1;
    const budgetMs = request.deadlineAtMs - clock.monotonic() - DEADLINE_RESERVE_MS;
    const answer = replays.remember(replayKeyOf(proof, uri), nowMs, untilMs, budgetMs);
    return answer instanceof Promise ? answer.then((known) => conclude(known, proof, nowMs)) : conclude(answer, proof, nowMs);
  }

  function conclude(answer: ReplayAnswer, proof: Proof, nowMs: number): ProofOutcome {
    if (answer === 'replayed') return refuse('dpop_replayed', nowMs);
    if (answer !== 'fresh') return unavailable(answer, nextNonce(proof, nowMs));
    return { status: 'proven', issuedAt: proof.iat, nonce: nonces !== null, nextNonce: nextNonce(proof, nowMs) };
  }

  function nextNonce({ nonce }: Proof, nowMs: number): string | null {
    return nonces === null || (nonce !== null && nonces.judge(nonce, nowMs) === 'current') ? null : nonces.current(nowMs);
  }

  function refuse(code: BindingCode, nowMs: number): ProofOutcome {
    return { status: 'invalid', code, nextNonce: nonces === null ? null : nonces.current(nowMs) };
  }

  return { verify, status };
}

function judgeNonce(nonces: DpopNonces, { nonce }: Proof, nowMs: number): BindingCode | null {
  if (nonce === null) return 'dpop_nonce_required';
  return nonces.judge(nonce, nowMs) === 'unknown' ? 'dpop_nonce_invalid' : null;
}

function unavailable(code: BindingCode, nextNonce: string | null): ProofOutcome {
  return { status: 'unavailable', code, nextNonce };
}
