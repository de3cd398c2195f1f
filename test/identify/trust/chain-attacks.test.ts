import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isStrongKey } from '../../../src/identify/trust/signature-oids.ts';
import { type AuthorityOptions, createAuthority, type Keys } from '../../support/certificates.ts';
import { benchOver, createTrustBench, pem } from './fixtures.ts';

const AGENT = 'spiffe://td.example/agent/a';
const root = createAuthority('Root');
const agent = { commonName: 'a', uris: [AGENT] };
const rsa = (modulusLength: number): Keys => generateKeyPairSync('rsa', { modulusLength });
const ec = (namedCurve: string): Keys => generateKeyPairSync('ec', { namedCurve });
const strong = rsa(2048);

describe('weak signatures and keys lead nowhere', () => {
  test.each<[string, AuthorityOptions, string]>([
    ['RSA of 2048 bits, SHA-256', { keys: strong, signature: 'rsa' }, 'present verified unchecked'],
    ['RSA-PSS, SHA-256', { keys: strong, signature: 'pss' }, 'present verified unchecked'],
    ['RSA, SHA-1', { keys: strong, signature: 'rsa-sha1' }, 'invalid certificate_untrusted'],
    // the default of the parameters, and so not to be seen in the object id
    ['RSA-PSS, SHA-1', { keys: strong, signature: 'pss-sha1' }, 'invalid certificate_untrusted'],
    ['RSA of 1024 bits', { keys: rsa(1024), signature: 'rsa' }, 'invalid certificate_untrusted'],
    ['P-384', { keys: ec('P-384') }, 'present verified unchecked'],
    ['a curve of 112 bits', { keys: ec('secp112r1') }, 'invalid certificate_untrusted'],
    ['a curve of 192 bits', { keys: ec('P-192') }, 'invalid certificate_untrusted'],
  ])('%s', async (_, options, expected) => {
    const ca = createAuthority('Anchor', options);
    const bench = await benchOver(ca.pem, 'td.example');
    expect(bench.judge(pem(ca.client(agent).pem))).toBe(expected);
  });

  test.each<[string, Keys]>([
    ['RSA of 1024 bits', rsa(1024)],
    ['a curve of 112 bits', ec('secp112r1')],
  ])('a leaf whose own key is %s', async (_, keys) => {
    const bench = await benchOver(root.pem, 'td.example');
    expect(bench.judge(pem(root.client({ ...agent, keys }).pem))).toBe('invalid certificate_untrusted');
  });

  test('keys that are so large that one check holds everybody up', () => {
    const of = (bits: number, exponent: string) => {
      const n = Buffer.alloc(bits / 8, 0xb7);
      return createPublicKey({ key: { kty: 'RSA', n: n.toString('base64url'), e: exponent }, format: 'jwk' });
    };
    expect(isStrongKey(of(4096, 'AQAB'))).toBe(true);
    expect(isStrongKey(of(16_384, 'AQAB'))).toBe(false);
    expect(isStrongKey(of(3072, Buffer.alloc(256, 0xb7).toString('base64url')))).toBe(false);
  });
});

test('a CA whose purposes do not hold client authentication vouches for no client, wherever it stands', async () => {
  const bench = await benchOver(root.pem, 'td.example');
  for (const [purpose, expected] of [
    ['serverAuth', 'invalid certificate_untrusted'],
    ['clientAuth', 'present verified unchecked'],
  ] as const) {
    const ca = root.intermediate('For one purpose', { purpose });
    expect(bench.judge(pem(ca.client(agent).pem, ca.pem))).toBe(expected);
    const anchor = createAuthority('Anchor', { purpose });
    expect((await benchOver(anchor.pem, 'td.example')).judge(pem(anchor.client(agent).pem))).toBe(expected);
  }
});

test('a crowd of CAs with one name, all of which signed each other, costs a bounded number of checks over all bundles', async () => {
  const keys = ec('P-256');
  const ring = Array.from({ length: 8 }, (_, n) => createAuthority('Ring', { keys, uris: n === 0 ? [] : ['spiffe://td.example'] }));
  const bench = createTrustBench(({ write }) => ({
    trustBundles: ['a', 'b', 'c'].map((name) => ({ name, file: write(name, createAuthority('Ring').pem), trustDomain: 'td.example' })),
  }));
  await bench.trust.start();
  const checks = vi.spyOn(X509Certificate.prototype, 'verify');
  onTestFinished(() => checks.mockRestore());
  const leaf = ring[0]?.client(agent);
  expect(bench.judge(pem(leaf?.pem ?? '', ...ring.map((one) => one.pem)))).toBe('invalid certificate_untrusted');
  expect(checks.mock.calls.length).toBeGreaterThan(3);
  expect(checks.mock.calls.length).toBeLessThanOrEqual(16);
});

// node's own reading of such a time is whatever its memory held: now none, now one long past the year 9999
test.each(['990101000000+', 'abcdefghijklm', '991301000000Z', '490101006000Z'])(
  'a time that is none, %j, is no time without end',
  async (notAfter) => {
    const bench = await benchOver(root.pem, 'td.example');
    expect(bench.judge(pem(root.client({ ...agent, notAfter }).pem))).toBe('invalid certificate_malformed');
  },
);
