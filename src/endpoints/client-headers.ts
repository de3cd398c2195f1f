import type { Pep } from '../contract/pep.ts';
import type { RequestFlag } from '../contract/request.ts';
import { headerName } from './header-names.ts';

/** DESIGN 4: names, and values of one name, that a policy sees. */
export const HEADERS_MAX = 100;
export const HEADER_VALUES_MAX = 16;

const XFCC = 'x-forwarded-client-cert';

/** A client's headers, sorted. */
export type ReceivedHeaders = {
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly authorization: string[];
  readonly dpop: string[];
  readonly xfcc: string | null;
  readonly forwardedFor: string[];
  readonly hosts: string[];
  readonly contentType: string | null;
  readonly contentLength: string | null;
};

/**
 * Sorts a client's headers: credentials out, the chain of addresses and XFCC apart and only where the gateway is trusted, the rest
 * lower-cased and capped. Names that look like another one are flagged and never taken for it; a look-alike of a credential is dropped like it.
 */
export function receiveHeaders(raw: Iterable<readonly [string, string]>, pep: Pep, flags: RequestFlag[]): ReceivedHeaders {
  const headers = new Map<string, string[]>();
  const authorization: string[] = [];
  const dpop: string[] = [];
  const hosts: string[] = [];
  const chainLines: string[] = [];
  const xfccs: string[] = [];
  const chainHeader = pep.forwardedFor.header;
  let contentType: string | null = null;
  let contentLength: string | null = null;
  for (const [spelt, value] of raw) {
    const { name, hidden, lookAlike } = headerName(spelt);
    if (lookAlike) noteOnce(flags, 'header_underscore');
    if (name === chainHeader) chainLines.push(value);
    if (hidden) {
      if (name === 'authorization') authorization.push(value);
      else if (name === XFCC) xfccs.push(value);
      else if (name === 'dpop') dpop.push(value);
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
    dpop,
    xfcc: trustedXfcc(xfccs, pep, flags),
    forwardedFor: trustedChain(chainLines, pep, flags),
    hosts,
    contentType,
    contentLength,
  };
}

function trustedXfcc(lines: readonly string[], pep: Pep, flags: RequestFlag[]): string | null {
  if (lines.length === 0) return null;
  if (pep.trusts.has('client_certificate')) return lines.join(',');
  noteOnce(flags, 'untrusted_client_certificate');
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
