import type { JsonValue } from '../contract/json.ts';
import type { DecisionRequest } from '../contract/request.ts';
import type { BindingValue, CertificateValue } from '../contract/signals.ts';
import type { SignatureValue } from '../contract/signature.ts';

/* Parts of `input.ts`: what Rego reads of the proofs that came beside the token. */

/** The request's own time in whole unix seconds: the only clock of a policy. */
export function secondOf({ receivedAtMs }: DecisionRequest): number {
  return Math.floor(receivedAtMs / 1000);
}

export const CERTIFICATE: Record<string, (certificate: CertificateValue, facts: { readonly request: DecisionRequest }) => JsonValue> = {
  sha256: (certificate) => certificate.sha256,
  subject: (certificate) => certificate.subject,
  issuer: (certificate) => certificate.issuer,
  serial: (certificate) => certificate.serial,
  uris: (certificate) => certificate.uris,
  dns: (certificate) => certificate.dns,
  spiffe_id: (certificate) => certificate.spiffeId,
  svid: (certificate) => certificate.svid,
  not_before: (certificate) => certificate.notBefore,
  not_after: (certificate) => certificate.notAfter,
  days_left: ({ notAfter }, facts) => (notAfter === null ? null : Math.floor((notAfter - secondOf(facts.request)) / 86400)),
  key_usage: (certificate) => certificate.keyUsage,
  chain: (certificate) => certificate.chain,
  trust_bundle: (certificate) => certificate.trustBundle,
  revocation: (certificate) => certificate.revocation,
};

export const BINDING: Record<string, (binding: BindingValue) => JsonValue> = {
  method: (binding) => binding.method,
  thumbprint: (binding) => binding.thumbprint,
  proven: (binding) => binding.proven,
  issued_at: (binding) => binding.issuedAt,
  nonce: (binding) => binding.nonce,
};

export const SIGNATURE: Record<string, (signature: SignatureValue) => JsonValue> = {
  profile: (signature) => signature.profile,
  key_set: (signature) => signature.keySet,
  label: (signature) => signature.label,
  key_id: (signature) => signature.keyId,
  agent: (signature) => signature.agent,
  agent_listed: (signature) => signature.agentListed,
  tag: (signature) => signature.tag,
  algorithm: (signature) => signature.algorithm,
  created_at: (signature) => signature.createdAt,
  expires_at: (signature) => signature.expiresAt,
  covered: (signature) => signature.covered,
  nonce: (signature) => signature.nonce,
  digest: (signature) => signature.digest,
  client_id: (signature) => signature.clientId,
};
