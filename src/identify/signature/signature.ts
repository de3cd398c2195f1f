import { hash } from 'node:crypto';
import type { DecisionRequest, HttpFacts } from '../../contract/request.ts';
import type { SignatureCode, SignatureValue } from '../../contract/signature.ts';
import type { Awaitable, Clock } from '../../contract/stages.ts';
import type { ReplayMemory } from '../../stores/replay-memory.ts';
import type { VerificationBudget } from '../verification-budget.ts';
import { chooseCheck, type NamedCheck } from './algorithms.ts';
import { shownComponent } from './component.ts';
import { judgeDigest } from './content-digest.ts';
import { covers } from './coverage.ts';
import { refusal, type SignatureSignal } from './outcome.ts';
import { endsAtMs, judgeTimes } from './parameters.ts';
import type { Examined, FoundKey, SignatureRules, Signer } from './rules.ts';
import { signatureBases } from './signature-base.ts';
import { type OfferedSignature, parseSignatures } from './signature-fields.ts';
import type { OriginsOf } from './signed-origin.ts';

/** Part of the deadline that is left for the stages after a question to the replay memory. */
const DEADLINE_RESERVE_MS = 20;

export type SignatureParts = {
  readonly clock: Clock;
  readonly replays: ReplayMemory;
  readonly budget: VerificationBudget;
  readonly accountOf: (request: DecisionRequest) => string | null;
  readonly originsOf: OriginsOf;
  readonly fieldBytesMax: number;
};

/** Judges message signatures (RFC 9421 section 3.2), each of them anew. */
export interface SignatureVerifier {
  /** Answers at once unless a key is fetched or the replay memory is remote. Never throws. */
  verify(request: DecisionRequest): Awaitable<SignatureSignal>;
}

/** All that was settled without a key. */
type Candidate = {
  readonly signature: OfferedSignature;
  readonly rules: SignatureRules;
  readonly examined: Examined;
  readonly bases: readonly Buffer[];
};

/**
 * A verifier over the rules. The order is: what costs nothing, the key, which may have to be fetched, the signature, the body's digest, and only
 * then the replay memory: a forged signature must not use up the nonce of the true one.
 */
