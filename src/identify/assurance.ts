import type { AssuranceLevel } from '../contract/identity.ts';
import type { CertificateValue } from '../contract/signals.ts';
import { isValidAt } from './certificate.ts';
import { type ClientAgreement, type Evidence, isVerified } from './subject.ts';

/**
 * How strongly the caller is identified (DESIGN 1): 1 an API key, 2 a token that was verified here, 3 either with a client certificate of a known
 * hash that is valid now and does not name somebody else, 4 a token whose binding to a key or to such a certificate was proven, else 0: what
 * only the gateway says does not count.
 */
export function assuranceOf(
  { token, apiKey, certificate, binding }: Evidence,
  agreement: ClientAgreement,
  nowSeconds: number,
): AssuranceLevel {
  const verified = isVerified(token);
  const alone = verified ? 2 : apiKey === null ? 0 : 1;
  if (alone === 0 || agreement === 'conflict') return alone;
  const certified = certificate !== null && isUsable(certificate, nowSeconds);
  if (verified && binding?.proven === true && (binding.method === 'dpop' || certified)) return 4;
  return certified ? 3 : alone;
}

function isUsable(certificate: CertificateValue, nowSeconds: number): boolean {
  return certificate.sha256 !== null && isValidAt(certificate, nowSeconds);
}

/** What counts as evidence, in a fixed order; a certificate that is not valid now is none. */
export function methodsOf(
  { token, apiKey, certificate, txnToken }: Evidence,
  bindingMethods: readonly string[],
  nowSeconds: number,
): readonly string[] {
  const methods: string[] = [];
  if (isVerified(token)) methods.push('token');
  if (apiKey !== null) methods.push('api_key');
  if (certificate !== null && isValidAt(certificate, nowSeconds)) methods.push('certificate');
  for (const method of bindingMethods) methods.push(method);
  if (txnToken !== null) methods.push('txn_token');
  if (token?.verifiedBy === 'pep') methods.push('asserted_claims');
  return methods;
}
