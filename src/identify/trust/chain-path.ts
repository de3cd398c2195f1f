import { type Certificate, isSpiffe } from '../certificate.ts';
import { isStrongKey, isStrongSignature } from './signature-oids.ts';

/** Issuers between the leaf and its trust anchor. */
export const INTERMEDIATES_MAX = 6;
/** Signatures that are checked for one leaf, whatever the bundles: twice as many as the longest path has. */
const CHECKS_MAX = 16;
/** Extended key usage (RFC 5280 section 4.2.1.12) in hex: 1.3.6.1.5.5.7.3.2 and 2.5.29.37.0. */
const CLIENT_AUTH = '2b06010505070302';
const ANY_PURPOSE = '551d2500';

export type PathQuestion = {
  readonly leaf: Certificate;
  /** As they were handed on: whoever sent them may have chosen them. */
  readonly intermediates: readonly Certificate[];
  /** The trust domain that every issuer with a SPIFFE id must be of; null where the leaf has none. */
  readonly trustDomain: string | null;
};

/**
 * The issuers from the leaf's own to one of `anchors`, or null.
 * @param nowSeconds unix seconds at which every issuer must be valid; null where times do not count.
 */
export type FindIssuers = (anchors: readonly Certificate[], nowSeconds: number | null) => readonly Certificate[] | null;

/**
 * Searches paths for one leaf (RFC 5280 section 6.1): name chaining, signature, basic constraints with their path length, key usage, purposes,
 * validity. What constrains in a way that is not processed here (name constraints, unknown critical extensions) leads nowhere. All searches together are
 * bounded in the signatures they check, none of which is checked twice; the same question has the same answer.
 */
export function createPathSearch({ leaf, intermediates, trustDomain }: PathQuestion): FindIssuers {
  const checked = new Map<Certificate, Map<Certificate, boolean>>();
  let checksLeft = CHECKS_MAX;

  function isSigned(subject: Certificate, issuer: Certificate): boolean {
    const known = checked.get(subject) ?? new Map<Certificate, boolean>();
    const before = known.get(issuer);
    if (before !== undefined) return before;
    if (checksLeft === 0) return false;
    checksLeft--;
    const signed = isSignedBy(subject, issuer);
    checked.set(subject, known.set(issuer, signed));
    return signed;
  }

  return (anchors, nowSeconds) => {
    function extend(subject: Certificate, above: readonly Certificate[], below: number): readonly Certificate[] | null {
      const anchor = anchors.find((one) => issued(one, subject, below));
      if (anchor !== undefined) return [...above, anchor];
      if (above.length === INTERMEDIATES_MAX) return null;
      for (const one of intermediates) {
        if (above.includes(one) || !issued(one, subject, below)) continue;
        // RFC 5280 section 6.1.4 (l): a certificate that a CA made for itself does not count
        const found = extend(one, [...above, one], one.subjectName === one.issuerName ? below : below + 1);
        if (found !== null) return found;
      }
      return null;
    }

    function issued(issuer: Certificate, subject: Certificate, below: number): boolean {
      if (issuer.subjectName !== subject.issuerName || !mayIssue(issuer, below) || !isOf(issuer, trustDomain)) return false;
      if (nowSeconds !== null && (nowSeconds < issuer.notBefore || nowSeconds > issuer.notAfter)) return false;
      return isSigned(subject, issuer);
    }

    return leaf.constrained || !hasStrongKey(leaf) ? null : extend(leaf, [], 0);
  };
}

/** A leaf that may prove itself to a server: no CA, may sign, and its purposes, where it has any, hold TLS client authentication. */
export function isForClients({ ca, keyUsage, purposes }: Certificate): boolean {
  return !ca && keyUsage?.has('digital_signature') !== false && allowClients(purposes);
}

/** As OpenSSL and others read it, the purposes of a CA bound those of what it issues. */
function allowClients(purposes: ReadonlySet<string> | null): boolean {
  return purposes === null || purposes.has(CLIENT_AUTH) || purposes.has(ANY_PURPOSE);
}

function mayIssue({ ca, pathLength, keyUsage, purposes, constrained }: Certificate, below: number): boolean {
  if (!ca || constrained || keyUsage?.has('key_cert_sign') === false) return false;
  return (pathLength === null || pathLength >= below) && allowClients(purposes);
}

/** X509-SVID section 4.2 and 5.1: a signing certificate's SPIFFE id, where it has one, is the trust domain's own. */
function isOf({ uris }: Certificate, trustDomain: string | null): boolean {
  return trustDomain === null || uris.every((uri) => !isSpiffe(uri) || uri === `spiffe://${trustDomain}`);
}

/** Whether the signature holds, by an algorithm and a key that count. */
export function isSignedBy(subject: Certificate, issuer: Certificate): boolean {
  if (!isStrongSignature(subject) || !hasStrongKey(issuer)) return false;
  try {
    return subject.x509.verify(issuer.x509.publicKey);
  } catch {
    // a key of another kind than the signature
    return false;
  }
}

function hasStrongKey({ x509 }: Certificate): boolean {
  try {
    return isStrongKey(x509.publicKey);
  } catch {
    // a key of a kind that OpenSSL does not know
    return false;
  }
}
