import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CertificateHeader, Pep, Trust } from '../../src/contract/pep.ts';
import type { CertificateOffer } from '../../src/contract/request.ts';
import { receiveHttpFacts } from '../../src/endpoints/request-facts.ts';
import { createCertificateReader } from '../../src/identify/certificate-offers.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { createAuthority } from '../support/certificates.ts';

/* From the header as a gateway sends it to the signal: border and stage together. */

const root = createAuthority('Root');
const middle = root.intermediate('Middle');
const leaf = middle.client({ commonName: 'a', uris: ['spiffe://td.example/agent/a'] });
const SHA256 = createHash('sha256').update(leaf.der).digest('hex');
const base64 = (der: Buffer): string => der.toString('base64');

const RFC9440: CertificateHeader = { name: 'client-cert', form: 'rfc9440', chainName: 'client-cert-chain' };
const NGINX: CertificateHeader = { name: 'x-client-pem', form: 'pem_escaped', chainName: null };
const HAPROXY: CertificateHeader = { name: 'x-ssl-client-der', form: 'der_base64', chainName: 'x-ssl-client-chain' };
const ENVOY: CertificateHeader = { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null };

const reader = createCertificateReader({ entriesMax: 100 }, createBoundedCache);

function ask(headers: [string, string][], certificateHeader: CertificateHeader | null, trusts: Trust[] = ['client_certificate']) {
  const pep: Pep = {
    name: 'edge',
    trusts: new Set(trusts),
    policies: ['default'],
    certificateHeader,
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
  };
  const body = { bytes: null, truncated: false, size: null };
  return receiveHttpFacts({ method: 'GET', scheme: 'https', authority: 'a.example', target: '/', headers, body }, pep);
}

function read(...offers: (CertificateOffer | null)[]): string {
  const { signal, issuers } = reader.read(offers.filter((offer) => offer !== null));
  return signal.status === 'present' ? `${signal.value.sha256} ${issuers.length}` : `${signal.status} ${signal.code}`;
}

/** nginx encodes all but unreserved characters. */
const escaped = (pem: string): string => encodeURIComponent(pem).replaceAll("'", '%27');

describe('[asks 19] the same certificate', () => {
  test.each<[string, () => CertificateOffer | null, number]>([
    ['by the PEM of ext_authz or /decide', () => ({ form: 'pem', from: 'ext_authz', pem: leaf.pem }), 0],
    ['by the PEM with its chain', () => ({ form: 'pem', from: 'decide', pem: leaf.pem + middle.pem }), 1],
    ['by XFCC Cert', () => ask([[ENVOY.name, `Cert="${escaped(leaf.pem)}"`]], ENVOY).certificate, 0],
    ['by XFCC Chain', () => ask([[ENVOY.name, `Chain="${escaped(leaf.pem + middle.pem)}"`]], ENVOY).certificate, 1],
    ['by both', () => ask([[ENVOY.name, `Cert="${escaped(leaf.pem)}";Chain="${escaped(leaf.pem + middle.pem)}"`]], ENVOY).certificate, 1],
    ['by XFCC Hash alone', () => ask([[ENVOY.name, `Hash=${SHA256}`]], ENVOY).certificate, 0],
    ['by Client-Cert', () => ask([['Client-Cert', `:${base64(leaf.der)}:`]], RFC9440).certificate, 0],
    [
      'by Client-Cert and Client-Cert-Chain',
      () =>
        ask(
          [
            ['Client-Cert-Chain', `:${base64(middle.der)}:`],
            ['Client-Cert', `:${base64(leaf.der)}:`],
            ['client-cert-chain', `:${base64(root.der)}:`],
          ],
          RFC9440,
        ).certificate,
      2,
    ],
    ["by nginx's escaped PEM", () => ask([[NGINX.name, escaped(leaf.pem)]], NGINX).certificate, 0],
    ["by HAProxy's base64", () => ask([[HAPROXY.name, base64(leaf.der)]], HAPROXY).certificate, 0],
    [
      "by HAProxy's base64 with its chain",
      () =>
        ask(
          [
            [HAPROXY.name, base64(leaf.der)],
            ['x-ssl-client-chain', base64(Buffer.concat([middle.der, root.der]))],
          ],
          HAPROXY,
        ).certificate,
      2,
    ],
  ])('%s has the same sha256', (_, offer, issuers) => {
    expect(read(offer())).toBe(`${SHA256} ${issuers}`);
  });

  test('by two ways at once is one certificate, and two certificates are a conflict', () => {
    const pem: CertificateOffer = { form: 'pem', from: 'ext_authz', pem: leaf.pem };
    const other = root.client({ commonName: 'b', uris: [] });
    expect(read(pem, ask([['client-cert', `:${base64(leaf.der)}:`]], RFC9440).certificate)).toBe(`${SHA256} 0`);
    expect(read(pem, ask([['client-cert', `:${base64(other.der)}:`]], RFC9440).certificate)).toBe('invalid certificate_conflict');
  });
});

