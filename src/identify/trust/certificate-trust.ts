import type { CertificateCode, CertificateValue } from '../../contract/signals.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { CertificateTrustStatus } from '../../contract/status.ts';
import type { HttpFetch } from '../../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import { type Certificate, readCertificate } from '../certificate.ts';
import type { CertificateReading, CertificateSignal } from '../certificate-offers.ts';
import { parseSpiffeId } from '../spiffe-id.ts';
import { createPathSearch, INTERMEDIATES_MAX, isForClients, isSignedBy } from './chain-path.ts';
import { createRevocationLists } from './crls.ts';
import { createDeniedCertificates } from './denied.ts';
import type { CertificateTrustOptions } from './options.ts';
import { createTrustBundles, type TrustBundle } from './trust-bundles.ts';

/** Whether a certificate that a gateway handed on is believed here as well. */
export interface CertificateTrust {
  /** The signal of a reading at this time; the reading's own where nothing is configured. Never throws. */
  judge(reading: CertificateReading, nowSeconds: number): CertificateSignal;
  /** Loads bundles and lists, and goes on reading them again; never rejects. */
  start(): Promise<void>;
  stop(): void;
  status(): CertificateTrustStatus;
}

export type CertificateTrustParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readFile: ReadDocumentFile;
  readonly httpFetch: HttpFetch;
};

type State = CertificateValue['revocation'];

type Link = { readonly serial: string; readonly issuer: Certificate };

/** What the search for a path gave. It depends on the certificate and the anchors, and in `fromSeconds` to `untilSeconds` not on the time. */
type Verdict = {
  readonly generation: number;
  readonly fromSeconds: number;
  readonly untilSeconds: number;
  /** What the signal is where `signals` is null. */
  readonly refusal: CertificateSignal;
  /** Each certificate below the anchor with its issuer, the leaf's own first. */
  readonly links: readonly Link[];
  /** The anchor and its own issuers, as far as they are in bundles. */
  readonly above: readonly Link[];
  /** By what the revocation lists say; null where there is no path. */
  readonly signals: Readonly<Record<State, CertificateSignal>> | null;
};

/** How long "no path" is kept: an issuer that was not valid yet may be by then. */
const REFUSAL_KEPT_SECONDS = 60;

function refused(code: CertificateCode, status: 'invalid' | 'unavailable' = 'invalid'): CertificateSignal {
  return { status, code };
}

const DENIED = refused('certificate_denied');
const UNVERIFIABLE = refused('certificate_unverifiable');
const REVOKED = refused('certificate_revoked');
const NO_TRUST = refused('trust_unavailable', 'unavailable');
const NO_REVOCATION = refused('revocation_unavailable', 'unavailable');

const REFUSED_BY_NAME = { denied: DENIED, unavailable: NO_REVOCATION, unverifiable: UNVERIFIABLE };

/** Deny-lists, trust bundles and revocation lists, in this order. */
export function createCertificateTrust(options: CertificateTrustOptions, parts: CertificateTrustParts): CertificateTrust {
  const bundles = createTrustBundles(options.trustBundles, parts, () => lists.reverify());
  const lists = createRevocationLists(options.crl.sources, parts, () => bundles.anchors());
  const denied = createDeniedCertificates(options.denied, parts);
  const verdicts = new WeakMap<CertificateReading, Verdict>();
  const verifies = options.trustBundles.length > 0;
  const denies = options.denied.file !== null || options.denied.sha256.length + options.denied.serials.length > 0;
  const listed = options.crl.sources.length > 0;

  function judge(reading: CertificateReading, nowSeconds: number): CertificateSignal {
    const { signal, certificate } = reading;
    if (signal.status !== 'present') return signal;
    if (denies) {
      const state = denied.stateOf(signal.value, certificate);
      if (state !== 'free') return REFUSED_BY_NAME[state];
    }
    if (!verifies) return signal;
    // in every mode the same: what cannot be verified is not believed on the gateway's word
    return certificate === null ? UNVERIFIABLE : verify(reading, certificate, signal.value, nowSeconds);
  }

  function verify(reading: CertificateReading, certificate: Certificate, value: CertificateValue, nowSeconds: number): CertificateSignal {
    const verdict = verdictOf(reading, certificate, value, nowSeconds);
    if (verdict === null) return NO_TRUST;
    if (verdict.signals === null) return verdict.refusal;
    if (denies && verdict.links.some(({ issuer }, index) => denied.isIssuerDenied(issuer, index === verdict.links.length - 1)))
      return DENIED;
    if (!listed) return verdict.signals.unchecked;
    const state = revocationOf(verdict, nowSeconds);
    if (state === 'revoked') return REVOKED;
    return options.crl.required && state !== 'good' ? NO_REVOCATION : verdict.signals[state];
  }

  /** Null while a bundle that could vouch was never loaded. */
  function verdictOf(reading: CertificateReading, leaf: Certificate, value: CertificateValue, nowSeconds: number): Verdict | null {
    const known = verdicts.get(reading);
    if (known?.generation === bundles.generation && nowSeconds >= known.fromSeconds && nowSeconds <= known.untilSeconds) return known;
    const trustDomain = value.spiffeId === null ? null : (parseSpiffeId(value.spiffeId)?.trustDomain ?? null);
    const vouching = bundles.of(trustDomain);
    if (vouching.some(({ anchors }) => anchors === null)) return null;
    const circumstances = { trustDomain, vouching, nowSeconds, anchors: bundles.anchors() };
    const verdict = { ...search(reading, leaf, value, circumstances), generation: bundles.generation };
    verdicts.set(reading, verdict);
    return verdict;
  }

  /** The worst of what the lists say of the certificates below the anchor; of the anchor only whether it is revoked. */
  function revocationOf({ links, above }: Verdict, nowSeconds: number): 'good' | 'revoked' | 'stale' | 'unknown' {
    if (above.some(({ issuer, serial }) => lists.stateOf(issuer, serial, nowSeconds) === 'revoked')) return 'revoked';
    let worst: 'good' | 'stale' | 'unknown' = 'good';
    for (const { issuer, serial } of links) {
      const state = lists.stateOf(issuer, serial, nowSeconds);
      if (state === 'revoked') return state;
      if (state === 'unknown' || (state === 'stale' && worst === 'good')) worst = state;
    }
    return worst;
  }

  return {
    judge,
    async start() {
      // a list counts by a bundle's key, so these come first
      await bundles.start();
      await Promise.all([lists.start(), denied.start()]);
    },
    stop() {
      bundles.stop();
      lists.stop();
      denied.stop();
    },
    status: () => ({ trustBundles: bundles.status(), crls: lists.status(), denied: denied.status() }),
  };
}

