import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { CertificateOffer } from '../../../src/contract/request.ts';
import { type AuthorityOptions, createAuthority, oddExtension } from '../../support/certificates.ts';
import { benchOver, createTrustBench, DAY, NOW, pem } from './fixtures.ts';

const AGENT = 'spiffe://td.example/agent/a';
const root = createAuthority('Root');
const leaf = root.client({ commonName: 'a', uris: [AGENT] });
const plain = root.client({ commonName: 'plain', uris: [] });
const stranger = createAuthority('Root').client({ commonName: 'a', uris: [AGENT] });

describe('a chain', () => {
  test('is asserted where no bundle is configured', () => {
    const bench = createTrustBench(() => ({}));
    expect(bench.judge(pem(leaf.pem))).toBe('present asserted unchecked');
  });

  test('is verified up to a bundle, which the value names', async () => {
    const bench = await benchOver(root.pem, 'td.example');
    expect(bench.judge(pem(leaf.pem))).toBe('present verified unchecked');
    expect(bench.value(pem(leaf.pem))).toMatchObject({ spiffeId: AGENT, trustBundle: 'ours', keyUsage: ['digital_signature'] });
  });

  test('of a CA with the same name and another key leads nowhere', async () => {
    const bench = await benchOver(root.pem, 'td.example');
    expect(bench.judge(pem(stranger.pem))).toBe('invalid certificate_untrusted');
  });

  test('goes over intermediates, in any order, and not without them', async () => {
    const upper = root.intermediate('Upper');
    const lower = upper.intermediate('Lower');
    const deep = lower.client({ commonName: 'deep', uris: [AGENT] });
    const bench = await benchOver(root.pem, 'td.example');
    expect(bench.judge(pem(deep.pem, lower.pem, upper.pem))).toBe('present verified unchecked');
    expect(bench.judge(pem(deep.pem, root.pem, upper.pem, lower.pem))).toBe('present verified unchecked');
    expect(bench.judge(pem(deep.pem, lower.pem))).toBe('invalid certificate_untrusted');
    expect(bench.judge(pem(deep.pem))).toBe('invalid certificate_untrusted');
  });

  const odd: readonly [string, AuthorityOptions, string][] = [
    ['is no CA', { ca: false }, 'certificate_untrusted'],
    ['may not sign certificates', { keyUsage: 0x02 }, 'certificate_untrusted'],
    ['has expired', { validDays: [-10, -1] }, 'certificate_chain_expired'],
    ['is not valid yet', { validDays: [1, 10] }, 'certificate_chain_expired'],
    ['has name constraints', { extensions: [oddExtension('nameConstraints', false)] }, 'certificate_untrusted'],
    ['has an unknown critical extension', { extensions: [oddExtension('issuingDistributionPoint', true)] }, 'certificate_untrusted'],
    ['is of another trust domain', { uris: ['spiffe://other.example'] }, 'certificate_untrusted'],
    ['has a SPIFFE id with a path', { uris: ['spiffe://td.example/ca'] }, 'certificate_untrusted'],
  ];
  test.each(odd)('does not go over an intermediate that %s', async (_, options, code) => {
    const bench = await benchOver(root.pem, 'td.example');
    const ca = root.intermediate('Odd', options);
    expect(bench.judge(pem(ca.client({ commonName: 'x', uris: [AGENT] }).pem, ca.pem))).toBe(`invalid ${code}`);
  });

  test.each(odd)('does not end in an anchor that %s', async (_, options, code) => {
    const anchor = createAuthority('Odd anchor', options);
    const bench = await benchOver(anchor.pem, 'td.example');
    expect(bench.judge(pem(anchor.client({ commonName: 'x', uris: [AGENT] }).pem))).toBe(`invalid ${code}`);
  });

  test('a CA of the path length 0 vouches for leaves and for no CA', async () => {
    const bench = await benchOver(root.pem, 'td.example');
    const narrow = root.intermediate('Narrow', { pathLength: 0, uris: ['spiffe://td.example'] });
    const below = narrow.intermediate('Below');
    expect(bench.judge(pem(narrow.client({ commonName: 'x', uris: [AGENT] }).pem, narrow.pem))).toBe('present verified unchecked');
    expect(bench.judge(pem(below.client({ commonName: 'x', uris: [AGENT] }).pem, below.pem, narrow.pem))).toBe(
      'invalid certificate_untrusted',
    );
  });

  test('has a bounded depth, and a crowd of CAs with one name ends the search', async () => {
    const bench = await benchOver(root.pem, 'td.example');
    const chain = [root.intermediate('Level 0')];
    for (let n = 1; n < 7; n++) chain.unshift(chain[0]?.intermediate(`Level ${n}`) ?? root);
    const deep = chain[0]?.client({ commonName: 'x', uris: [AGENT] }) ?? leaf;
    expect(bench.judge(pem(deep.pem, ...chain.map((one) => one.pem)))).toBe('invalid certificate_untrusted');
    expect(bench.judge(pem(deep.pem, ...chain.slice(0, 6).map((one) => one.pem)))).toBe('invalid certificate_untrusted');
    const ring = Array.from({ length: 8 }, () => createAuthority('Root').intermediate('Root').pem);
    expect(bench.judge(pem(stranger.pem, ...ring))).toBe('invalid certificate_untrusted');
  });
});

