import type { CertificateOffer } from '../contract/request.ts';
import type { CertificateCode, CertificateValue, Signal } from '../contract/signals.ts';
import type { CacheStatus } from '../contract/status.ts';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';
import {
  type Certificate,
  canonicalSerial,
  canonicalSha256,
  describeCertificate,
  pemBlocks,
  readCertificate,
  spiffeOf,
} from './certificate.ts';
import { type CertificateTexts, ISSUERS_MAX, readCertificateHeader } from './certificate-header.ts';
import { counted } from './token-cache.ts';
import { parseXfcc, type XfccElement } from './xfcc.ts';

export type CertificateSignal = Signal<CertificateValue, CertificateCode>;

/** What was made of the offers, before anybody has vouched for it but the gateway. */
export type CertificateReading = {
  readonly signal: CertificateSignal;
  /** Null where only fields were handed on, or where the signal is not present. */
  readonly certificate: Certificate | null;
  /** Of the issuers, as they came: PEM blocks or DER. */
  readonly issuers: readonly (string | Buffer)[];
};

/** Reads the client certificate out of what a trusted gateway handed on. */
export interface CertificateReader {
  read(offers: readonly CertificateOffer[]): CertificateReading;
  status(): CacheStatus;
}

function reading(
  signal: CertificateSignal,
  certificate: Certificate | null = null,
  issuers: CertificateReading['issuers'] = [],
): CertificateReading {
  return { signal, certificate, issuers };
}

function refused(code: CertificateCode): CertificateReading {
  return reading({ status: 'invalid', code });
}

const MISSING = reading({ status: 'absent', code: 'certificate_missing' });
const MALFORMED = refused('certificate_malformed');
const HASH_MISMATCH = refused('certificate_hash_mismatch');
const CONFLICT = refused('certificate_conflict');

type TextOffer = Exclude<CertificateOffer, { readonly form: 'fields' }>;

/**
 * Parsing takes tens of µs and depends on the text only: cached by it, refusals too. Validity is judged by others, each time. PEM, XFCC and the
 * other headers have a cache each of `entriesMax`, since the same text means another thing in each; a text longer than CACHED_CHARS_MAX is
 * parsed each time.
 */
export function createCertificateReader(options: { readonly entriesMax: number }, createCache: CreateBoundedCache): CertificateReader {
  const caches = {
    pem: cachedByText(options.entriesMax, createCache),
    xfcc: cachedByText(options.entriesMax, createCache),
    headers: cachedByText(options.entriesMax, createCache),
  };

  function readOffer(offer: CertificateOffer): CertificateReading {
    switch (offer.form) {
      case 'fields':
        return readFields(offer);
      case 'pem':
        return caches.pem.read(offer.pem, offer, readText);
      case 'xfcc':
        return caches.xfcc.read(offer.header, offer, readText);
      default:
        return offer.header === ''
          ? MISSING
          : caches.headers.read(`${offer.form} ${offer.header.length} ${offer.header}${offer.chain ?? ''}`, offer, readText);
    }
  }

  return {
    read(offers) {
      const [first, ...others] = offers;
      if (first === undefined) return MISSING;
      return others.reduce((known, offer) => join(known, readOffer(offer)), readOffer(first));
    },
    status() {
      const [pem, xfcc, headers] = [caches.pem.status(), caches.xfcc.status(), caches.headers.status()];
      return {
        hits: pem.hits + xfcc.hits + headers.hits,
        misses: pem.misses + xfcc.misses + headers.misses,
        entries: pem.entries + xfcc.entries + headers.entries,
      };
    },
  };
}

/** A leaf has 2 KiB, a chain of three twice that in URL encoding; an entry holds its text, and a client may choose that. */
const CACHED_CHARS_MAX = 16_384;

function cachedByText(entriesMax: number, createCache: CreateBoundedCache) {
  const { cache, tally, status } = counted<CertificateReading>({ entriesMax }, createCache);
  function read(text: string, offer: TextOffer, parse: (offer: TextOffer) => CertificateReading): CertificateReading {
    const known = cache.get(text);
    if (known !== undefined) {
      tally.hits++;
      return known;
    }
    tally.misses++;
    const made = parse(offer);
    if (text.length <= CACHED_CHARS_MAX) cache.set(text, made);
    return made;
  }
  return { read, status };
}

function readText(offer: TextOffer): CertificateReading {
  if (offer.form === 'pem') return readPem(offer.pem);
  return offer.form === 'xfcc' ? readXfcc(offer.header) : readTexts(readCertificateHeader(offer));
}

