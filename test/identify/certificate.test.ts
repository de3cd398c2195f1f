import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CertificateOffer } from '../../src/contract/request.ts';
import { canonicalSerial, canonicalSha256, parseCertificate, spiffeOf } from '../../src/identify/certificate.ts';
import { readExtensions } from '../../src/identify/certificate-der.ts';
import { type CertificateSignal, createCertificateReader } from '../../src/identify/certificate-offers.ts';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';
import { createAuthority } from '../support/certificates.ts';

const AGENT = 'spiffe://td.example/agent/a';
const authority = createAuthority('Acme, Inc. CA');
const leaf = authority.client({ commonName: 'agent a, "first"', uris: [AGENT] });
const other = authority.client({ commonName: 'b', uris: ['spiffe://td.example/agent/b'] });
const hashOf = (der: Buffer): string => createHash('sha256').update(der).digest('hex');
const SHA256 = hashOf(leaf.der);

const pem = (text: string): CertificateOffer => ({ form: 'pem', from: 'ext_authz', pem: text });
const xfcc = (header: string): CertificateOffer => ({ form: 'xfcc', header });
const fields = (more: Partial<Extract<CertificateOffer, { form: 'fields' }>>): CertificateOffer => ({
  form: 'fields',
  sha256: null,
  subject: null,
  issuer: null,
  serial: null,
  uris: [],
  dns: [],
  notAfter: null,
  ...more,
});
const encoded = (text: string): string => encodeURIComponent(text);

const reader = createCertificateReader({ entriesMax: 100 }, createBoundedCache);
const read = (...offers: CertificateOffer[]): CertificateSignal => reader.read(offers).signal;
const code = (...offers: CertificateOffer[]): string => {
  const signal = read(...offers);
  return signal.status === 'present' ? 'present' : `${signal.status} ${signal.code}`;
};
const presentOf = (...offers: CertificateOffer[]) => {
  const signal = read(...offers);
  if (signal.status !== 'present') throw new Error(`the certificate is ${signal.code}`);
  return signal.value;
};

describe('a certificate', () => {
  test('gives its names, times and hash', () => {
    const node = new X509Certificate(leaf.pem);
    expect(parseCertificate(leaf.pem)).toEqual({
      sha256: SHA256,
      subject: 'CN=agent a\\, \\"first\\"',
      issuer: 'CN=Acme\\, Inc. CA',
      serial: node.serialNumber.toLowerCase().replace(/^0+/, ''),
      uris: [AGENT],
      dns: [],
      spiffeId: AGENT,
      svid: 'valid',
      notBefore: node.validFromDate.getTime() / 1000,
      notAfter: node.validToDate.getTime() / 1000,
      keyUsage: ['digital_signature'],
      chain: 'asserted',
      trustBundle: null,
      revocation: 'unchecked',
    });
  });

  test('DNS names are apart from URIs, and are no SPIFFE id', () => {
    const { pem: text } = authority.server({ dns: ['a.example', 'b.example'], ips: ['192.0.2.1'] });
    expect(parseCertificate(text)).toMatchObject({ dns: ['a.example', 'b.example'], uris: [], spiffeId: null, svid: 'none' });
  });

  test('a name that imitates another entry stays one name', () => {
    const forged = authority.client({ commonName: 'x', uris: [`${AGENT},URI:spiffe://td.example/admin`] });
    expect(parseCertificate(forged.pem)).toMatchObject({
      uris: [`${AGENT},URI:spiffe://td.example/admin`],
      spiffeId: null,
      svid: 'invalid',
    });
  });

  test('a name with a NUL or a blank makes it malformed', () => {
    for (const uri of [`${AGENT}\0.evil`, `${AGENT} `])
      expect(parseCertificate(authority.client({ commonName: 'x', uris: [uri] }).pem)).toBeNull();
  });

  test('a name cannot be made to reach beyond its list', () => {
    const at = leaf.der.indexOf(AGENT);
    const longer = Buffer.from(leaf.der);
    longer[at - 1] = AGENT.length + 1;
    expect(readExtensions(leaf.der)?.uris).toEqual([AGENT]);
    expect(readExtensions(longer)).toBeNull();
  });

  test('[asks 18] [asks 38] two URI SANs are both shown, and there is no SPIFFE id', () => {
    const two = authority.client({ commonName: 'x', uris: [AGENT, 'https://x.example'] });
    expect(parseCertificate(two.pem)).toMatchObject({ uris: [AGENT, 'https://x.example'], spiffeId: null, svid: 'ambiguous' });
    expect(presentOf(xfcc(`URI=${AGENT};URI=https://x.example`))).toMatchObject({ spiffeId: null, svid: 'ambiguous' });
  });

  test('[asks 38] a CA and an id without path have no SPIFFE id', () => {
    expect(spiffeOf([AGENT], false)).toEqual({ spiffeId: null, svid: 'invalid' });
    const empty = authority.client({ commonName: 'x', uris: ['spiffe://td.example'] });
    expect(parseCertificate(empty.pem)).toMatchObject({ spiffeId: null, svid: 'invalid' });
  });

  test('of a chain the first is meant', () => {
    expect(parseCertificate(`${leaf.pem}${authority.pem}`)?.sha256).toBe(SHA256);
  });

  test.each([
    ['nothing', ''],
    ['text', 'certificate'],
    ['no end', leaf.pem.replace('-----END CERTIFICATE-----', '')],
    ['a cut body', leaf.pem.replace(/[\w+/=]{40}\n-----END/, '\n-----END')],
    ['broken percent-encoding', `%zz${leaf.pem}`],
    ['too long', `${' '.repeat(70_000)}${leaf.pem}`],
  ])('malformed: %s', (_, text) => {
    expect(code(pem(text))).toBe('invalid certificate_malformed');
  });
});

