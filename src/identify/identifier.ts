import { CountersignError } from '../contract/errors.ts';
import type { Identity } from '../contract/identity.ts';
import type { CertificateOffer, DecisionRequest } from '../contract/request.ts';
import type { Awaitable, Clock, Identifier, Logger } from '../contract/stages.ts';
import type { IdentifyStatus } from '../contract/status.ts';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';
import type { HttpFetch } from '../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';
import type { ReplayMemory } from '../stores/replay-memory.ts';
import { type ApiKeySignal, NO_API_KEY } from './api-key.ts';
import { readAssertedClaims } from './asserted-claims.ts';
import { assuranceOf, methodsOf } from './assurance.ts';
import { readAuthorization, type TokenOffer } from './authorization.ts';
import { type Bound, createBindingJudge, unbound } from './binding.ts';
import { type CertificateSignal, createCertificateReader } from './certificate-offers.ts';
import { createDpopVerifier } from './dpop.ts';
import { createKeySet, KEY_TIMING, type KeyTiming } from './keys.ts';
import { createKeyLoader } from './keys-document.ts';
import type { IdentityOptions, IssuerOptions } from './options.ts';
import { createRegistered, type RegistryParts } from './registered.ts';
import { agreeOnClient, deriveSubject, type Evidence } from './subject.ts';
import { createTokenVerifier, type Issuer, prepareIssuer } from './token.ts';
import { refusal, type TokenOutcome } from './token-outcome.ts';
import { createCertificateTrust } from './trust/certificate-trust.ts';
import { createVerificationBudget } from './verification-budget.ts';

/** A file is cheap to read again, and a change should hold at once. */
const FILE_REFRESH_MS = 2000;
/** `start` waits no longer than this for the first keys: what lacks them says so in its decisions. */
const START_WAIT_MS = 1000;

const NO_OFFERS: readonly CertificateOffer[] = [];

export type IdentifierParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly httpFetch: HttpFetch;
  readonly readFile: ReadDocumentFile;
  readonly createCache: CreateBoundedCache;
  /** The prefix of the client's address (/32, IPv6 /64) that pays for failed verifications, or null where it is not known. */
  readonly accountOf: (request: DecisionRequest) => string | null;
  /** Proofs that were used. */
  readonly replays: ReplayMemory;
  /** Declared clients, API keys and revocations; left out where there are none. */
  readonly registry?: RegistryParts | undefined;
  /** Other pauses between fetches of keys, for tests. */
  readonly keyTiming?: KeyTiming;
};

/** The evidence beside the token. */
type Beside = { readonly certificate: CertificateSignal; readonly apiKey: ApiKeySignal; readonly asserted: Evidence['asserted'] };

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
  const registered = createRegistered(options, parts);
  const tokens = createTokenVerifier(options, issuers, parts);
  const certificates = createCertificateReader(options.certificateCache, parts.createCache);
  const trust = createCertificateTrust(options.certificates, parts);
  const dpop = createDpopVerifier(options, { ...parts, budget: createVerificationBudget(options.verificationBudget, parts.createCache) });
  const bindings = createBindingJudge(dpop);

  function identify(request: DecisionRequest): Awaitable<Identity> {
    const { authorization } = request.credentials;
    const offer = authorization.length === 0 || registered.holdsApiKey(authorization) ? null : readAuthorization(authorization);
    const token = judgeToken(request, offer);
    return token instanceof Promise ? token.then((outcome) => complete(request, offer, outcome)) : complete(request, offer, token);
  }

  /** A token that was offered is always judged, and never gives way to claims that the gateway asserts. */
  function judgeToken(request: DecisionRequest, offer: TokenOffer | null): Awaitable<TokenOutcome> {
    if (offer === null) return readAssertedClaims(request, options.actorDepthMax);
    return 'token' in offer ? tokens.verify(offer.token, request) : refusal('invalid', offer.code);
  }

  function complete(request: DecisionRequest, offer: TokenOffer | null, token: TokenOutcome): Awaitable<Identity> {
    const { pep, credentials } = request;
    const offers = pep.trusts.has('client_certificate') ? credentials.certificates : NO_OFFERS;
    const certificate = registered.certificate(trust.judge(certificates.read(offers), request.receivedAtMs / 1000));
    const apiKey = registered.apiKeyOf(request);
    const asserted = pep.trusts.has('subject') ? request.subject : null;
    const offered = offer !== null && 'token' in offer ? offer : null;
    const scheme = offered?.scheme === 'DPoP' || token.confirmation?.jkt ? 'DPoP' : 'Bearer';
    if (scheme === 'DPoP' || token.confirmation !== null) {
      const bound = bindings.judge(request, offered, token, certificate);
      const join = (known: Bound): Identity => assemble(known, scheme, { certificate, apiKey, asserted }, request.receivedAtMs);
      return bound instanceof Promise ? bound.then(join) : join(bound);
    }
    if (certificate.status !== 'absent' || apiKey !== NO_API_KEY || asserted !== null) {
      return assemble(unbound(token), scheme, { certificate, apiKey, asserted }, request.receivedAtMs);
    }
    const { generation } = registered;
    if (token.identityAlone?.generation !== generation) {
      const identity = assemble(unbound(token), scheme, { certificate, apiKey, asserted }, request.receivedAtMs);
      token.identityAlone = { identity, generation };
    }
    return token.identityAlone.identity;
  }

  function assemble(
    judged: Bound,
    scheme: Identity['challenge']['scheme'],
    { certificate, apiKey, asserted }: Beside,
    nowMs: number,
  ): Identity {
    // the last look, after whatever had to be waited for: a revocation of meanwhile counts
    const left = registered.token(judged.token);
    const { token, signal: binding, state, methods, dpopNonce } = left === judged.token ? judged : unbound(left);
    const evidence: Evidence = {
      token: token.signal.status === 'present' ? token.signal.value : null,
      apiKey: apiKey.status === 'present' ? apiKey.value : null,
      certificate: certificate.status === 'present' ? certificate.value : null,
      binding: binding.status === 'present' ? binding.value : null,
      asserted,
    };
    const { client, agreement } = agreeOnClient(evidence, registered.clients, nowMs / 1000);
    return {
      signals: { token: token.signal, certificate, binding, apiKey },
      subject: deriveSubject(evidence, client, registered.recordOf(client)),
      evidence: {
        methods: methodsOf(evidence, methods, nowMs / 1000),
        assurance: assuranceOf(evidence, agreement, nowMs / 1000),
        binding: state,
        agreement: { client: agreement },
      },
      tokenKey: token.tokenKey,
      challenge: { scheme, dpopNonce },
    };
  }

  return {
    identify,
    start: () => settledWithin(START_WAIT_MS, [...[...issuers.values()].map(({ keys }) => keys.start()), trust.start()]),
    stop() {
      trust.stop();
      for (const { keys } of issuers.values()) keys.stop();
    },
    status: () => ({
      ...tokens.status(),
      keySets: [...issuers.values()].map(({ keys }) => keys.status()),
      certificateCache: certificates.status(),
      certificates: trust.status(),
      proofKeyCache: dpop.status(),
      replays: parts.replays.status(),
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
