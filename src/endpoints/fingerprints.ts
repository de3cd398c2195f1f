import type { Pep } from '../contract/pep.ts';
import type { RequestFlag } from '../contract/request.ts';

/** An MD5 in hex. */
const JA3 = /^[0-9a-f]{32}$/;
/** FoxIO JA4: transport, version, SNI, two counts, ALPN; then two truncated SHA-256. */
const JA4 = /^[tqd][0-9a-z]{2}[di][0-9]{4}[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/;

/** What was offered, before anybody has looked at it: null for nothing; several lines of one header are one text that has no right shape. */
export type FingerprintOffer = { readonly ja3: string | null; readonly ja4: string | null };
/** Fingerprints of the client's TLS connection, lower case. */
export type Fingerprints = { readonly ja3: string | null; readonly ja4: string | null };

const NONE: Fingerprints = { ja3: null, ja4: null };

/** Fingerprints only from a gateway that is trusted for them; one of the wrong shape is null and flagged. */
export function receiveFingerprints({ ja3, ja4 }: FingerprintOffer, pep: Pep, flags: RequestFlag[]): Fingerprints {
  if (ja3 === null && ja4 === null) return NONE;
  if (!pep.trusts.has('fingerprint')) {
    if (!flags.includes('untrusted_fingerprint')) flags.push('untrusted_fingerprint');
    return NONE;
  }
  return { ja3: shaped(ja3, JA3, flags), ja4: shaped(ja4, JA4, flags) };
}

function shaped(value: string | null, shape: RegExp, flags: RequestFlag[]): string | null {
  if (value === null) return null;
  const lower = value.length > 64 ? '' : value.toLowerCase();
  if (shape.test(lower)) return lower;
  if (!flags.includes('fingerprint_invalid')) flags.push('fingerprint_invalid');
  return null;
}