describe('the leaf', () => {
  test.each([
    ['is for servers', { purpose: 'serverAuth' as const }, 'certificate_purpose'],
    ['may not sign', { keyUsage: [0x20, 5] as const }, 'certificate_purpose'],
  ])('that %s is refused', async (_, options, code) => {
    const bench = await benchOver(root.pem, null);
    expect(bench.judge(pem(root.client({ commonName: 'x', uris: [], ...options }).pem))).toBe(`invalid ${code}`);
  });

  test('without a purpose may be a client', async () => {
    const bench = await benchOver(root.pem, null);
    expect(bench.judge(pem(root.client({ commonName: 'x', uris: [], purpose: null }).pem))).toBe('present verified unchecked');
  });

  test('a CA is no client', async () => {
    const bench = await benchOver(root.pem, null);
    expect(bench.judge(pem(root.intermediate('CA').pem))).toBe('invalid certificate_purpose');
  });

  test('[asks 41] with a valid chain and a wrong name is refused in every mode', async () => {
    const bench = await benchOver(root.pem, 'td.example');
    const other = root.client({ commonName: 'x', uris: ['spiffe://other.example/agent'] });
    const hash = {
      form: 'fields',
      sha256: 'ab'.repeat(32),
      subject: null,
      issuer: null,
      serial: null,
      uris: [AGENT],
      dns: [],
      notAfter: null,
    } as const;
    const escaped: CertificateOffer = { form: 'pem_escaped', header: encodeURIComponent(other.pem), chain: null };
    for (const offer of [pem(other.pem), escaped, { form: 'xfcc', header: `Cert="${encodeURIComponent(other.pem)}"` } as const]) {
      expect(bench.judge(offer)).toBe('invalid certificate_trust_domain');
    }
    // without the certificate itself there is nothing to verify
    expect(bench.judge(hash)).toBe('invalid certificate_unverifiable');
    expect(bench.judge({ form: 'xfcc', header: `URI=${AGENT}` })).toBe('invalid certificate_unverifiable');
  });

  test('[asks 38] two URI SANs, an empty path: no SVID, and no plain certificate either', async () => {
    const bench = createTrustBench(({ write }) => ({
      trustBundles: [
        { name: 'td', file: write('td.pem', root.pem), trustDomain: 'td.example' },
        { name: 'plain', file: write('plain.pem', root.pem), trustDomain: null },
      ],
    }));
    await bench.trust.start();
    for (const uris of [
      [AGENT, 'https://x.example'],
      [AGENT, 'spiffe://td.example/b'],
      ['spiffe://td.example'],
      ['spiffe://TD.example/a'],
    ]) {
      expect(bench.judge(pem(root.client({ commonName: 'x', uris }).pem))).toBe('invalid certificate_svid_invalid');
    }
    expect(bench.value(pem(plain.pem))).toMatchObject({ trustBundle: 'plain', spiffeId: null });
  });
});

