import { verify } from 'node:crypto';
import { CountersignError } from '../../contract/errors.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { CrlStatus } from '../../contract/status.ts';
import type { HttpFetch } from '../../stores/http-fetch.ts';
import type { ReadDocumentFile } from '../../stores/read-file.ts';
import type { Certificate } from '../certificate.ts';
import { CRL_BYTES_MAX, type RevocationList, readRevocationList } from './crl-der.ts';
import type { CrlSourceOptions } from './options.ts';
import { createPolledDocument } from './polled-document.ts';
import { isStrongKey, SIGNATURE_OIDS } from './signature-oids.ts';

const FILE_EVERY_MS = 1000;
/** By how much the CA's clock may be ahead. */
const SKEW_SECONDS = 300;
const ACCEPT = { accept: 'application/pkix-crl, application/x-pem-file, */*' };

/** What the lists say of one certificate. */
export type Revocation = 'good' | 'revoked' | 'stale' | 'unknown';

/** A list; `signer` is the certificate of a bundle whose key signed it, without which it says nothing. */
type Held = { readonly list: RevocationList; readonly signer: Certificate | null };
/** One source with the last list of each authority that it was ever the list of. */
type Source = { readonly name: string; held: readonly Held[] };

/** A source has one authority's lists, and those of its next key. */
const AUTHORITIES_MAX = 8;

/** The configured revocation lists. */
export interface RevocationLists {
  /** Of the certificate with this serial by this issuer; `revoked` also by a stale list. */
  stateOf(issuer: Certificate, serial: string, nowSeconds: number): Revocation;
  /** Judges the signatures anew: the anchors have changed. */
  reverify(): void;
  start(): Promise<void>;
  stop(): void;
  status(): readonly CrlStatus[];
}

export type RevocationListParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readFile: ReadDocumentFile;
  readonly httpFetch: HttpFetch;
};

/**
 * A list counts once its signature is that of a bundle's certificate which may sign lists, and is never replaced by an older one, nor by that of another
 * authority: whoever sits between could else bring back the list from before a revocation, or put another one in its place. Plain http is accepted, since lists are signed (RFC 5280 section 8).
 */
export function createRevocationLists(
  options: readonly CrlSourceOptions[],
  { clock, logger, readFile, httpFetch }: RevocationListParts,
  anchors: () => readonly Certificate[],
): RevocationLists {
  const all = options.map((one) => {
    const source: Source = { name: one.name, held: [] };
    const document = createPolledDocument({
      kind: 'crl',
      name: one.name,
      everyMs: one.file === null ? one.refreshSeconds * 1000 : FILE_EVERY_MS,
      load: loaderOf(one, readFile, httpFetch),
      accept: async (bytes) => take(source, await readRevocationList(bytes)),
      clock,
      logger,
    });
    return { source, document };
  });

  function take(source: Source, list: RevocationList): void {
    const signer = signerOf(list, anchors());
    if (list.thisUpdate > clock.now() / 1000 + SKEW_SECONDS) throw new CountersignError('crl_invalid', { detail: 'thisUpdate lies ahead' });
    const verified = source.held.filter((held) => held.signer !== null);
    if (signer === null) {
      // it may count as soon as its signer is in a bundle
      source.held = [...verified, { list, signer }];
      throw new CountersignError('crl_untrusted');
    }
    const isOfSigner = (held: Held): boolean => held.signer !== null && isSameAuthority(held.signer, signer);
    const before = verified.find(isOfSigner);
    if (before !== undefined && list.thisUpdate < before.list.thisUpdate) throw new CountersignError('crl_outdated');
    if (before === undefined && verified.length === AUTHORITIES_MAX)
      throw new CountersignError('crl_invalid', { detail: 'of too many issuers' });
    source.held = [...verified.filter((held) => !isOfSigner(held)), { list, signer }];
  }

  return {
    stateOf(issuer, serial, nowSeconds) {
      let state: Revocation = 'unknown';
      for (const { source } of all) {
        for (const { list, signer } of source.held) {
          if (signer === null || !isSameAuthority(signer, issuer)) continue;
          if (list.serials.has(serial)) return 'revoked';
          if (nowSeconds <= list.nextUpdate) state = 'good';
          else if (state === 'unknown') state = 'stale';
        }
      }
      return state;
    },
    reverify() {
      for (const { source, document } of all) {
        source.held = source.held.map(({ list }) => ({ list, signer: signerOf(list, anchors()) }));
        document.retry();
      }
    },
    async start() {
      await Promise.all(all.map(({ document }) => document.start()));
    },
    stop() {
      for (const { document } of all) document.stop();
    },
    status: () => all.map(({ source, document }) => statusOf(source, document.lastError()?.code ?? null, clock.now() / 1000)),
  };
}

function loaderOf({ file, url, fetchTimeoutMs }: CrlSourceOptions, readFile: ReadDocumentFile, httpFetch: HttpFetch) {
  if (file !== null) return () => readFile(file, CRL_BYTES_MAX);
  if (url === null) throw new CountersignError('config_invalid', { field: 'identity.certificates.crl.sources' });
  return async (signal: AbortSignal): Promise<Buffer> => {
    const options = { timeoutMs: fetchTimeoutMs, bytesMax: CRL_BYTES_MAX, allowInsecureHttp: true, headers: ACCEPT, signal };
    return (await httpFetch(url, options)).bytes;
  };
}

/** RFC 5280 section 6.3.3 (f) and (g): the issuer by its name, that may sign lists, and whose key did. */
function signerOf(list: RevocationList, anchors: readonly Certificate[]): Certificate | null {
  return (
    anchors.find((one) => one.subjectName === list.issuerName && one.ca && one.keyUsage?.has('crl_sign') !== false && signed(list, one)) ??
    null
  );
}

function signed({ signatureAlgorithm, signed: bytes, signature }: RevocationList, { x509 }: Certificate): boolean {
  const hash = SIGNATURE_OIDS.get(signatureAlgorithm);
  if (hash === undefined) return false;
  try {
    const key = x509.publicKey;
    return isStrongKey(key) && verify(hash, bytes, key, signature);
  } catch {
    // a key of another kind than the signature
    return false;
  }
}

/** The same name and key: a CA may have several certificates (a renewed one, a cross-certificate), and its lists are about all that it issued. */
function isSameAuthority(one: Certificate, other: Certificate): boolean {
  return one === other || (one.subjectName === other.subjectName && one.x509.publicKey.equals(other.x509.publicKey));
}

/** Of several lists the one that is out of date first. */
function statusOf({ name, held }: Source, lastError: string | null, nowSeconds: number): CrlStatus {
  const known = held.filter(({ signer }) => signer !== null).map(({ list }) => list);
  const [oldest = null] = known.toSorted((one, other) => one.nextUpdate - other.nextUpdate);
  return {
    name,
    state: oldest === null ? 'never_loaded' : nowSeconds > oldest.nextUpdate ? 'stale' : 'ready',
    thisUpdate: oldest?.thisUpdate ?? null,
    nextUpdate: oldest?.nextUpdate ?? null,
    ageSeconds: oldest === null ? null : Math.max(0, Math.floor(nowSeconds - oldest.thisUpdate)),
    entries: known.reduce((sum, { serials }) => sum + serials.size, 0),
    lastError,
  };
}
