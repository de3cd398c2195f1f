import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Finding } from '../contract/doctor.ts';
import { DAY_SECONDS, daysText, failed, fine, warning } from './finding.ts';

/** A file with certificates, by the key of the configuration that names it. */
export type CertificateFile = {
  readonly key: string;
  readonly file: string;
  /** Of the first certificate; null where only certificates are there. */
  readonly keyFile: string | null;
  /** One of several that is over is a matter of tidiness, and not of failure. */
  readonly bundle: boolean;
};

const CHECK = 'certificate';
const SOON_SECONDS = 30 * DAY_SECONDS;
const PEM = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** Judges the certificates of a file: whether they can be read, belong to their key, and how long they still hold. @param now unix seconds */
export function judgeCertificates(
  { key, keyFile, bundle }: CertificateFile,
  texts: { readonly pem: string; readonly keyPem: string | null },
  now: number,
): Finding {
  const read = (texts.pem.match(PEM) ?? []).map(parse);
  const certificates = read.filter((one) => one !== null);
  const [first] = certificates;
  if (first === undefined || certificates.length < read.length) {
    return failed(
      CHECK,
      key,
      'the file holds no certificate in PEM, or one that cannot be read',
      'put the certificate, then its intermediates, into the file, each between BEGIN and END CERTIFICATE',
    );
  }
  if (keyFile !== null && !fits(first, texts.keyPem ?? '')) {
    return failed(
      CHECK,
      key,
      'the private key cannot be read, or is not that of the first certificate',
      'put the certificate of the server first, and its own unencrypted key into the key file',
    );
  }
  const times = certificates.map((one) => ({ from: seconds(one.validFrom), until: seconds(one.validTo) }));
  const early = times.filter(({ from }) => from > now).length;
  const over = times.filter(({ until }) => until <= now).length;
  const ends = Math.min(...times.map(({ until }) => until).filter((until) => until > now)) - now;
  const renew = bundle ? 'take it out of the file, or replace it' : 'renew it: a running service reads its file again';
  if (early > 0 && !bundle) return failed(CHECK, key, 'a certificate is not valid yet', 'look at the clock of this machine, or wait');
  if (over > 0 && (!bundle || over === certificates.length)) return failed(CHECK, key, `${count(over)} over (expired)`, renew);
  if (over > 0) return warning(CHECK, key, `${count(over)} over (expired), of ${certificates.length}`, renew);
  if (ends < SOON_SECONDS) return warning(CHECK, key, `a certificate ends in ${daysText(ends)}`, renew);
  return fine(
    CHECK,
    key,
    `${certificates.length === 1 ? '1 certificate' : `${certificates.length} certificates`}, the first to end in ${daysText(ends)}`,
  );
}

/** A file that is named and cannot be read. */
export function unreadableCertificate({ key }: CertificateFile): Finding {
  return failed(
    CHECK,
    key,
    'the file, or that of its key, is not there or may not be read',
    'name a file that the user of the service may read',
  );
}

function count(number: number): string {
  return number === 1 ? '1 certificate is' : `${number} certificates are`;
}

function parse(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    // that it cannot be read is the finding
    return null;
  }
}

function fits(certificate: X509Certificate, keyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    // a key that cannot be read fits nothing; its text goes nowhere
    return false;
  }
}

function seconds(time: string): number {
  return Date.parse(time) / 1000;
}