type Circumstances = {
  readonly trustDomain: string | null;
  readonly vouching: readonly TrustBundle[];
  readonly nowSeconds: number;
  /** Of all bundles. */
  readonly anchors: readonly Certificate[];
};

function search(
  reading: CertificateReading,
  leaf: Certificate,
  value: CertificateValue,
  { trustDomain, vouching, nowSeconds, anchors: all }: Circumstances,
): Omit<Verdict, 'generation'> {
  const because = (code: CertificateCode) => ({
    fromSeconds: nowSeconds,
    untilSeconds: nowSeconds + REFUSAL_KEPT_SECONDS,
    refusal: refused(code),
    links: [],
    above: [],
    signals: null,
  });
  // [asks 38] with a SPIFFE id that is none the certificate is no plain one either
  if (value.svid === 'invalid' || value.svid === 'ambiguous') return because('certificate_svid_invalid');
  if (vouching.length === 0) return because(trustDomain === null ? 'certificate_untrusted' : 'certificate_trust_domain');
  if (!isForClients(leaf)) return because('certificate_purpose');
  const intermediates = reading.issuers.map(readCertificate).filter((one) => one !== null);
  const findIssuers = createPathSearch({ leaf, intermediates, trustDomain });
  for (const { name, anchors } of vouching) {
    const issuers = findIssuers(anchors ?? [], nowSeconds);
    if (issuers === null) continue;
    const chain = [leaf, ...issuers];
    return {
      fromSeconds: Math.max(...issuers.map(({ notBefore }) => notBefore)),
      untilSeconds: Math.min(...issuers.map(({ notAfter }) => notAfter)),
      refusal: refused('certificate_untrusted'),
      links: issuers.map((issuer, index) => ({ issuer, serial: chain[index]?.serial ?? '' })),
      above: linksAbove(issuers.at(-1), all),
      signals: signalsOf({ ...value, chain: 'verified', trustBundle: name }),
    };
  }
  const everValid = vouching.some(({ anchors }) => findIssuers(anchors ?? [], null) !== null);
  return because(everValid ? 'certificate_chain_expired' : 'certificate_untrusted');
}

/** An intermediate whose lists are to count is in a bundle, and so an anchor: what its issuer says of it has to count nevertheless. */
function linksAbove(anchor: Certificate | undefined, all: readonly Certificate[]): readonly Link[] {
  const links: Link[] = [];
  for (let subject = anchor; subject !== undefined && links.length < INTERMEDIATES_MAX; ) {
    const { issuerName, subjectName, serial } = subject;
    if (issuerName === subjectName) break;
    const below = subject;
    const issuer = all.find((one) => one.subjectName === issuerName && isSignedBy(below, one));
    if (issuer !== undefined) links.push({ issuer, serial });
    subject = issuer;
  }
  return links;
}

function signalsOf(value: CertificateValue): Readonly<Record<State, CertificateSignal>> {
  const of = (revocation: State): CertificateSignal => ({ status: 'present', value: { ...value, revocation } });
  return { good: of('good'), stale: of('stale'), unknown: of('unknown'), unchecked: of('unchecked') };
}
