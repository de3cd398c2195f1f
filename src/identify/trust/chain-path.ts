import { type Certificate, isSpiffe } from '../certificate.ts';
import { isStrongKey, RSA_PSS, SIGNATURE_OIDS } from './signature-oids.ts';

/** Issuers between the leaf and its trust anchor. */
export const INTERMEDIATES_MAX = 6;
/** Signatures that one search may check. */
const CHECKS_MAX = 64;

export type PathQuestion = {
  readonly leaf: Certificate;
  /** As they were handed on: whoever sent them may have chosen them. */
  readonly intermediates: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  /** The trust domain that every issuer with a SPIFFE id must be of; null where the leaf has none. */
  readonly trustDomain: string | null;
  /** Unix seconds at which every issuer must be valid; null where times do not count. */
  readonly nowSeconds: number | null;
};

/**
 * The issuers from the leaf's own to a trust anchor (RFC 5280 section 6.1), or null: name chaining, signature, basic constraints with their path
 * length, key usage, validity. What constrains in a way that is not processed here (name constraints, unknown critical extensions) leads nowhere.
 * The search is bounded in depth and in the signatures it checks, and answers the same for the same question.
 */
export function findIssuers({ leaf, intermediates, anchors, trustDomain, nowSeconds }: PathQuestion): readonly Certificate[] | null {
  let checksLeft = CHECKS_MAX;

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
    if (checksLeft === 0) return false;
    checksLeft--;
    return isSignedBy(subject, issuer);
  }

  return leaf.constrained ? null : extend(leaf, [], 0);
}

function mayIssue({ ca, pathLength, keyUsage, constrained }: Certificate, below: number): boolean {
  return ca && !constrained && (pathLength === null || pathLength >= below) && keyUsage?.has('key_cert_sign') !== false;
}

/** X509-SVID section 4.2 and 5.1: a signing certificate's SPIFFE id, where it has one, is the trust domain's own. */
function isOf({ uris }: Certificate, trustDomain: string | null): boolean {
  return trustDomain === null || uris.every((uri) => !isSpiffe(uri) || uri === `spiffe://${trustDomain}`);
}

function isSignedBy(subject: Certificate, issuer: Certificate): boolean {
  const { signatureAlgorithm } = subject;
  if (!SIGNATURE_OIDS.has(signatureAlgorithm) && signatureAlgorithm !== RSA_PSS) return false;
  try {
    const key = issuer.x509.publicKey;
    return isStrongKey(key) && subject.x509.verify(key);
  } catch {
    // a key of a kind that OpenSSL does not know, or of another kind than the signature
    return false;
  }
}