function readPem(pem: string): CertificateReading {
  const [leaf, ...issuers] = pemBlocks(pem) ?? [];
  return readTexts(leaf === undefined ? null : { leaf, issuers: issuers.slice(0, ISSUERS_MAX) });
}

function readTexts(texts: CertificateTexts | null): CertificateReading {
  const certificate = texts === null ? null : readCertificate(texts.leaf);
  if (texts === null || certificate === null) return MALFORMED;
  return reading({ status: 'present', value: describeCertificate(certificate) }, certificate, texts.issuers);
}

/** The last element is the peer of the nearest proxy; earlier ones are further away, and a client may have written them. */
function readXfcc(header: string): CertificateReading {
  const elements = parseXfcc(header);
  if (elements === null) return MALFORMED;
  const element = elements.at(-1);
  return element === undefined ? MISSING : readElement(element);
}

/** Envoy's `Chain` is the whole chain, its leaf first; beside `Cert` it brings the issuers. */
function readElement(element: XfccElement): CertificateReading {
  const one = (name: string): string | null => element.find(([key, value]) => key === name && value !== '')?.[1] ?? null;
  const all = (name: string): readonly string[] => element.filter(([key, value]) => key === name && value !== '').map(([, value]) => value);
  const claimed = one('hash');
  const [cert, chain] = [one('cert'), one('chain')];
  const uris = all('uri');
  const stated = { sha256: claimed, subject: one('subject'), issuer: null, serial: null, uris, dns: all('dns'), notAfter: null };
  if (cert === null && chain === null) return readFields(stated);
  const parsed = cert === null || chain === null ? readPem(cert ?? chain ?? '') : joinChain(readPem(cert), readPem(chain));
  const { signal } = parsed;
  if (signal.status !== 'present') return parsed;
  if (claimed !== null && canonicalSha256(claimed) !== signal.value.sha256) return HASH_MISMATCH;
  return uris.every((uri) => signal.value.uris.includes(uri)) ? parsed : CONFLICT;
}

function joinChain(cert: CertificateReading, chain: CertificateReading): CertificateReading {
  if (cert.certificate === null || chain.certificate === null) return MALFORMED;
  return cert.certificate.sha256 === chain.certificate.sha256 ? { ...cert, issuers: chain.issuers } : CONFLICT;
}

/** What a gateway says about a certificate that it does not hand on. */
function readFields(fields: Omit<Extract<CertificateOffer, { form: 'fields' }>, 'form'>): CertificateReading {
  const sha256 = fields.sha256 === null ? null : canonicalSha256(fields.sha256);
  const serial = fields.serial === null ? null : canonicalSerial(fields.serial);
  if ((sha256 === null && fields.sha256 !== null) || (serial === null && fields.serial !== null)) return MALFORMED;
  const { subject, issuer, uris, dns, notAfter } = fields;
  // whoever names no certificate and no holder has said nothing: `By` is the proxy itself
  if (sha256 === null && subject === null && uris.length === 0 && dns.length === 0) return MISSING;
  const value: CertificateValue = {
    sha256,
    subject,
    issuer,
    serial,
    uris,
    dns,
    ...spiffeOf(uris, true),
    notBefore: null,
    notAfter,
    keyUsage: [],
    chain: 'unchecked',
    trustBundle: null,
    revocation: 'unchecked',
  };
  return reading({ status: 'present', value });
}

/** Two offers must be of the same certificate; the fuller one stays. A refused offer is not made good by another. */
function join(one: CertificateReading, other: CertificateReading): CertificateReading {
  if (one.signal.status === 'invalid') return one;
  if (other.signal.status === 'invalid') return other;
  if (one.signal.status !== 'present') return other;
  if (other.signal.status !== 'present') return one;
  if (!agree(one.signal.value, other.signal.value)) return CONFLICT;
  if (one.certificate === null) return other;
  // the one with the issuers can be verified
  return one.issuers.length === 0 && other.issuers.length > 0 ? other : one;
}

/** The same certificate by its hash; where one of them has none, they must share a name, and none may lack a name of the shorter list. */
function agree(one: CertificateValue, other: CertificateValue): boolean {
  if (one.sha256 !== null && other.sha256 !== null) return one.sha256 === other.sha256;
  const uris = shared(one.uris, other.uris);
  const dns = shared(one.dns, other.dns);
  return uris !== null && dns !== null && uris + dns > 0;
}

/** How many names both have, or null where neither list holds the other. */
function shared(some: readonly string[], others: readonly string[]): number | null {
  const [fewer, more] = some.length <= others.length ? [some, others] : [others, some];
  return fewer.every((name) => more.includes(name)) ? fewer.length : null;
}