describe('[asks 19] the same certificate gives the same hash, whatever way it comes', () => {
  test.each<[string, CertificateOffer]>([
    ['PEM', pem(leaf.pem)],
    ['URL-encoded PEM', pem(encoded(leaf.pem))],
    ['XFCC Cert', xfcc(`Hash=${SHA256};Cert="${encoded(leaf.pem)}";URI=${AGENT}`)],
    ['XFCC Cert alone', xfcc(`cert="${encoded(leaf.pem)}"`)],
    ['XFCC Chain', xfcc(`Chain="${encoded(leaf.pem + authority.pem)}"`)],
    ['XFCC Hash', xfcc(`By=spiffe://td.example/gw;Hash=${SHA256.toUpperCase()};Subject="CN=x";URI=${AGENT}`)],
    ['the last XFCC element', xfcc(`Hash=${hashOf(other.der)};URI=spiffe://td.example/admin,Hash=${SHA256};URI=${AGENT}`)],
    ['fields', fields({ sha256: SHA256.replace(/(..)(?=.)/g, '$1:'), uris: [AGENT] })],
  ])('%s', (_, offer) => {
    expect(presentOf(offer)).toMatchObject({ sha256: SHA256, uris: [AGENT], spiffeId: AGENT, svid: 'valid' });
  });

  test('chain says whether the certificate itself was seen', () => {
    expect(presentOf(xfcc(`Cert="${encoded(leaf.pem)}"`)).chain).toBe('asserted');
    expect(presentOf(xfcc(`Hash=${SHA256}`)).chain).toBe('unchecked');
  });
});

