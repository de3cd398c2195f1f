import { CountersignError } from '../contract/errors.ts';
import type { Identity } from '../contract/identity.ts';
import type { CertificateOffer, DecisionRequest } from '../contract/request.ts';
import type { Awaitable, Clock, Identifier, Logger } from '../contract/stages.ts';
import type { IdentifyStatus } from '../contract/status.ts';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';
import type { HttpFetch } from '../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import type { ReplayMemory } from '../stores/replay-memory.ts';
import { readAssertedClaims } from './asserted-claims.ts';
import { assuranceOf, methodsOf } from './assurance.ts';
import { readAuthorization, type TokenOffer } from './authorization.ts';
import { type Bound, createBindingJudge, unbound } from './binding.ts';
import { type CertificateSignal, createCertificateReader } from './certificate-offers.ts';
import { createDpopVerifier } from './dpop.ts';
import { createKeySet, KEY_TIMING, type KeyTiming } from './keys.ts';
import { createKeyLoader } from './keys-document.ts';
import type { IdentityOptions, IssuerOptions } from './options.ts';
import type { SignatureSignal } from './signature/outcome.ts';
import { createSignatures, type SignaturesParts } from './signature/signatures.ts';
import { agreeOnClient, type ClientMap, deriveSubject, type Evidence } from './subject.ts';
import { createTokenVerifier, type Issuer, prepareIssuer } from './token.ts';
import { refusal, type TokenOutcome } from './token-outcome.ts';
import { createCertificateTrust } from './trust/certificate-trust.ts';
import { createVerificationBudget } from './verification-budget.ts';

/** A file is cheap to read again, and a change should hold at once. */
const FILE_REFRESH_MS = 2000;
/** `start` waits no longer than this for the first keys: what lacks them says so in its decisions. */
const START_WAIT_MS = 1000;

const NO_OFFERS: readonly CertificateOffer[] = [];

export type IdentifierParts = Pick<SignaturesParts, 'createGuardedFetch' | 'signatureReplays'> & {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly httpFetch: HttpFetch;
  readonly readFile: ReadDocumentFile;
  readonly createCache: CreateBoundedCache;
  /** The prefix of the client's address (/32, IPv6 /64) that pays for failed verifications, or null where it is not known. */
  readonly accountOf: (request: DecisionRequest) => string | null;
  /** Proofs that were used. */
  readonly replays: ReplayMemory;
  /** Other pauses between fetches of keys, for tests. */
  readonly keyTiming?: KeyTiming;
};

/** The stage with its background work. */
export type RunningIdentifier = Identifier & {
  /** Fetches the key sets of all issuers and goes on refreshing them; resolves once they are there, after a second at the latest. */
  start(): Promise<void>;
  /** Ends the background work. */
  stop(): void;
  status(): IdentifyStatus;
};

/**
 * WHO asks: token, certificate, binding, client, subject, assurance, in this order. It holds the order and no technique. The answer is a plain
 * value unless a key has to be fetched or a remote replay memory asked. Fails with `config_invalid` where the options contradict themselves.
 */
