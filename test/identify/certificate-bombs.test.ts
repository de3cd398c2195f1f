import { describe, expect, test, vi } from 'vitest';
import type { CertificateOffer } from '../../src/contract/request.ts';
import { elementAt, extensionsOf } from '../../src/formats/der.ts';
import { createCertificateReader } from '../../src/identify/certificate-offers.ts';
import { readRevocationList } from '../../src/identify/trust/crl-der.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { createAuthority } from '../support/certificates.ts';
import { der, oid, sequence } from '../support/der-writer.ts';

/* Whoever connects writes the certificate, and whoever sits between writes the list: nothing in them may cost more than its bytes. */

const root = createAuthority();
const reader = createCertificateReader({ entriesMax: 10 }, createBoundedCache);
const code = (offer: CertificateOffer): string => {
  const { signal } = reader.read([offer]);
  return signal.status === 'present' ? 'present' : signal.code;
};
const numbered = (n: number): Buffer => sequence(oid([1, 2, 3, n]), der(0x04, []));
const list = (count: number): Buffer => sequence(...Array.from({ length: count }, (_, n) => numbered(n)));

describe('extensions are few', () => {
  test('in a certificate', () => {
    const extensions = (count: number) => Array.from({ length: count }, (_, n) => numbered(n));
    const of = (count: number) => root.client({ commonName: 'x', uris: ['spiffe://td.example/x'], extensions: extensions(count) }).pem;
    expect(code({ form: 'pem', from: 'decide', pem: of(40) })).toBe('present');
    expect(code({ form: 'pem', from: 'decide', pem: of(100) })).toBe('certificate_malformed');
  });

  test('of any list: the rest of it is not looked at', () => {
    const long = list(100_000);
    const reads = vi.spyOn(long, 'readUInt8');
    expect(extensionsOf(long, elementAt(long, 0, long.length))).toBeNull();
    expect(reads.mock.calls.length).toBeLessThan(1000);
  });

  test('in a list of revoked certificates, whose signature is checked when it is read', async () => {
    await expect(readRevocationList(root.crl({ extensions: Array.from({ length: 100 }, (_, n) => numbered(n)) }))).rejects.toMatchObject({
      code: 'crl_invalid',
    });
  });
});

describe('names are few, since policies see all of them', () => {
  const uris = (count: number) => Array.from({ length: count }, (_, n) => `https://x.example/${n}`);

  test('in a certificate', () => {
    const of = (count: number) => root.client({ commonName: 'x', uris: uris(count) }).pem;
    expect(code({ form: 'pem', from: 'decide', pem: of(256) })).toBe('present');
    expect(code({ form: 'pem', from: 'decide', pem: of(257) })).toBe('certificate_malformed');
  });

  test('in an XFCC element', () => {
    const of = (count: number) => ({
      form: 'xfcc' as const,
      header: uris(count)
        .map((uri) => `URI=${uri}`)
        .join(';'),
    });
    expect(code(of(256))).toBe('present');
    expect(code(of(300))).toBe('certificate_malformed');
  });
});

test('a header is not taken for another one and its chain, whatever it holds', () => {
  const leaf = root.client({ commonName: 'x', uris: [] });
  const [header, chain] = [`:${leaf.der.toString('base64')}:`, `:${root.der.toString('base64')}:`];
  expect(code({ form: 'rfc9440', header: `${header}\n${chain}`, chain: null })).toBe('certificate_malformed');
  for (const [more, rest] of [
    [`${header}\n${chain}`, ''],
    [`${header}\n`, chain],
  ]) {
    expect(code({ form: 'rfc9440', header: more ?? '', chain: rest ?? null })).toBe('certificate_malformed');
  }
  expect(code({ form: 'rfc9440', header, chain })).toBe('present');
  // what the two could be confused by: the key of the one read by the other
  expect(code({ form: 'der_base64', header: leaf.der.toString('base64'), chain: '\n' })).toBe('certificate_malformed');
  expect(code({ form: 'der_base64', header: `${leaf.der.toString('base64')}\n`, chain: null })).toBe('certificate_malformed');
  expect(code({ form: 'der_base64', header: leaf.der.toString('base64'), chain: null })).toBe('present');
});
