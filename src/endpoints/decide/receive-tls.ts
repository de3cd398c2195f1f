import type { Pep } from '../../contract/pep.ts';
import type { CertificateOffer, RequestFlag, TlsFacts } from '../../contract/request.ts';
import { noteOnce } from '../client-headers.ts';
import type { DecideBody } from './schema.ts';

const NO_TLS: TlsFacts = { sni: null, version: null, ja3: null, ja4: null };
/** An MD5 in hex. */
const JA3 = /^[0-9a-f]{32}$/;
/** FoxIO JA4: transport, version, SNI, two counts, ALPN; then two truncated SHA-256. */
const JA4 = /^[tqd][0-9a-z]{2}[di][0-9]{4}[0-9a-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/;

/** Fingerprints only from a gateway that is trusted for them; one of the wrong shape is null and flagged. */
export function receiveTls(tls: DecideBody['tls'], pep: Pep, flags: RequestFlag[]): TlsFacts {
  if (tls === undefined) return NO_TLS;
  let ja3: string | null = null;
  let ja4: string | null = null;
  if (tls.ja3 !== undefined || tls.ja4 !== undefined) {
    if (pep.trusts.has('fingerprint')) {
      ja3 = shaped(tls.ja3, JA3, flags);
      ja4 = shaped(tls.ja4, JA4, flags);
    } else {
      flags.push('untrusted_fingerprint');
    }
  }
  return { sni: tls.sni?.toLowerCase() ?? null, version: tls.version ?? null, ja3, ja4 };
}

function shaped(value: string | undefined, shape: RegExp, flags: RequestFlag[]): string | null {
  if (value === undefined) return null;
  const lower = value.toLowerCase();
  if (shape.test(lower)) return lower;
  if (!flags.includes('fingerprint_invalid')) flags.push('fingerprint_invalid');
  return null;
}

/**
 * What the body and the gateway's header offer, in this order; only from a gateway that is trusted for it. Beside a PEM its fields say nothing. The
 * headers of a question are the client's, as the gateway received them: a certificate in them is the client's own word unless the gateway
 * stands behind proxies of its own (`forwarded`).
 */
export function receiveCertificates(
  certificate: DecideBody['certificate'],
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

function offerOf(certificate: NonNullable<DecideBody['certificate']>): CertificateOffer {
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