describe('a header that is not the gateway’s own', () => {
  const value = `:${base64(leaf.der)}:`;

  test('[asks 19] of a gateway that is not trusted for it is ignored and flagged', () => {
    for (const header of [RFC9440, NGINX, HAPROXY, ENVOY]) {
      const { certificate, flags, http } = ask([[header.name, value]], header, []);
      expect(certificate).toBeNull();
      expect(flags).toEqual(['untrusted_client_certificate']);
      expect(http.headers.size).toBe(0);
    }
  });

  test.each([
    ['XFCC where Client-Cert is configured', ENVOY.name, RFC9440],
    ['Client-Cert where XFCC is', 'client-cert', ENVOY],
    ['XFCC where none is', ENVOY.name, null],
    ['x-client-cert where XFCC is', 'X-Client-Cert', ENVOY],
  ])('%s is ignored, flagged and kept from policies', (_, name, header) => {
    const { certificate, flags, http } = ask([[name, value]], header);
    expect(certificate).toBeNull();
    expect(flags).toEqual(['untrusted_client_certificate']);
    expect(http.headers.size).toBe(0);
  });

  test('[asks 15] look-alike spellings never count and are kept from policies, also of a name that only this gateway has', () => {
    for (const name of ['x_client_pem', 'x-client_pem', 'X.Client.Pem']) {
      const { certificate, flags, http } = ask([[name, escaped(leaf.pem)]], NGINX);
      expect(certificate).toBeNull();
      expect(flags).toEqual(['header_underscore']);
      expect(http.headers.size).toBe(0);
    }
  });

  test('the chain without the certificate is nothing', () => {
    expect(ask([['client-cert-chain', `:${base64(middle.der)}:`]], RFC9440).certificate).toBeNull();
  });
});

describe('what is refused', () => {
  const one = base64(leaf.der);
  test.each<[string, CertificateHeader, [string, string][]]>([
    [
      'two lines of Client-Cert',
      RFC9440,
      [
        ['client-cert', `:${one}:`],
        ['client-cert', `:${one}:`],
      ],
    ],
    [
      'two lines of nginx',
      NGINX,
      [
        [NGINX.name, escaped(leaf.pem)],
        [NGINX.name, escaped(leaf.pem)],
      ],
    ],
    [
      'two lines of HAProxy',
      HAPROXY,
      [
        [HAPROXY.name, one],
        [HAPROXY.name, one],
      ],
    ],
    [
      'an empty line and another one',
      HAPROXY,
      [
        [HAPROXY.name, ''],
        [HAPROXY.name, one],
      ],
    ],
    ['a byte sequence without bytes', RFC9440, [['client-cert', '::']]],
    ['a string', RFC9440, [['client-cert', `"${one}"`]]],
    ['PEM bytes in a byte sequence', RFC9440, [['client-cert', `:${Buffer.from(leaf.pem).toString('base64')}:`]]],
    [
      'an inner list in the chain',
      RFC9440,
      [
        ['client-cert', `:${one}:`],
        ['client-cert-chain', `(:${base64(middle.der)}:)`],
      ],
    ],
    [
      'a chain of nine',
      RFC9440,
      [
        ['client-cert', `:${one}:`],
        ['client-cert-chain', Array.from({ length: 9 }, () => `:${base64(middle.der)}:`).join(', ')],
      ],
    ],
    ['base64url', HAPROXY, [[HAPROXY.name, `${leaf.der.toString('base64url')}-_`]]],
    ['DER with something behind it', HAPROXY, [[HAPROXY.name, base64(Buffer.concat([leaf.der, leaf.der]))]]],
    [
      'a chain that is cut off',
      HAPROXY,
      [
        [HAPROXY.name, one],
        ['x-ssl-client-chain', base64(middle.der.subarray(0, -2))],
      ],
    ],
    ['PEM with a bad escape', NGINX, [[NGINX.name, `${escaped(leaf.pem)}%zz`]]],
    // whose first certificate another reader takes
    [
      'another PEM block before the certificate',
      NGINX,
      [[NGINX.name, escaped(`${leaf.pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE')}${leaf.pem}`)]],
    ],
    ['text before the certificate', NGINX, [[NGINX.name, escaped(`subject=x\n${leaf.pem}`)]]],
    ['text behind the certificate', NGINX, [[NGINX.name, escaped(`${leaf.pem}x`)]]],
    [
      'thousands of members in the chain',
      RFC9440,
      [
        ['client-cert', `:${one}:`],
        ['client-cert-chain', ':AAAA:, '.repeat(5000)],
      ],
    ],
    ['a key', NGINX, [[NGINX.name, escaped(leaf.keyPem)]]],
    ['more than 64 KiB', HAPROXY, [[HAPROXY.name, 'A'.repeat(65_540)]]],
  ])('%s', (_, header, lines) => {
    expect(read(ask(lines, header).certificate)).toBe('invalid certificate_malformed');
  });

  test('an empty header is how nginx and HAProxy say that there is none', () => {
    for (const header of [NGINX, HAPROXY, RFC9440])
      expect(read(ask([[header.name, '']], header).certificate)).toBe('absent certificate_missing');
  });
});
