import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readRevocationList } from '../../../src/identify/trust/crl-der.ts';
import type { CertificateTrustOptions } from '../../../src/identify/trust/options.ts';
import { createAuthority, oddExtension } from '../../support/certificates.ts';
import { createTrustBench, DAY, NOW, pem, type TrustBench } from './fixtures.ts';

const root = createAuthority('Root');
const good = root.client({ commonName: 'good', uris: ['spiffe://td.example/good'] });
const bad = root.client({ commonName: 'bad', uris: ['spiffe://td.example/bad'] });
const source = { name: 'root', file: null, url: null, refreshSeconds: 10, fetchTimeoutMs: 500 };

async function benchWith(crl: Buffer | null, more: { required?: boolean; bundle?: string } = {}): Promise<TrustBench> {
  const bench = createTrustBench(({ write, directory }): Partial<CertificateTrustOptions> => {
    if (crl !== null) write('root.crl', crl);
    return {
      trustBundles: [{ name: 'ours', file: write('ca.pem', more.bundle ?? root.pem), trustDomain: 'td.example' }],
      crl: { required: more.required ?? false, sources: [{ ...source, file: `${directory}/root.crl` }] },
    };
  });
  await bench.trust.start();
  return bench;
}

describe('a revocation list', () => {
  test('tells the good from the revoked', async () => {
    const bench = await benchWith(root.crl({ revoked: ['1234', bad.serial] }));
    expect([bench.judge(pem(good.pem)), bench.judge(pem(bad.pem))]).toEqual(['present verified good', 'invalid certificate_revoked']);
  });

  test('is read as PEM as well, and its freshness is in the status', async () => {
    const text = `-----BEGIN X509 CRL-----\n${root.crl({ revoked: [bad.serial] }).toString('base64')}\n-----END X509 CRL-----\n`;
    const bench = await benchWith(Buffer.from(text));
    expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_revoked');
    const [status] = bench.trust.status().crls;
    expect(status).toMatchObject({ name: 'root', state: 'ready', entries: 1, lastError: null });
    expect(status?.ageSeconds).toBeGreaterThan(DAY - 60);
    expect(status?.nextUpdate).toBeGreaterThan(NOW);
  });

  test('out of date is stale and never good, and what it revokes stays revoked', async () => {
    const bench = await benchWith(root.crl({ revoked: [bad.serial] }));
    bench.clock.wallSeconds = NOW + 2 * DAY;
    expect([bench.judge(pem(good.pem)), bench.judge(pem(bad.pem))]).toEqual(['present verified stale', 'invalid certificate_revoked']);
    expect(bench.trust.status().crls).toMatchObject([{ state: 'stale' }]);
  });

  test('missing is unknown', async () => {
    expect((await benchWith(null)).judge(pem(good.pem))).toBe('present verified unknown');
  });

  test('where one is required, stale and missing are unavailable', async () => {
    const bench = await benchWith(root.crl(), { required: true });
    expect(bench.judge(pem(good.pem))).toBe('present verified good');
    bench.clock.wallSeconds = NOW + 2 * DAY;
    expect(bench.judge(pem(good.pem))).toBe('unavailable revocation_unavailable');
    expect((await benchWith(null, { required: true })).judge(pem(good.pem))).toBe('unavailable revocation_unavailable');
  });

  test.each([
    ['of a CA with the same name and another key', createAuthority('Root').crl(), 'crl_untrusted'],
    ['of a CA that is in no bundle', createAuthority('Elsewhere').crl(), 'crl_untrusted'],
    ['that is about a part of the certificates', root.crl({ extensions: [oddExtension('issuingDistributionPoint', true)] }), 'crl_invalid'],
    ['from the future', root.crl({ thisUpdateDays: 1, nextUpdateDays: 2 }), 'crl_invalid'],
    ['with a changed byte', changed(root.crl({ revoked: [bad.serial] })), 'crl_untrusted'],
    ['that is no list', Buffer.from('nothing of the kind'), 'crl_invalid'],
    ['that is cut off', root.crl().subarray(0, -3), 'crl_invalid'],
  ])('%s says nothing', async (_, crl, code) => {
    const bench = await benchWith(crl, { required: true });
    expect(bench.judge(pem(good.pem))).toBe('unavailable revocation_unavailable');
    expect(bench.trust.status().crls).toMatchObject([{ state: 'never_loaded', lastError: code }]);
  });

  test('a CA that may not sign lists signs none', async () => {
    const mute = createAuthority('Mute', { keyUsage: 0x04 });
    const client = mute.client({ commonName: 'x', uris: ['spiffe://td.example/x'] });
    expect((await benchWith(mute.crl(), { bundle: mute.pem })).judge(pem(client.pem))).toBe('present verified unknown');
  });

  test('is never replaced by an older one, nor by one that is not signed', async () => {
    const bench = await benchWith(root.crl({ revoked: [bad.serial], thisUpdateDays: -1 }));
    bench.write('root.crl', root.crl({ thisUpdateDays: -2 }));
    await vi.waitFor(() => expect(bench.trust.status().crls).toMatchObject([{ lastError: 'crl_outdated' }]), 5000);
    expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_revoked');
    bench.write('root.crl', createAuthority('Root').crl());
    await vi.waitFor(() => expect(bench.trust.status().crls).toMatchObject([{ lastError: 'crl_untrusted' }]), 5000);
    expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_revoked');
  });

  test('a change of it holds for certificates that were seen before', async () => {
    const bench = await benchWith(root.crl());
    expect(bench.judge(pem(bad.pem))).toBe('present verified good');
    bench.write('root.crl', root.crl({ revoked: [bad.serial], thisUpdateDays: -0.5 }));
    await vi.waitFor(() => expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_revoked'), 5000);
  });

  test('an intermediate that its root revokes takes its leaves with it', async () => {
    const middle = root.intermediate('Middle');
    const leaf = middle.client({ commonName: 'x', uris: ['spiffe://td.example/x'] });
    const offer = pem(leaf.pem, middle.pem);
    // nothing is known of the leaf itself, for its own issuer has no list
    expect((await benchWith(root.crl())).judge(offer)).toBe('present verified unknown');
    expect((await benchWith(root.crl({ revoked: [middle.serial] }))).judge(offer)).toBe('invalid certificate_revoked');
  });

  test('counts from the moment on that its signer is in a bundle', async () => {
    const next = createAuthority('Next');
    const client = next.client({ commonName: 'x', uris: ['spiffe://td.example/x'] });
    const bench = await benchWith(next.crl({ revoked: [client.serial] }));
    expect(bench.trust.status().crls).toMatchObject([{ state: 'never_loaded', lastError: 'crl_untrusted' }]);
    bench.write('ca.pem', root.pem + next.pem);
    await vi.waitFor(() => expect(bench.judge(pem(client.pem))).toBe('invalid certificate_revoked'), 5000);
    await vi.waitFor(() => expect(bench.trust.status().crls).toMatchObject([{ state: 'ready', lastError: null }]), 5000);
  });
});

test('a list comes from a URL, bounded, and its failure leaves the last one', async () => {
  let answer: Buffer | null = root.crl({ revoked: [bad.serial] });
  const server = createServer((_, response) => (answer === null ? response.writeHead(500).end() : response.end(answer)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const bench = createTrustBench(({ write }) => ({
    trustBundles: [{ name: 'ours', file: write('ca.pem', root.pem), trustDomain: 'td.example' }],
    crl: { required: true, sources: [{ ...source, url: `http://127.0.0.1:${port}/root.crl`, refreshSeconds: 0.1 }] },
  }));
  await bench.trust.start();
  expect([bench.judge(pem(good.pem)), bench.judge(pem(bad.pem))]).toEqual(['present verified good', 'invalid certificate_revoked']);
  answer = null;
  await vi.waitFor(() => expect(bench.trust.status().crls).toMatchObject([{ state: 'ready', lastError: 'fetch_failed' }]), 5000);
  expect(bench.judge(pem(good.pem))).toBe('present verified good');
  answer = Buffer.alloc(9_000_000);
  await vi.waitFor(() => expect(bench.trust.status().crls).toMatchObject([{ state: 'ready', lastError: 'fetch_too_large' }]), 5000);
});

describe('refused by name', () => {
  test('by fingerprint and by serial, with bundles or without', async () => {
    const bench = createTrustBench(() => ({ denied: { sha256: [shaOf(bad.pem)], serials: [good.serial.toUpperCase()], file: null } }));
    expect([bench.judge(pem(bad.pem)), bench.judge(pem(good.pem))]).toEqual(['invalid certificate_denied', 'invalid certificate_denied']);
    // also where only fields are handed on
    expect(bench.judge({ form: 'xfcc', header: `Hash=${shaOf(bad.pem)}` })).toBe('invalid certificate_denied');
    expect(bench.judge(pem(root.client({ commonName: 'x', uris: [] }).pem))).toBe('present asserted unchecked');
  });

  test('by a file, as it changes; never read it is unavailable, broken it stays as it was', async () => {
    const bench = createTrustBench(({ directory }) => ({ denied: { sha256: [], serials: [], file: `${directory}/denied` } }));
    await bench.trust.start();
    expect(bench.judge(pem(bad.pem))).toBe('unavailable revocation_unavailable');
    bench.write('denied', '# nobody yet\n');
    await vi.waitFor(() => expect(bench.judge(pem(bad.pem))).toBe('present asserted unchecked'), 5000);
    bench.write('denied', `# stolen\nsha256 ${shaOf(bad.pem)}\nserial 01:02 # an old one\n`);
    await vi.waitFor(() => expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_denied'), 5000);
    expect(bench.trust.status().denied).toEqual({ state: 'ready', entries: 2 });
    bench.write('denied', 'sha256 abc\n');
    await vi.waitFor(() => expect(bench.trust.status().denied.state).toBe('stale'), 5000);
    expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_denied');
  });
});

test('a list of many entries is read whole, and others get their turn meanwhile', async () => {
  const serials = Array.from({ length: 20_000 }, (_, n) => (0x1000_0000 + n).toString(16));
  let turns = 0;
  const ticking = setInterval(() => turns++, 0);
  const list = await readRevocationList(root.crl({ revoked: serials }));
  clearInterval(ticking);
  expect(list.serials.size).toBe(20_000);
  expect(list.serials.has('10000000')).toBe(true);
  expect(turns).toBeGreaterThan(0);
});

function changed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  // within the serial of the entry
  const at = copy.indexOf(Buffer.from(bad.serial.padStart(24, '0'), 'hex'));
  copy[at + 3] = (copy[at + 3] ?? 0) ^ 1;
  return copy;
}

function shaOf(text: string): string {
  const bench = createTrustBench(() => ({}));
  return bench.value(pem(text)).sha256 ?? '';
}
