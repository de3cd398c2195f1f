import type { Registry } from '../contract/registry.ts';
import type { CertificateCode, CertificateValue, TokenCode, TokenValue } from '../contract/signals.ts';
import type { Certificate } from './certificate.ts';
import type { CertificateSignal } from './certificate-offers.ts';
import type { SignatureSignal } from './signature/outcome.ts';
import { type ClientMap, clientOfToken } from './subject.ts';
import { invalid, type TokenOutcome, unavailable } from './token-outcome.ts';
import { otherSha256Of } from './trust/other-signature.ts';

const SIGNATURE_UNAVAILABLE: SignatureSignal = { status: 'unavailable', code: 'registry_unavailable' };
const SIGNATURE_REVOKED: SignatureSignal = { status: 'invalid', code: 'client_revoked' };
const UNAVAILABLE: CertificateSignal = { status: 'unavailable', code: 'registry_unavailable' };
const refusedCertificate = (code: CertificateCode): CertificateSignal => ({ status: 'invalid', code });
const DENIED = refusedCertificate('certificate_denied');
const CLIENT_REVOKED = refusedCertificate('client_revoked');

/** What is left of the evidence once the revocations were looked at: at each request, wherever the evidence came from. */
export interface RevocationJudge {
  token(outcome: TokenOutcome): TokenOutcome;
  certificate(signal: CertificateSignal, certificate: Certificate | null): CertificateSignal;
  signature(signal: SignatureSignal): SignatureSignal;
}

/**
 * Holds evidence that was found good against the revocations. What is not present has its own code and keeps it. While the registry
 * was never loaded nothing counts, since anything could be revoked.
 */
export function createRevocationJudge(registry: Registry, clients: ClientMap): RevocationJudge {
  function codeOf(token: TokenValue): TokenCode | null {
    const { revocations } = registry;
    const { issuer, jtiHash, claims, issuedAt, subject } = token;
    const client = clientOfToken(token, clients);
    if (client !== null && revocations.client(client)) return 'client_revoked';
    if (jtiHash !== null && revocations.token(jtiHash, issuer)) return 'token_revoked';
    const sid = claims['sid'];
    if (typeof sid === 'string' && revocations.session(sid, issuer)) return 'session_revoked';
    const before = revocations.issuedBefore(issuer, client, subject);
    // a token that does not say when it was issued could be of before
    return before !== null && (issuedAt === null || issuedAt < before) ? 'token_issued_before' : null;
  }

  function judgeCertificate(value: CertificateValue, certificate: Certificate | null): CertificateSignal | null {
    const { revocations } = registry;
    if (revocations.certificate(value)) return DENIED;
    // the holder of a certificate can show it with another signature of its issuer that is as good, and so by another hash
    const others = certificate === null ? [] : otherSha256Of(certificate);
    if (others.some((sha256) => revocations.certificate({ sha256, serial: null }))) return DENIED;
    const client = value.spiffeId === null ? undefined : clients.get(value.spiffeId);
    return client !== undefined && revocations.client(client) ? CLIENT_REVOKED : null;
  }

  return {
    token(outcome) {
      if (outcome.signal.status !== 'present') return outcome;
      if (!registry.available) return unavailable('registry_unavailable');
      if (registry.revocations.entries === 0) return outcome;
      const code = codeOf(outcome.signal.value);
      return code === null ? outcome : invalid(code);
    },
    certificate(signal, certificate) {
      if (signal.status !== 'present') return signal;
      if (!registry.available) return UNAVAILABLE;
      return registry.revocations.entries === 0 ? signal : (judgeCertificate(signal.value, certificate) ?? signal);
    },
    signature(signal) {
      if (signal.status !== 'present' || signal.value.clientId === null) return signal;
      if (!registry.available) return SIGNATURE_UNAVAILABLE;
      return registry.revocations.client(signal.value.clientId) ? SIGNATURE_REVOKED : signal;
    },
  };
}
