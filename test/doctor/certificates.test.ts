import { describe, expect, it } from 'vitest';
import { type CertificateFile, judgeCertificates, unreadableCertificate } from '../../src/doctor/certificates.ts';
import { createAuthority } from '../support/certificates.ts';

const NOW = Date.now() / 1000;
const authority = createAuthority();
const client = (from: number, until: number) => authority.client({ commonName: 'pdp', uris: [], validDays: [from, until] });
const FILE: CertificateFile = { key: 'http.tls.certFile', file: '/nowhere', keyFile: '/nowhere.key', bundle: false };
const BUNDLE: CertificateFile = { ...FILE, keyFile: null, bundle: true };
const good = client(-1, 90);

function judge(file: CertificateFile, ...certificates: readonly { readonly pem: string; readonly keyPem: string }[]) {
  return judgeCertificates(file, { pem: certificates.map(({ pem }) => pem).join('\n'), keyPem: certificates[0]?.keyPem ?? null }, NOW);
}

describe('the certificate of a listener', () => {
  it.each([
    ['holds for long', client(-1, 90), 'ok', /^1 certificate, the first to end in (89|90) days$/],
    ['ends soon', client(-1, 10), 'warning', /ends in (9|10) days/],
    ['ends today', client(-1, 0.5), 'warning', /ends in less than a day/],
    ['is over', client(-90, -1), 'failed', /expired/],
    ['does not hold yet', client(2, 90), 'failed', /not valid yet/],
  ])('%s', (_name, made, status, message) => {
    const finding = judge(FILE, made);
    expect(finding).toMatchObject({ check: 'certificate', subject: 'http.tls.certFile', status });
    expect(finding.message).toMatch(message);
    expect(finding.remedy === null).toBe(status === 'ok');
  });

  it('is that of the key', () => {
    expect(judgeCertificates(FILE, { pem: good.pem, keyPem: client(-1, 90).keyPem }, NOW)).toMatchObject({ status: 'failed' });
    expect(judgeCertificates(FILE, { pem: good.pem, keyPem: 'no key' }, NOW)).toMatchObject({ status: 'failed' });
    expect(judge(FILE, good, { ...authority })).toMatchObject({ status: 'ok' });
  });

  it.each([
    ['no PEM', 'nothing'],
    ['a PEM that holds no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
  ])('is refused: %s', (_name, pem) => {
    expect(judgeCertificates(FILE, { pem, keyPem: good.keyPem }, NOW)).toMatchObject({ status: 'failed' });
    expect(judgeCertificates(FILE, { pem: `${good.pem}\n${pem === 'nothing' ? '' : pem}`, keyPem: good.keyPem }, NOW).status).toBe(
      pem === 'nothing' ? 'ok' : 'failed',
    );
  });

  it('cannot be read', () => expect(unreadableCertificate(FILE)).toMatchObject({ status: 'failed', subject: 'http.tls.certFile' }));
});

it('of several authorities one may be over, and not all', () => {
  expect(judge(BUNDLE, good, client(-90, -1))).toMatchObject({ status: 'warning', message: '1 certificate is over (expired), of 2' });
  expect(judge(BUNDLE, client(-90, -2), client(-90, -1))).toMatchObject({ status: 'failed', message: '2 certificates are over (expired)' });
});
