import type { Facts } from '../contract/collect.ts';
import type { Identity } from '../contract/identity.ts';
import type { PreparedChange } from '../contract/lifecycle.ts';
import type { ClientRecord } from '../contract/registry.ts';
import type { CertificateOffer, DecisionRequest } from '../contract/request.ts';
import type { Awaitable, Clock, Identifier, Logger } from '../contract/stages.ts';
import type { IdentifyStatus } from '../contract/status.ts';
import { within } from '../contract/within.ts';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';
import type { CircuitBreaker } from '../stores/circuit-breaker.ts';
import type { FormPost } from '../stores/form-post.ts';
import type { HttpFetch } from '../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import type { ReplayMemory } from '../stores/replay-memory.ts';
import { compareEvidence, costOf } from './agreement.ts';
import { compileAgreement } from './agreement-mapping.ts';
import { createViews } from './agreement-views.ts';
import { NO_API_KEY } from './api-key.ts';
import { readAssertedClaims } from './asserted-claims.ts';
import { assuranceOf, methodsOf } from './assurance.ts';
import { readAuthorization, type TokenOffer } from './authorization.ts';
import { BINDING_METHODS, type Bound, createBindingJudge, heldAgainst, unbound } from './binding.ts';
import { createCertificateReader } from './certificate-offers.ts';
import { createDpopVerifier } from './dpop.ts';
import { createChangingIssuers } from './issuer-generations.ts';
import type { KeyTiming } from './keys.ts';
import type { IdentityOptions } from './options.ts';
import { createRegistered, type RegistryParts } from './registered.ts';
import type { SignatureSignal } from './signature/outcome.ts';
import { createSignatures, type SignaturesParts } from './signature/signatures.ts';
import { agreeOnClient, deriveSubject, type Evidence } from './subject.ts';
import type { TokenVerifier } from './token.ts';
import { refusal, type TokenOutcome, unavailable } from './token-outcome.ts';
import { createCertificateTrust } from './trust/certificate-trust.ts';
import { NO_TXN_TOKEN, type TxnTokenSignal } from './txn-token.ts';
import { createVerificationBudget } from './verification-budget.ts';

/** `start` waits no longer than this for the first keys: what lacks them says so in its decisions. */
const START_WAIT_MS = 1000;
const REQUEST_MS_MAX = 10_000;

const NO_OFFERS: readonly CertificateOffer[] = [];

export type IdentifierParts = Pick<SignaturesParts, 'createGuardedFetch' | 'signatureReplays'> & {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly httpFetch: HttpFetch;
  readonly formPost: FormPost;
  readonly readFile: ReadDocumentFile;
  readonly createCache: CreateBoundedCache;
  /** The prefix of the client's address (/32, IPv6 /64) that pays for failed verifications, or null where it is not known. */
  readonly accountOf: (request: DecisionRequest) => string | null;
  /** Proofs that were used. */
  readonly replays: ReplayMemory;
  /** Declared clients, API keys and revocations; left out where there are none. */
  readonly registry?: RegistryParts | undefined;
  /** For one outside system that can fail for a while. */
  readonly createBreaker: () => CircuitBreaker;
  /** The longest that one request takes: what was made of issuers that are replaced is closed after it. Left out: ten seconds. */
  readonly requestMsMax?: number;
  /** Other pauses between fetches of keys, for tests. */
  readonly keyTiming?: KeyTiming;
};

/** The evidence beside the token. */
type Beside = Pick<Identity['signals'], 'certificate' | 'apiKey' | 'txnToken' | 'signature'> & { readonly asserted: Evidence['asserted'] };

/** The stage with its background work. */
export type RunningIdentifier = Identifier & {
  /** Fetches the key sets of all issuers and goes on refreshing them; resolves once they are there, after a second at the latest. */
  start(): Promise<void>;
  /** Asks the authorization server about a token that was verified already: a policy collects it (DESIGN 4). Never throws. */
  introspect(request: DecisionRequest, facts: Facts): Awaitable<Facts>;
  /** The same caller, of whom the gateway says something else in this question: the evidence was judged before, and only `request.subject` differs. Never throws. */
  reassert(request: DecisionRequest, identity: Identity): Identity;
  /** Other issuers for those of now, ready to be taken into force; rejects with `config_invalid`. */
  prepareIssuers(issuers: IdentityOptions['issuers']): Promise<PreparedChange>;
  /** Ends the background work. */
  stop(): void;
  status(): IdentifyStatus;
};

/**
 * WHO asks: token, certificate, binding, client, subject, assurance, in this order. It holds the order and no technique. The answer is a plain
 * value unless a key has to be fetched or a remote replay memory asked. Fails with `config_invalid` where the options contradict themselves.
 */
