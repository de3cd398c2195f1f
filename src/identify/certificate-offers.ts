import type { CertificateOffer } from '../contract/request.ts';
import type { CertificateCode, CertificateValue, Signal } from '../contract/signals.ts';
import type { CacheStatus } from '../contract/status.ts';
import type { CreateBoundedCache } from '../stores/bounded-cache.ts';
import { canonicalSerial, canonicalSha256, parseCertificate, spiffeOf } from './certificate.ts';
import { counted } from './token-cache.ts';
import { parseXfcc, type XfccElement } from './xfcc.ts';

export type CertificateSignal = Signal<CertificateValue, CertificateCode>;

/** Reads the client certificate out of what a trusted gateway handed on. */
export interface CertificateReader {
  read(offers: readonly CertificateOffer[]): CertificateSignal;
  status(): CacheStatus;
}

const MISSING: CertificateSignal = { status: 'absent', code: 'certificate_missing' };

function refused(code: CertificateCode): CertificateSignal {
  return { status: 'invalid', code };
}

const MALFORMED = refused('certificate_malformed');
const HASH_MISMATCH = refused('certificate_hash_mismatch');
const CONFLICT = refused('certificate_conflict');

/**
 * Parsing takes tens of µs and depends on the text only: cached by it, refusals too. Validity is judged by others, each time. PEM and XFCC have
 * a cache each of `entriesMax`, since the same text means another thing in each; a text longer than CACHED_CHARS_MAX is parsed each time.
 */
export function createCertificateReader(options: { readonly entriesMax: number }, createCache: CreateBoundedCache): CertificateReader {
  const pems = cachedByText(options.entriesMax, createCache, readPem);
  const headers = cachedByText(options.entriesMax, createCache, readXfcc);

  function readOffer(offer: CertificateOffer): CertificateSignal {
    if (offer.form === 'pem') return pems.read(offer.pem);
    if (offer.form === 'xfcc') return headers.read(offer.header);
    return readFields(offer);
  }

  return {
    read(offers) {
      const [first, ...others] = offers;
      if (first === undefined) return MISSING;
      return others.reduce((signal, offer) => join(signal, readOffer(offer)), readOffer(first));
    },
    status() {
      const [one, other] = [pems.status(), headers.status()];
      return { hits: one.hits + other.hits, misses: one.misses + other.misses, entries: one.entries + other.entries };
    },
  };
}

/** A leaf has 2 KiB, a chain of three twice that in URL encoding; an entry holds its text, and a client may choose that. */
const CACHED_CHARS_MAX = 16_384;

function cachedByText(entriesMax: number, createCache: CreateBoundedCache, parse: (text: string) => CertificateSignal) {
  const { cache, tally, status } = counted<CertificateSignal>({ entriesMax }, createCache);
  function read(text: string): CertificateSignal {
    const known = cache.get(text);
    if (known !== undefined) {
      tally.hits++;
      return known;
    }
    tally.misses++;
    const signal = parse(text);
    if (text.length <= CACHED_CHARS_MAX) cache.set(text, signal);
    return signal;
  }
  return { read, status };
}

function readPem(pem: string): CertificateSignal {
  const value = parseCertificate(pem);
  return value === null ? MALFORMED : { status: 'present', value };
}

/** The last element is the peer of the nearest proxy; earlier ones are further away, and a client may have written them. */
function readXfcc(header: string): CertificateSignal {
  const elements = parseXfcc(header);
  if (elements === null) return MALFORMED;
  const element = elements.at(-1);
  return element === undefined ? MISSING : readElement(element);
}

function readElement(element: XfccElement): CertificateSignal {
  const one = (name: string): string | null => element.find(([key, value]) => key === name && value !== '')?.[1] ?? null;
  const all = (name: string): readonly string[] => element.filter(([key, value]) => key === name && value !== '').map(([, value]) => value);
  const claimed = one('hash');
  const pem = one('cert') ?? one('chain');
  const uris = all('uri');
  const stated = { sha256: claimed, subject: one('subject'), issuer: null, serial: null, uris, dns: all('dns'), notAfter: null };
  if (pem === null) return readFields(stated);
  const parsed = readPem(pem);
  if (parsed.status !== 'present') return parsed;
  if (claimed !== null && canonicalSha256(claimed) !== parsed.value.sha256) return HASH_MISMATCH;
  return uris.every((uri) => parsed.value.uris.includes(uri)) ? parsed : CONFLICT;
}

/** What a gateway says about a certificate that it does not hand on. */
function readFields(fields: Omit<Extract<CertificateOffer, { form: 'fields' }>, 'form'>): CertificateSignal {
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
    chain: 'unchecked',
  };
  return { status: 'present', value };
}

/** Two offers must be of the same certificate; the fuller one stays. A refused offer is not made good by another. */
function join(one: CertificateSignal, other: CertificateSignal): CertificateSignal {
  if (one.status === 'invalid') return one;
  if (other.status === 'invalid') return other;
  if (one.status !== 'present') return other;
  if (other.status !== 'present') return one;
  if (!agree(one.value, other.value)) return CONFLICT;
  return one.value.chain === 'unchecked' ? other : one;
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
