import type { Pep } from '../contract/pep.ts';
import type { CertificateOffer, RequestFlag } from '../contract/request.ts';
import type { FingerprintOffer } from './fingerprints.ts';
import { headerName } from './header-names.ts';

/** DESIGN 4: names, and values of one name, that a policy sees. */
export const HEADERS_MAX = 100;
export const HEADER_VALUES_MAX = 16;

/** A client's headers, sorted. */
export type ReceivedHeaders = {
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly authorization: string[];
  /** Of the gateway's own header. */
  readonly certificate: CertificateOffer | null;
  readonly apiKeys: string[];
  readonly dpop: string[];
  /** Of the gateway's own headers. */
  readonly fingerprints: FingerprintOffer;
  readonly txnToken: string[];
  readonly signature: string[];
  readonly forwardedFor: string[];
  readonly hosts: string[];
  readonly contentType: string | null;
  readonly contentLength: string | null;
};

/**
 * Sorts a client's headers: credentials out, the chain of addresses and the certificate apart and only where the gateway is trusted, the rest
 * lower-cased and capped. Names that look like another one are flagged and never taken for it; a look-alike of a credential is dropped like it.
 */
export function receiveHeaders(raw: Iterable<readonly [string, string]>, pep: Pep, flags: RequestFlag[]): ReceivedHeaders {
  const headers = new Map<string, string[]>();
  const authorization: string[] = [];
  const apiKeys: string[] = [];
  const dpop: string[] = [];
  const txnToken: string[] = [];
  const signature: string[] = [];
  const hosts: string[] = [];
  const chainLines: string[] = [];
  const certificateLines: string[] = [];
  const issuerLines: string[] = [];
  const chainHeader = pep.forwardedFor.header;
  const certificateHeader = pep.certificateHeader?.name;
  const issuerHeader = pep.certificateHeader?.chainName;
  const { ja3: ja3Header = null, ja4: ja4Header = null } = pep.fingerprintHeaders ?? {};
  let ja3: string | null = null;
  let ja4: string | null = null;
  let contentType: string | null = null;
  let contentLength: string | null = null;
  for (const [spelt, value] of raw) {
    const { name, plain, hidden, lookAlike, certificate } = headerName(spelt);
    if (lookAlike) noteOnce(flags, 'header_underscore');
    if (name === chainHeader) chainLines.push(value);
    if (plain === certificateHeader || plain === issuerHeader) {
      // a look-alike is dropped and never counts
      if (name === certificateHeader) certificateLines.push(value);
      else if (name === issuerHeader) issuerLines.push(value);
      continue;
    }
    if (plain === ja3Header || plain === ja4Header) {
      // a second line has no right shape together with the first: one of them is the client's
      if (name === ja3Header) ja3 = ja3 === null ? value : `${ja3},${value}`;
      else if (name === ja4Header) ja4 = ja4 === null ? value : `${ja4},${value}`;
      continue;
    }
    if (certificate) noteOnce(flags, 'untrusted_client_certificate');
    if (hidden) {
      if (name === 'authorization') authorization.push(value);
      else if (name === 'x-api-key') apiKeys.push(value);
      else if (name === 'dpop') dpop.push(value);
      else if (name === 'txn-token') txnToken.push(value);
      else if (name === 'signature') signature.push(value);
      else if (name === 'host') hosts.push(value);
      continue;
    }
    if (name === 'content-type') contentType ??= value;
    else if (name === 'content-length') contentLength ??= value;
    const values = headers.get(name);
    if (values === undefined) {
      if (headers.size < HEADERS_MAX) headers.set(name, [value]);
      else noteOnce(flags, 'headers_capped');
    } else if (values.length < HEADER_VALUES_MAX) {
      values.push(value);
    } else {
      noteOnce(flags, 'header_values_capped');
    }
  }
  return {
    headers,
    authorization,
    certificate: trustedCertificate(certificateLines, issuerLines, pep, flags),
    apiKeys,
    dpop,
    fingerprints: { ja3, ja4 },
    txnToken,
    signature,
    forwardedFor: trustedChain(chainLines, pep, flags),
    hosts,
    contentType,
    contentLength,
  };
}

/** Several lines are one list (RFC 9110 5.3): XFCC is one, and the others are not, so that a second line makes them malformed. */
function trustedCertificate(lines: readonly string[], issuers: readonly string[], pep: Pep, flags: RequestFlag[]): CertificateOffer | null {
  if (lines.length === 0 && issuers.length === 0) return null;
  if (!pep.trusts.has('client_certificate')) noteOnce(flags, 'untrusted_client_certificate');
  else if (pep.certificateHeader !== null && lines.length > 0) {
    const { form } = pep.certificateHeader;
    const header = lines.join(',');
    return form === 'xfcc' ? { form, header } : { form, header, chain: issuers.length === 0 ? null : issuers.join(',') };
  }
  return null;
}

/** Lines in order, each split at its commas (RFC 9110 5.3); entries are trimmed and kept even where they are empty: an entry that is nothing stops the walk. */
function trustedChain(lines: readonly string[], pep: Pep, flags: RequestFlag[]): string[] {
  if (lines.length === 0) return [];
  if (pep.trusts.has('client_address')) return lines.flatMap((line) => line.split(',').map((entry) => entry.trim()));
  noteOnce(flags, 'untrusted_client_address');
  return [];
}

/** Adds a flag that several headers may bring, once. */
export function noteOnce(flags: RequestFlag[], flag: RequestFlag): void {
  if (!flags.includes(flag)) flags.push(flag);
}