export function createIdentifier(options: IdentityOptions, parts: IdentifierParts): RunningIdentifier {
  const registered = createRegistered(options, parts);
  const { clients } = registered;
  const agreements = compileAgreement(options.agreement, createViews(clients, registered.recordOf), registered.configured);
  const { requestMsMax = REQUEST_MS_MAX } = parts;
  const issuers = createChangingIssuers(options, { ...parts, requestMsMax, held: registered.token });
  const certificates = createCertificateReader(options.certificateCache, parts.createCache);
  const trust = createCertificateTrust(options.certificates, parts);
  const dpop = createDpopVerifier(options, { ...parts, budget: createVerificationBudget(options.verificationBudget, parts.createCache) });
  const bindings = createBindingJudge(dpop);
  const signatures = createSignatures(options.signatures, options, parts);
  const accepted = signatures.accepted ?? undefined;

  function identify(request: DecisionRequest): Awaitable<Identity> {
    const { authorization } = request.credentials;
    const offer = authorization.length === 0 || registered.holdsApiKey(authorization) ? null : readAuthorization(authorization);
    const { verify, txnTokens } = issuers.current;
    const token = judgeToken(request, offer, verify);
    const txnToken = txnTokens.judge(request);
    const signature = signatures.judge(request);
    if (token instanceof Promise || txnToken instanceof Promise || signature instanceof Promise) {
      return Promise.all([token, txnToken, signature]).then(([outcome, txn, signed]) => complete(request, offer, outcome, txn, signed));
    }
    return complete(request, offer, token, txnToken, signature);
  }

  /** A token that was offered is always judged, and never gives way to claims that the gateway asserts. */
  function judgeToken(request: DecisionRequest, offer: TokenOffer | null, verify: TokenVerifier['verify']): Awaitable<TokenOutcome> {
    if (offer === null) return readAssertedClaims(request, options.actorDepthMax);
    return 'token' in offer ? verify(offer.token, request) : refusal('invalid', offer.code);
  }

  function complete(
    request: DecisionRequest,
    offer: TokenOffer | null,
    token: TokenOutcome,
    txnToken: TxnTokenSignal,
    signed: SignatureSignal,
  ): Awaitable<Identity> {
    const { pep, credentials } = request;
    const offers = pep.trusts.has('client_certificate') ? credentials.certificates : NO_OFFERS;
    const reading = certificates.read(offers);
    const certificate = registered.certificate(trust.judge(reading, request.receivedAtMs / 1000), reading.certificate);
    const apiKey = registered.apiKeyOf(request);
    const asserted = pep.trusts.has('subject') ? request.subject : null;
    const signature = registered.signature(signed);
    const beside = { certificate, apiKey, txnToken, signature, asserted };
    const offered = offer !== null && 'token' in offer ? offer : null;
    const scheme = offered?.scheme === 'DPoP' || token.confirmation?.jkt ? 'DPoP' : 'Bearer';
    if (scheme === 'DPoP' || token.confirmation !== null) {
      const bound = bindings.judge(request, offered, token, certificate);
      return bound instanceof Promise
        ? bound.then((known) => again(known, beside, scheme, request))
        : assemble(bound, scheme, beside, request);
    }
    if (
      certificate.status !== 'absent' ||
      apiKey !== NO_API_KEY ||
      asserted !== null ||
      txnToken !== NO_TXN_TOKEN ||
      signature.status === 'present'
    ) {
      return assemble(unbound(token), scheme, beside, request);
    }
    const { generation } = registered;
    const alone = token.identityAlone;
    // a token without anything beside it; refusals of tokens are shared by all identifiers of the process
    if (alone?.generation === generation && isFor(alone.identity, signature)) return alone.identity;
    const identity = assemble(unbound(token), scheme, beside, request);
    if (!isKnownByConnection(identity.subject.record)) token.identityAlone = { identity, generation };
    return identity;
  }

  /** Whether an identity of nothing but a token says of signatures what this request is to be told. */
  function isFor({ signals, challenge }: Identity, signature: SignatureSignal): boolean {
    return signals.signature === signature && challenge.acceptSignature === accepted;
  }

  /** What is left of the evidence beside the token after something was waited for: it may be revoked meanwhile, as the token may. */
  function stillHeld(beside: Beside, request: DecisionRequest): Beside {
    return {
      ...beside,
      certificate: registered.certificate(beside.certificate, null),
      apiKey: beside.apiKey.status === 'present' ? registered.apiKeyOf(request) : beside.apiKey,
      signature: registered.signature(beside.signature),
    };
  }

  function assemble(
    judged: Bound,
    scheme: Identity['challenge']['scheme'],
    { certificate, apiKey, txnToken, signature, asserted }: Beside,
    request: DecisionRequest,
  ): Identity {
    const nowMs = request.receivedAtMs;
    // the last look, after whatever had to be waited for: a revocation of meanwhile counts
    const left = registered.token(judged.token);
    const { token, signal: binding, state, methods, dpopNonce } = left === judged.token ? judged : unbound(left);
    const evidence: Evidence = {
      token: token.signal.status === 'present' ? token.signal.value : null,
      apiKey: apiKey.status === 'present' ? apiKey.value : null,
      certificate: certificate.status === 'present' ? certificate.value : null,
      binding: binding.status === 'present' ? binding.value : null,
      txnToken: txnToken.status === 'present' ? txnToken.value : null,
      signature: signature.status === 'present' ? signature.value : null,
      asserted,
    };
    const { client, agreement } = agreeOnClient(evidence, clients, nowMs / 1000);
    const record = registered.recordOf(client);
    const { pairs, conflicts } = compareEvidence(agreements, { ...evidence, record, tls: request.tls }, nowMs / 1000);
    const cost = costOf(conflicts);
    const apart = cost === 'nobody';
    const agreed = apart ? null : client;
    return {
      signals: { token: token.signal, apiKey, certificate, binding, signature, txnToken },
      subject: deriveSubject(evidence, agreed, apart ? null : record),
      evidence: {
        methods: methodsOf(evidence, methods, nowMs / 1000),
        assurance: assuranceOf(evidence, cost === 'nothing' ? agreement : 'conflict', nowMs / 1000),
        binding: state,
        agreement: { client: agreement, pairs, conflicts },
      },
      tokenKey: token.tokenKey,
      challenge: accepted === undefined ? { scheme, dpopNonce } : { scheme, dpopNonce, acceptSignature: accepted },
    };
  }

  function introspect(request: DecisionRequest, facts: Facts): Awaitable<Facts> {
    const { token } = facts.identity.signals;
    if (token.status !== 'present' || token.value.introspectedAt !== undefined) return facts;
    const offer = readAuthorization(request.credentials.authorization);
    const asked = 'token' in offer ? issuers.collect(offer.token, token.value, request) : undefined;
    const join = (outcome: TokenOutcome): Facts => ({ ...facts, identity: rejoin(request, facts.identity, outcome) });
    return asked instanceof Promise ? asked.then(join) : join(asked ?? unavailable('introspection_not_configured'));
  }

  /** The identity with another word on its token; the binding was judged, and a proof serves once. */
  function rejoin(request: DecisionRequest, identity: Identity, outcome: TokenOutcome): Identity {
    const { signals, evidence, challenge, tokenKey } = identity;
    const { dpopNonce } = challenge;
    const asserted = request.pep.trusts.has('subject') ? request.subject : null;
    const methods = evidence.methods.filter((method) => BINDING_METHODS.has(method));
    const known: Bound =
      outcome.signal.status === 'present'
        ? { token: { ...outcome, tokenKey }, signal: signals.binding, state: evidence.binding, methods, dpopNonce }
        : { ...unbound(outcome), dpopNonce };
    return again(known, { ...signals, asserted }, challenge.scheme, request);
  }

  function reassert(request: DecisionRequest, { signals, evidence, challenge, tokenKey }: Identity): Identity {
    const asserted = request.pep.trusts.has('subject') ? request.subject : null;
    const known: Bound = {
      token: { signal: signals.token, tokenKey, confirmation: null, identityAlone: null },
      signal: signals.binding,
      state: evidence.binding,
      methods: evidence.methods.filter((method) => BINDING_METHODS.has(method)),
      dpopNonce: challenge.dpopNonce,
    };
    return again(known, { ...signals, asserted }, challenge.scheme, request);
  }

  /** Assembles after a wait. */
  function again(bound: Bound, before: Beside, scheme: Identity['challenge']['scheme'], request: DecisionRequest): Identity {
    const beside = stillHeld(before, request);
    const known = beside.certificate === before.certificate ? bound : heldAgainst(bound, beside.certificate);
    return assemble(known, scheme, beside, request);
  }

  return {
    identify,
    introspect,
    reassert,
    prepareIssuers: issuers.prepare,
    async start() {
      await within<unknown>(START_WAIT_MS, Promise.all([issuers.start(), trust.start(), signatures.start()]), null);
    },
    stop() {
      trust.stop();
      signatures.stop();
      issuers.stop();
    },
    status: () => ({
      ...issuers.status(),
      certificateCache: certificates.status(),
      certificates: trust.status(),
      proofKeyCache: dpop.status(),
      replays: parts.replays.status(),
      signatures: signatures.status(),
    }),
  };
}

/** Whether the connection is part of what is held against a client: its identity is another one by another connection. */
function isKnownByConnection(record: ClientRecord | null): boolean {
  return record !== null && record.fingerprints.ja3.length + record.fingerprints.ja4.length > 0;
}