describe('offers that contradict themselves or each other', () => {
  test.each<[string, string, readonly CertificateOffer[]]>([
    ['no offer', 'absent certificate_missing', []],
    ['an XFCC that names the proxy only', 'absent certificate_missing', [xfcc('By=spiffe://td.example/gw')]],
    ['an empty XFCC', 'absent certificate_missing', [xfcc('')]],
    [
      'another hash than the certificate has',
      'invalid certificate_hash_mismatch',
      [xfcc(`Hash=${hashOf(other.der)};Cert="${encoded(leaf.pem)}"`)],
    ],
    ['a hash that is none', 'invalid certificate_hash_mismatch', [xfcc(`Hash=abc;Cert="${encoded(leaf.pem)}"`)]],
    ['a hash that is none, alone', 'invalid certificate_malformed', [xfcc('Hash=abc')]],
    ['a serial that is none', 'invalid certificate_malformed', [fields({ sha256: SHA256, serial: 'xyz' })]],
    [
      'a URI that the certificate lacks',
      'invalid certificate_conflict',
      [xfcc(`Cert="${encoded(leaf.pem)}";URI=spiffe://td.example/admin`)],
    ],
    ['two certificates', 'invalid certificate_conflict', [pem(leaf.pem), pem(other.pem)]],
    ['two certificates by hash', 'invalid certificate_conflict', [pem(leaf.pem), xfcc(`Hash=${hashOf(other.der)};URI=${AGENT}`)]],
    ['other names without hash', 'invalid certificate_conflict', [pem(leaf.pem), xfcc('URI=spiffe://td.example/admin')]],
    ['nothing to compare', 'invalid certificate_conflict', [pem(leaf.pem), xfcc('Subject="CN=x"')]],
    ['a good one and a malformed one', 'invalid certificate_malformed', [pem(leaf.pem), xfcc('URI="x')]],
    ['a malformed one and a good one', 'invalid certificate_malformed', [xfcc('URI="x'), pem(leaf.pem)]],
    ['the same twice', 'present', [pem(leaf.pem), xfcc(`Hash=${SHA256};URI=${AGENT}`)]],
    ['the same by its name', 'present', [xfcc(`URI=${AGENT}`), pem(leaf.pem)]],
    ['one that says nothing', 'present', [xfcc('By=x'), pem(leaf.pem)]],
  ])('%s: %s', (_, wanted, offers) => {
    expect(code(...offers)).toBe(wanted);
  });

  test('the fuller offer stays', () => {
    for (const offers of [
      [pem(leaf.pem), xfcc(`Hash=${SHA256}`)],
      [xfcc(`Hash=${SHA256}`), pem(leaf.pem)],
    ]) {
      expect(presentOf(...offers)).toMatchObject({ chain: 'asserted', notAfter: expect.any(Number) });
    }
  });
});

test('a text that was a PEM is not taken for an XFCC, nor the other way round', () => {
  const header = `Hash=${SHA256};URI=${AGENT}`;
  expect([code(xfcc(header)), code(pem(header))]).toEqual(['present', 'invalid certificate_malformed']);
  expect([code(pem(leaf.pem)), code(xfcc(leaf.pem))]).toEqual(['present', 'invalid certificate_malformed']);
});

test('a text that is too long to be kept is judged and not cached: entries are counted, and each holds its text', () => {
  const small = createCertificateReader({ entriesMax: 100 }, createBoundedCache);
  const chain = `${leaf.pem}${authority.pem.repeat(40)}`;
  expect(chain.length).toBeGreaterThan(16_384);
  expect(small.read([pem(chain)]).signal.status).toBe('present');
  expect(small.read([xfcc(`Cert="${encoded(chain)}"`)]).signal.status).toBe('present');
  expect(small.read([pem('x'.repeat(1_000_000))]).signal).toEqual({ status: 'invalid', code: 'certificate_malformed' });
  expect(small.status().entries).toBe(0);
});

test('a parse is cached by the text, and bounded', () => {
  const small = createCertificateReader({ entriesMax: 2 }, createBoundedCache);
  expect(small.read([pem(leaf.pem)])).toBe(small.read([pem(leaf.pem)]));
  for (let n = 0; n < 10; n++) small.read([xfcc(`Hash=${SHA256};Subject="CN=${n}"`)]);
  expect(small.status()).toEqual({ hits: 1, misses: 11, entries: 3 });
});

test.each([
  ['0A', 'a'],
  ['00:0a:1B', 'a1b'],
  ['0', '0'],
  ['', null],
  ['0x1', null],
])('serial %s', (text, expected) => {
  expect(canonicalSerial(text)).toBe(expected);
});

test('a hash of another length is none', () => {
  expect(canonicalSha256(SHA256.slice(1))).toBeNull();
  expect(canonicalSha256(` ${SHA256.toUpperCase()} `)).toBe(SHA256);
});
