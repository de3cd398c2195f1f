import type { AssuranceLevel } from '../contract/identity.ts';
import type { CertificateValue } from '../contract/signals.ts';
import type { ClientAgreement, Evidence } from './subject.ts';

/**
 * How strongly the caller is identified (DESIGN 1): 2 a token that was verified here, 3 the same with a client certificate of a known hash that
 * is valid now and does not name somebody else, else 0: what only the gateway says does not count. Levels 1 and 4 need evidence that is not read yet.
 */
export function assuranceOf({ token, certificate }: Evidence, agreement: ClientAgreement, nowSeconds: number): AssuranceLevel {
  if (token?.verifiedBy !== 'countersign') return 0;
  return certificate !== null && agreement !== 'conflict' && isUsable(certificate, nowSeconds) ? 3 : 2;
}

/** Times that the gateway did not hand on were its own to judge. */
function isUsable({ sha256, notBefore, notAfter }: CertificateValue, nowSeconds: number): boolean {
  return sha256 !== null && (notBefore === null || notBefore <= nowSeconds) && (notAfter === null || nowSeconds <= notAfter);
}

/** What counts as evidence, in a fixed order. */
export function methodsOf({ token, certificate }: Evidence): readonly string[] {
  const methods: string[] = [];
  if (token?.verifiedBy === 'countersign') methods.push('token');
  if (certificate !== null) methods.push('certificate');
  if (token?.verifiedBy === 'pep') methods.push('asserted_claims');
  return methods;
}