export function createIdentifier(options: IdentityOptions, parts: IdentifierParts): RunningIdentifier {
  const issuers = new Map(options.issuers.map((issuer) => [issuer.issuer, createIssuer(issuer, parts)]));
  if (issuers.size !== options.issuers.length) throw new CountersignError('config_invalid', { field: 'identity.issuers' });
  const clients: ClientMap = new Map(options.clients.flatMap(({ id, spiffeIds }) => spiffeIds.map((spiffeId) => [spiffeId, id] as const)));
  const tokens = createTokenVerifier(options, issuers, parts);
  const certificates = createCertificateReader(options.certificateCache, parts.createCache);
  const trust = createCertificateTrust(options.certificates, parts);
  const dpop = createDpopVerifier(options, { ...parts, budget: createVerificationBudget(options.verificationBudget, parts.createCache) });
  const bindings = createBindingJudge(dpop);
  const signatures = createSignatures(options.signatures, options, parts);
  const accepted = signatures.accepted ?? undefined;

  function identify(request: DecisionRequest): Awaitable<Identity> {
    const { authorization } = request.credentials;
    const offer = authorization.length === 0 ? null : readAuthorization(authorization);
    const token = judgeToken(request, offer);
    const signature = signatures.judge(request);
    if (token instanceof Promise || signature instanceof Promise) {
      return Promise.all([token, signature]).then(([outcome, signed]) => complete(request, offer, outcome, signed));
    }
    return complete(request, offer, token, signature);
  }

  /** A token that was offered is always judged, and never gives way to claims that the gateway asserts. */
  function judgeToken(request: DecisionRequest, offer: TokenOffer | null): Awaitable<TokenOutcome> {
    if (offer === null) return readAssertedClaims(request, options.actorDepthMax);
    return 'token' in offer ? tokens.verify(offer.token, request) : refusal('invalid', offer.code);
  }

  function complete(
    request: DecisionRequest,
    offer: TokenOffer | null,
    token: TokenOutcome,
    signature: SignatureSignal,
  ): Awaitable<Identity> {
    const { pep, credentials } = request;
    const offers = pep.trusts.has('client_certificate') ? credentials.certificates : NO_OFFERS;
    const certificate = trust.judge(certificates.read(offers), request.receivedAtMs / 1000);
    const asserted = pep.trusts.has('subject') ? request.subject : null;
    const offered = offer !== null && 'token' in offer ? offer : null;
    const scheme = offered?.scheme === 'DPoP' || token.confirmation?.jkt ? 'DPoP' : 'Bearer';
    if (scheme === 'DPoP' || token.confirmation !== null) {
      const bound = bindings.judge(request, offered, token, certificate);
      const join = (known: Bound): Identity => assemble(known, scheme, certificate, signature, asserted, request.receivedAtMs);
      return bound instanceof Promise ? bound.then(join) : join(bound);
    }
    if (certificate.status !== 'absent' || asserted !== null || signature.status === 'present') {
      return assemble(unbound(token), scheme, certificate, signature, asserted, request.receivedAtMs);
    }
    const alone = token.identityAlone;
    // a token without anything beside it; refusals of tokens are shared by all identifiers of the process
    if (alone !== null && alone.signals.signature === signature && alone.challenge.acceptSignature === accepted) return alone;
    token.identityAlone = assemble(unbound(token), scheme, certificate, signature, null, request.receivedAtMs);
    return token.identityAlone;
  }

  function assemble(
    { token, signal: binding, state, methods, dpopNonce }: Bound,
    scheme: Identity['challenge']['scheme'],
    certificate: CertificateSignal,
    signature: SignatureSignal,
    asserted: Evidence['asserted'],
    nowMs: number,
  ): Identity {
    const evidence: Evidence = {
      token: token.signal.status === 'present' ? token.signal.value : null,
      certificate: certificate.status === 'present' ? certificate.value : null,
      binding: binding.status === 'present' ? binding.value : null,
      signature: signature.status === 'present' ? signature.value : null,
      asserted,
    };
    const { client, agreement } = agreeOnClient(evidence, clients, nowMs / 1000);
    return {
      signals: { token: token.signal, certificate, binding, signature },
      subject: deriveSubject(evidence, client),
      evidence: {
        methods: methodsOf(evidence, methods, nowMs / 1000),
        assurance: assuranceOf(evidence, agreement, nowMs / 1000),
        binding: state,
        agreement: { client: agreement },
      },
      tokenKey: token.tokenKey,
      challenge: accepted === undefined ? { scheme, dpopNonce } : { scheme, dpopNonce, acceptSignature: accepted },
    };
  }

  return {
    identify,
    start: () =>
      settledWithin(START_WAIT_MS, [...[...issuers.values()].map(({ keys }) => keys.start()), trust.start(), signatures.start()]),
    stop() {
      trust.stop();
      signatures.stop();
      for (const { keys } of issuers.values()) keys.stop();
    },
    status: () => ({
      ...tokens.status(),
      keySets: [...issuers.values()].map(({ keys }) => keys.status()),
      certificateCache: certificates.status(),
      certificates: trust.status(),
      proofKeyCache: dpop.status(),
      replays: parts.replays.status(),
      signatures: signatures.status(),
    }),
  };
}

function createIssuer(options: IssuerOptions, parts: IdentifierParts): Issuer {
  const refreshMs = options.refreshSeconds * 1000;
  const keys = createKeySet({
    issuer: options.issuer,
    kind: options.kind,
    algorithms: new Set(options.algorithms),
    refreshMs: options.jwksFile === null ? refreshMs : Math.min(refreshMs, FILE_REFRESH_MS),
    load: createKeyLoader(options, parts),
    clock: parts.clock,
    logger: parts.logger,
    timing: parts.keyTiming ?? KEY_TIMING,
  });
  return prepareIssuer(options, keys);
}

async function settledWithin(waitMs: number, promises: readonly Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMs);
  });
  await Promise.race([Promise.all(promises), over]);
  clearTimeout(timer);
}
