import type { Pep } from '../contract/pep.ts';
import type { CertificateOffer, RequestFlag, TlsFacts } from '../contract/request.ts';
import { noteOnce } from './client-headers.ts';
import { type FingerprintOffer, receiveFingerprints } from './fingerprints.ts';
import type { EvidenceBody } from './question-schema.ts';

const NO_TLS: TlsFacts = { sni: null, version: null, ja3: null, ja4: null };

/**
 * Facts of the client's TLS connection. A fingerprint in the headers is the client's own word, unless the gateway stands behind proxies of
 * its own that set it (`forwarded`); what the body says goes before it.
 */
export function receiveTls(tls: EvidenceBody['tls'], header: FingerprintOffer | null, pep: Pep, flags: RequestFlag[]): TlsFacts {
  if (tls === undefined && header === null) return NO_TLS;
  const { sni, version, ja3 = null, ja4 = null } = tls ?? {};
  const { ja3: headerJa3, ja4: headerJa4 } = header ?? NO_TLS;
  const ofHeader = headerJa3 !== null || headerJa4 !== null;
  const believed = ofHeader && pep.trusts.has('forwarded');
  if (ofHeader && !believed) noteOnce(flags, 'untrusted_fingerprint');
  const offer = believed ? { ja3: ja3 ?? headerJa3, ja4: ja4 ?? headerJa4 } : { ja3, ja4 };
  return { sni: sni?.toLowerCase() ?? null, version: version ?? null, ...receiveFingerprints(offer, pep, flags) };
}

/**
 * What the body and the gateway's header offer, in this order; only from a gateway that is trusted for it. Beside a PEM its fields say nothing. The
 * headers of a question are the client's, as the gateway received them: a certificate in them is the client's own word unless the gateway
 * stands behind proxies of its own (`forwarded`).
 */
export function receiveCertificates(
  certificate: EvidenceBody['certificate'],
  header: CertificateOffer | null,
  pep: Pep,
  flags: RequestFlag[],
): readonly CertificateOffer[] {
  const offers: CertificateOffer[] = [];
  if (certificate !== undefined) {
    if (pep.trusts.has('client_certificate')) offers.push(offerOf(certificate));
    else noteOnce(flags, 'untrusted_client_certificate');
  }
  if (header !== null) {
    if (pep.trusts.has('forwarded')) offers.push(header);
    else noteOnce(flags, 'untrusted_client_certificate');
  }
  return offers;
}

function offerOf(certificate: NonNullable<EvidenceBody['certificate']>): CertificateOffer {
  if (certificate.pem !== undefined) return { form: 'pem', from: 'decide', pem: certificate.pem };
  return {
    form: 'fields',
    sha256: certificate.sha256?.replaceAll(':', '').toLowerCase() ?? null,
    subject: certificate.subject ?? null,
    issuer: certificate.issuer ?? null,
    serial: certificate.serial ?? null,
    uris: certificate.uris ?? [],
    dns: certificate.dns ?? [],
    notAfter: certificate.not_after ?? null,
  };
}
