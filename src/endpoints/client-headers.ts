import type { Pep } from '../contract/pep.ts';
import type { RequestFlag } from '../contract/request.ts';

/** DESIGN 4: names, and values of one name, that a policy sees. */
export const HEADERS_MAX = 100;
export const HEADER_VALUES_MAX = 16;

/** Headers that carry a secret or a voucher. They reach identify by their own way, or nobody: never the input, never a log. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-forwarded-client-cert',
  'client-cert',
  'client-cert-chain',
  'x-client-cert',
  'x-ssl-client-cert',
  'ssl-client-cert',
  'dpop',
  'txn-token',
  'workload-identity-token',
  'workload-proof-token',
  'x-api-key',
  'api-key',
  'apikey',
  'x-auth-token',
  'x-access-token',
  'x-amz-security-token',
]);

/** Ours: the gateway's own token, and the headers that only Countersign may set upstream; a client's copy means nothing. */
const OWN_PREFIX = 'x-countersign-';

const XFCC = 'x-forwarded-client-cert';
const LOOK_ALIKE = /[_.]/;
const LOOK_ALIKES = /[_.]/g;
const SPECIAL_NAMES: ReadonlySet<string> = new Set([...CREDENTIAL_HEADERS, 'host', 'content-type', 'content-length']);

export type ReceivedHeaders = {
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly authorization: string[];
  readonly xfcc: string | null;
  readonly forwardedFor: string[];
  readonly hosts: string[];
  readonly contentType: string | null;
  readonly contentLength: string | null;
};

/**
 * Sorts a client's headers: credentials out, the chain of addresses and XFCC apart and only where the gateway is trusted, the rest
 * lower-cased and capped. Names with `_` or `.` are flagged and never taken for the name they look like (some servers join both
 * spellings); a look-alike of a credential is dropped like it.
 */
export function receiveHeaders(raw: Iterable<readonly [string, string]>, pep: Pep, flags: RequestFlag[]): ReceivedHeaders {
  const headers = new Map<string, string[]>();
  const authorization: string[] = [];
  const hosts: string[] = [];
  const chainLines: string[] = [];
  const xfccs: string[] = [];
  const chainHeader = pep.forwardedFor.header;
  let contentType: string | null = null;
  let contentLength: string | null = null;
  for (const [anyCase, value] of raw) {
    const name = anyCase.toLowerCase();
    if (name.charCodeAt(0) === 58 || name === '') continue;
    let plain = name;
    if (LOOK_ALIKE.test(name)) {
      noteOnce(flags, 'header_underscore');
      plain = name.replace(LOOK_ALIKES, '-');
    }
    if (name === chainHeader) chainLines.push(value);
    if (plain.startsWith(OWN_PREFIX)) continue;
    if (SPECIAL_NAMES.has(plain)) {
      if (name === 'authorization') authorization.push(value);
      else if (name === XFCC) xfccs.push(value);
      else if (name === 'host') hosts.push(value);
      else if (name === 'content-type') contentType ??= value;
      else if (name === 'content-length') contentLength ??= value;
      if (plain === 'host' || CREDENTIAL_HEADERS.has(plain)) continue;
    }
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
