import type { AssuranceLevel } from '../contract/identity.ts';
import type { CertificateValue } from '../contract/signals.ts';
import type { SignatureValue } from '../contract/signature.ts';
import { isValidAt } from './certificate.ts';
import { type ClientAgreement, type Evidence, isVerified } from './subject.ts';

/**
 * How strongly the caller is identified (DESIGN 1): 2 a token that was verified here, 3 the same with a client certificate of a known hash that
 * is valid now and does not name somebody else, 4 a token whose binding to a key or to such a certificate was proven, else 0: what only the
 * gateway says does not count.
 */
export function assuranceOf(
  { token, certificate, binding, signature }: Evidence,
  agreement: ClientAgreement,
  nowSeconds: number,
): AssuranceLevel {
  if (!isVerified(token)) return signature === null || agreement === 'conflict' ? 0 : levelOfSignature(signature);
  if (agreement === 'conflict') return 2;
  const certified = certificate !== null && isUsable(certificate, nowSeconds);
  if (binding?.proven === true && (binding.method === 'dpop' || certified)) return 4;
  // two kinds of evidence, each verified here, that name the same client
  return certified || (signature !== null && signature.clientId !== null && agreement === 'agreed') ? 3 : 2;
}

/**
 * A signature by itself: 2 by a key that the configuration gives to a client, 1 by another key or agent that it names, else 0: whoever has a
 * domain can publish a key.
 */
function levelOfSignature({ clientId, keySet, agentListed }: SignatureValue): AssuranceLevel {
  if (clientId !== null) return 2;
  return keySet !== null || agentListed ? 1 : 0;
}

function isUsable(certificate: CertificateValue, nowSeconds: number): boolean {
  return certificate.sha256 !== null && isValidAt(certificate, nowSeconds);
}

/** What counts as evidence, in a fixed order; a certificate that is not valid now is none. */
export function methodsOf(
  { token, certificate, txnToken, signature }: Evidence,
  bindingMethods: readonly string[],
  nowSeconds: number,
): readonly string[] {
  const methods: string[] = [];
  if (isVerified(token)) methods.push('token');
  if (certificate !== null && isValidAt(certificate, nowSeconds)) methods.push('certificate');
  for (const method of bindingMethods) methods.push(method);
  if (signature !== null) methods.push('signature');
  if (txnToken !== null) methods.push('txn_token');
  if (token?.verifiedBy === 'pep') methods.push('asserted_claims');
  return methods;
}