describe('bundles', () => {
  test('vouch for their own trust domain only', async () => {
    const other = createAuthority('Other');
    const bench = createTrustBench(({ write }) => ({
      trustBundles: [
        { name: 'td', file: write('td.pem', root.pem), trustDomain: 'td.example' },
        { name: 'other', file: write('other.pem', other.pem), trustDomain: 'other.example' },
        { name: 'plain', file: write('plain.pem', other.pem), trustDomain: null },
      ],
    }));
    await bench.trust.start();
    expect(bench.judge(pem(leaf.pem))).toBe('present verified unchecked');
    // the CA of one domain writes a name of another
    expect(bench.judge(pem(other.client({ commonName: 'a', uris: [AGENT] }).pem))).toBe('invalid certificate_untrusted');
    expect(bench.judge(pem(root.client({ commonName: 'a', uris: ['spiffe://third.example/a'] }).pem))).toBe(
      'invalid certificate_trust_domain',
    );
    expect(bench.judge(pem(plain.pem))).toBe('invalid certificate_untrusted');
    expect(bench.judge(pem(other.client({ commonName: 'p', uris: [] }).pem))).toBe('present verified unchecked');
  });

  test('a file that is missing makes certificates unavailable, and one that breaks later leaves the anchors', async () => {
    const bench = createTrustBench(({ directory }) => ({
      trustBundles: [{ name: 'ours', file: join(directory, 'ca.pem'), trustDomain: 'td.example' }],
    }));
    await bench.trust.start();
    expect(bench.judge(pem(leaf.pem))).toBe('unavailable trust_unavailable');
    expect(bench.trust.status().trustBundles).toMatchObject([{ name: 'ours', state: 'never_loaded', lastError: 'fetch_failed' }]);
    bench.write('ca.pem', root.pem);
    await vi.waitFor(() => expect(bench.judge(pem(leaf.pem))).toBe('present verified unchecked'), 5000);
    bench.write('ca.pem', root.pem.slice(0, -40));
    await vi.waitFor(
      () => expect(bench.trust.status().trustBundles).toMatchObject([{ state: 'stale', lastError: 'trust_bundle_invalid' }]),
      5000,
    );
    expect(bench.judge(pem(leaf.pem))).toBe('present verified unchecked');
  });

  test('are read again as a mounted volume swaps them by a symbolic link', async () => {
    const next = createAuthority('Next');
    const renewed = next.client({ commonName: 'a', uris: [AGENT] });
    const bench = createTrustBench(({ write, directory }) => {
      write('v1.pem', root.pem);
      write('v2.pem', next.pem);
      symlinkSync('v1.pem', join(directory, 'ca.pem'));
      return { trustBundles: [{ name: 'ours', file: join(directory, 'ca.pem'), trustDomain: 'td.example' }] };
    });
    await bench.trust.start();
    expect([bench.judge(pem(leaf.pem)), bench.judge(pem(renewed.pem))]).toEqual([
      'present verified unchecked',
      'invalid certificate_untrusted',
    ]);
    symlinkSync('v2.pem', join(bench.directory, 'next'));
    const { renameSync } = await import('node:fs');
    renameSync(join(bench.directory, 'next'), join(bench.directory, 'ca.pem'));
    await vi.waitFor(() => expect(bench.judge(pem(renewed.pem))).toBe('present verified unchecked'), 5000);
    // what was verified under the old anchors is judged anew
    expect(bench.judge(pem(leaf.pem))).toBe('invalid certificate_untrusted');
  });

  test('validity is judged each time, also of what was verified before', async () => {
    const short = root.intermediate('Short', { validDays: [-1, 2] });
    const long = short.client({ commonName: 'a', uris: [AGENT] });
    const bench = await benchOver(root.pem, 'td.example');
    const offer = pem(long.pem, short.pem);
    expect(bench.judge(offer)).toBe('present verified unchecked');
    bench.clock.wallSeconds = NOW + 3 * DAY;
    expect(bench.judge(offer)).toBe('invalid certificate_chain_expired');
    bench.clock.wallSeconds = NOW;
    expect(bench.judge(offer)).toBe('present verified unchecked');
  });

  test('a verified certificate is the same signal again: nothing is made a second time', async () => {
    const bench = await benchOver(root.pem, 'td.example');
    expect(bench.value(pem(leaf.pem))).toBe(bench.value(pem(leaf.pem)));
  });
});
