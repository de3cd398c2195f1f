import { isCertificateHeader, isCredentialHeader, plainHeaderName } from '../formats/credential-headers.ts';

/** What a header name is to us, judged once a name. */
export type HeaderName = {
  /** Lower case. */
  readonly name: string;
  /** Its values never reach an input: a credential, a voucher, one of ours, a pseudo-header, or a look-alike of these. */
  readonly hidden: boolean;
  /** Some servers would read it as another name: `_` or `.` for `-`, or characters that no header name has (RFC 9110 5.6.2). */
  readonly lookAlike: boolean;
  /** It, or what it looks like, is known to carry a client certificate. */
  readonly certificate: boolean;
  /** Lower case, `_` and `.` as dashes. */
  readonly plain: string;
  /** A token (RFC 9110 5.6.2), or a pseudo-header. */
  readonly valid: boolean;
};

/** Ours: the gateway's own token, and the headers that only Countersign may set upstream; a client's copy means nothing. */
const OWN_PREFIX = 'x-countersign-';
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Names are few in real traffic; the bounds are for traffic that is not. */
const ENTRIES_MAX = 2000;
const LENGTH_MAX = 64;
const known = new Map<string, HeaderName>();

/** Judges a name as it was spelt. Kept for names that were seen before, since a request has a dozen and they repeat. */
export function headerName(spelt: string): HeaderName {
  const before = known.get(spelt);
  if (before !== undefined) return before;
  const judged = judge(spelt.toLowerCase());
  if (known.size < ENTRIES_MAX && spelt.length <= LENGTH_MAX) known.set(spelt, judged);
  return judged;
}

function judge(name: string): HeaderName {
  if (name.startsWith(':'))
    return { name, plain: name, hidden: true, lookAlike: false, certificate: false, valid: TOKEN.test(name.slice(1)) };
  const isToken = TOKEN.test(name);
  const plain = plainHeaderName(name);
  const hidden = !isToken || plain === 'host' || plain.startsWith(OWN_PREFIX) || isCredentialHeader(plain);
  return { name, plain, hidden, lookAlike: !isToken || plain !== name, certificate: isCertificateHeader(plain), valid: isToken };
}