export function createSignatureVerifier(all: readonly SignatureRules[], parts: SignatureParts): SignatureVerifier {
  const { clock, replays, budget, accountOf, originsOf, fieldBytesMax } = parts;
  const tags = new Set(all.map(({ tag }) => tag));

  function verify(request: DecisionRequest): Awaitable<SignatureSignal> {
    const candidate = examine(request);
    if (typeof candidate === 'string') return refusal(candidate);
    const key = candidate.examined.findKey(request);
    return key instanceof Promise ? key.then((found) => authenticate(candidate, found, request)) : authenticate(candidate, key, request);
  }

  function examine(request: DecisionRequest): Candidate | SignatureCode {
    const { http, flags } = request;
    const offer = request.credentials.signature ?? null;
    if (http === null || offer === null) return 'signature_missing';
    const offered = parseSignatures(offer, fieldBytesMax, ({ tag }) => tags.has(tag));
    if (typeof offered === 'string') return offered;
    const found = select(offered);
    if (typeof found === 'string') return found;
    const { signature, rules } = found;
    const code = judgeParameters(signature, rules, request.receivedAtMs / 1000);
    if (code !== null) return code;
    const wanted = rules.contentDigest && hasBody(http) ? [...rules.components, 'content-digest'] : rules.components;
    if (!covers(signature.components, wanted)) return 'signature_coverage_insufficient';
    const message = { http, hidden: offer.hidden, flags };
    const examined = rules.examine(signature, message);
    if (typeof examined === 'string') return examined;
    const bases = signatureBases(signature, message, originsOf(request));
    return typeof bases === 'string' ? bases : { signature, rules, examined, bases };
  }

  /**
   * The one signature that is for us: by its tag, and of several by their keys. A signature of somebody else's key may stand beside it; which of
   * two by keys of ours is the sender's is not for the sender to leave open.
   */
  function select(offered: readonly OfferedSignature[]): Pick<Candidate, 'signature' | 'rules'> | SignatureCode {
    const pairs = offered.map((signature) => ({ signature, rules: rulesOf(signature) }));
    const known = pairs.length > 1 ? pairs.filter(({ signature, rules }) => rules?.knows(signature.parameters.keyId) === true) : pairs;
    const [first, second] = known;
    if (second !== undefined) return 'signature_multiple';
    if (first === undefined) return pairs.length === 0 ? 'signature_profile_unknown' : 'signature_key_unknown';
    return first.rules === undefined ? 'signature_profile_unknown' : { signature: first.signature, rules: first.rules };
  }

  function rulesOf({ parameters: { tag, keyId } }: OfferedSignature): SignatureRules | undefined {
    const fitting = all.filter((rules) => rules.tag === tag);
    return fitting.find((rules) => rules.knows(keyId)) ?? fitting[0];
  }

  function authenticate(candidate: Candidate, key: FoundKey | SignatureCode, request: DecisionRequest): Awaitable<SignatureSignal> {
    if (typeof key === 'string') return refusal(key);
    const { signature, rules, examined, bases } = candidate;
    const chosen = chooseCheck(key.checks, signature.parameters.algorithm, rules.algorithms);
    if (typeof chosen === 'string') return refusal(chosen);
    const account = accountOf(request);
    const nowMs = request.receivedAtMs;
    if (!budget.allows(account, nowMs)) return refusal('verification_budget_exhausted');
    if (!bases.some((base) => chosen.check(base, signature.signature))) {
      budget.spend(account, nowMs);
      return refusal('signature_invalid');
    }
    const digest = digestOf(signature, request);
    if (!isDigest(digest)) return refusal(digest);
    const value = signedValue(signature, rules, examined.signer, chosen, digest);
    return value.nonce ? useOnce(candidate, value, request) : { status: 'present', value };
  }

  function useOnce({ signature, rules }: Candidate, value: SignatureValue, request: DecisionRequest): Awaitable<SignatureSignal> {
    const nowMs = request.receivedAtMs;
    const { parameters } = signature;
    // a signature whose sender is ahead of us could have been used before the memory began
    if (replays.sinceMs !== null && (value.createdAt - rules.times.clockSkewSeconds) * 1000 < replays.sinceMs) {
      return refusal('replay_memory_too_young');
    }
    const key = hash('sha256', JSON.stringify(['signature', rules.name, value.agent, value.keyId, parameters.nonce]), 'base64url');
    const budgetMs = request.deadlineAtMs - clock.monotonic() - DEADLINE_RESERVE_MS;
    const answer = replays.remember(key, nowMs, endsAtMs(parameters, rules.times), budgetMs);
    return answer instanceof Promise ? answer.then((known) => settled(known, value)) : settled(answer, value);
  }

  return { verify };
}

function judgeParameters({ parameters }: OfferedSignature, rules: SignatureRules, nowSeconds: number): SignatureCode | null {
  if (parameters.algorithm !== null && !rules.algorithms.includes(parameters.algorithm)) return 'signature_algorithm_not_allowed';
  if (rules.nonceRequired && parameters.nonce === null) return 'signature_parameter_missing';
  return judgeTimes(parameters, nowSeconds, rules.times);
}

const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE']);

/** A body whose length nobody announced is not seen where the gateway hands no bodies on: then it counts as one, but for methods that have none. */
function hasBody({ body, method, headers }: HttpFacts): boolean {
  if (body.status !== 'absent' || headers.has('transfer-encoding')) return true;
  return body.size !== 0 && !WITHOUT_BODY.has(method);
}

type Digest = SignatureValue['digest'];

/** A digest that is covered by one of its members only says nothing of the others, so any coverage counts. */
function digestOf({ components }: OfferedSignature, { http, credentials }: DecisionRequest): Digest | SignatureCode {
  if (!components.some(({ name }) => name === 'content-digest')) return 'none';
  return judgeDigest(http?.headers.get('content-digest') ?? [], credentials.signature?.body ?? null);
}

function isDigest(found: Digest | SignatureCode): found is Digest {
  return found === 'none' || found === 'matched' || found === 'unchecked';
}

function signedValue(
  { label, parameters, components }: OfferedSignature,
  { profile }: SignatureRules,
  signer: Signer,
  { algorithm }: NamedCheck,
  digest: Digest,
): SignatureValue {
  return {
    profile,
    ...signer,
    label,
    keyId: parameters.keyId ?? '',
    tag: parameters.tag,
    algorithm,
    createdAt: parameters.created ?? 0,
    expiresAt: parameters.expires,
    covered: components.map(shownComponent),
    nonce: parameters.nonce !== null,
    digest,
  };
}

function settled(answer: Awaited<ReturnType<ReplayMemory['remember']>>, value: SignatureValue): SignatureSignal {
  if (answer === 'fresh') return { status: 'present', value };
  return refusal(answer === 'replayed' ? 'signature_replayed' : answer);
}
