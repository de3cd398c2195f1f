import type { AssuranceLevel } from '../contract/identity.ts';
import type { CertificateValue } from '../contract/signals.ts';
import type { SignatureValue } from '../contract/signature.ts';
import { isValidAt } from './certificate.ts';
import { type ClientAgreement, type Evidence, isVerified } from './subject.ts';

/**
 * How strongly the caller is identified (DESIGN 1): 1 an API key, 2 a token that was verified here, 3 either with a client certificate of a known
 * hash that is valid now and does not name somebody else, 4 a token whose binding to a key or to such a certificate was proven, else 0: what
 * only the gateway says does not count.
 */
export function assuranceOf(
  { token, apiKey, certificate, binding, signature }: Evidence,
  agreement: ClientAgreement,
  nowSeconds: number,
): AssuranceLevel {
  const verified = isVerified(token);
  if (!verified && apiKey === null) return signature === null || agreement === 'conflict' ? 0 : levelOfSignature(signature);
  if (agreement === 'conflict') return verified ? 2 : 1;
  const certified = certificate !== null && isUsable(certificate, nowSeconds);
  if (verified && binding?.proven === true && (binding.method === 'dpop' || certified)) return 4;
  if (certified) return 3;
  const signed = signature !== null && signature.clientId !== null;
  // two kinds of evidence, each verified here, that name the same client
  if (verified) return signed && agreement === 'agreed' ? 3 : 2;
  return signed ? 2 : 1;
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
  { token, apiKey, certificate, txnToken, signature }: Evidence,
  bindingMethods: readonly string[],
  nowSeconds: number,
): readonly string[] {
  const methods: string[] = [];
  if (isVerified(token)) methods.push('token');
  if (apiKey !== null) methods.push('api_key');
  if (certificate !== null && isValidAt(certificate, nowSeconds)) methods.push('certificate');
  for (const method of bindingMethods) methods.push(method);
  if (signature !== null) methods.push('signature');
  if (txnToken !== null) methods.push('txn_token');
  if (token?.verifiedBy === 'pep') methods.push('asserted_claims');
  return methods;
}
