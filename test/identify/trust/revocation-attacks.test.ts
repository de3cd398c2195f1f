import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import type { CertificateOffer } from '../../../src/contract/request.ts';
import { parseDeniedFile } from '../../../src/identify/trust/denied.ts';
import type { CertificateTrustOptions } from '../../../src/identify/trust/options.ts';
import { createAuthority, type MadeCertificate, oddExtension } from '../../support/certificates.ts';
import { derOfOtherSignature } from '../../support/other-signature.ts';
import { createTrustBench, DAY, NOW, pem, type TrustBench } from './fixtures.ts';

const root = createAuthority('Root');
const clientOf = (ca: typeof root, name = 'x') => ca.client({ commonName: name, uris: [`spiffe://td.example/${name}`] });
const bad = clientOf(root, 'bad');
const shaOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function benchWith(bundle: string, lists: Readonly<Record<string, Buffer>>, more: Partial<CertificateTrustOptions> = {}) {
  const bench = createTrustBench(({ write }) => ({
    trustBundles: [{ name: 'ours', file: write('ca.pem', bundle), trustDomain: 'td.example' }],
    crl: {
      required: false,
      sources: Object.entries(lists).map(([name, list]) => ({
        name,
        file: write(name, list),
        url: null,
        refreshSeconds: 10,
        fetchTimeoutMs: 500,
      })),
    },
    ...more,
  }));
  await bench.trust.start();
  return bench;
}

const listWasRead = (bench: TrustBench, entries: number) =>
  vi.waitFor(() => expect(bench.trust.status().crls).toMatchObject([{ entries, lastError: null }]), 5000);

describe('whoever answers for the address of a list cannot make it forget', () => {
  test('by the list of another CA of ours', async () => {
    const other = createAuthority('Other');
    const bench = await benchWith(root.pem + other.pem, { list: root.crl({ revoked: [bad.serial] }) });
    bench.write('list', other.crl({ revoked: ['01', '02'] }));
    await listWasRead(bench, 3);
    expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_revoked');
    // the other CA's list counts as well, and the first may still not go back
    expect(bench.judge(pem(clientOf(other).pem))).toBe('present verified good');
    bench.write('list', root.crl({ thisUpdateDays: -2 }));
    await vi.waitFor(() => expect(bench.trust.status().crls).toMatchObject([{ lastError: 'crl_outdated' }]), 5000);
    expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_revoked');
    // what is not renewed is not good for ever: the status says it too
    bench.clock.wallSeconds = NOW + 2 * DAY;
    expect(bench.trust.status().crls).toMatchObject([{ state: 'stale' }]);
  });

  test('by the list of the same CA with its next key', async () => {
    const next = createAuthority('Root');
    const bench = await benchWith(root.pem + next.pem, { list: root.crl({ revoked: [bad.serial] }) });
    bench.write('list', next.crl({ thisUpdateDays: -0.5 }));
    await vi.waitFor(() => expect(bench.judge(pem(clientOf(next).pem))).toBe('present verified good'), 5000);
    expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_revoked');
  });

  test('and a CA that leaves the bundles takes its list with it', async () => {
    const other = createAuthority('Other');
    const bench = await benchWith(root.pem + other.pem, { list: root.crl({ revoked: [bad.serial] }) });
    bench.write('list', other.crl({ revoked: ['01'] }));
    await listWasRead(bench, 2);
    bench.write('ca.pem', other.pem);
    await listWasRead(bench, 1);
    bench.write('ca.pem', root.pem + other.pem);
    await vi.waitFor(() => expect(bench.judge(pem(bad.pem))).toBe('invalid certificate_revoked'), 5000);
  });
});

test.each(['issuingDistributionPoint', 'deltaIndicator'] as const)(
  'a list with %s is about a part, whether that is critical or not',
  async (kind) => {
    const bench = await benchWith(root.pem, { list: root.crl({ extensions: [oddExtension(kind, false)] }) });
    expect(bench.trust.status().crls).toMatchObject([{ state: 'never_loaded', lastError: 'crl_invalid' }]);
  },
);

describe('serials are numbers, however they are written', () => {
  test.each([
    ['00ff', 'ff'],
    ['00ff', '00ff'],
    ['0080aa', '80aa'],
    ['7f', '007f'],
  ])('%s of the certificate, %s of the lists', async (own, listed) => {
    const client = root.client({ commonName: 'x', uris: ['spiffe://td.example/x'], serial: own });
    expect((await benchWith(root.pem, { list: root.crl({ revoked: [listed] }) })).judge(pem(client.pem))).toBe(
      'invalid certificate_revoked',
    );
    for (const text of [listed, listed.toUpperCase(), `0000${listed}`, listed.replace(/(..)(?=.)/g, '$1:')]) {
      const denied = { sha256: [], serials: [text], file: null };
      expect((await benchWith(root.pem, {}, { denied })).judge(pem(client.pem))).toBe('invalid certificate_denied');
    }
  });

  test('a negative one is no number of ours', async () => {
    const client = root.client({ commonName: 'x', uris: ['spiffe://td.example/x'], serial: 'ff' });
    expect((await benchWith(root.pem, {})).judge(pem(client.pem))).toBe('invalid certificate_malformed');
  });

  test('the serial of another issuer revokes nobody', async () => {
    const other = createAuthority('Other');
    const bench = await benchWith(root.pem + other.pem, { list: other.crl({ revoked: [bad.serial] }), own: root.crl() });
    expect(bench.judge(pem(bad.pem))).toBe('present verified good');
  });
});

describe('an issuer that is revoked or refused', () => {
  const middle = root.intermediate('Middle');
  const below = clientOf(middle);
  const offer = pem(below.pem, middle.pem);

  test('vouches for nobody any more, though it is in a bundle itself so that its own list counts', async () => {
    const lists = (revoked: readonly string[]) => ({ root: root.crl({ revoked }), middle: middle.crl() });
    expect((await benchWith(root.pem + middle.pem, lists([]))).judge(offer)).toBe('present verified good');
    expect((await benchWith(root.pem + middle.pem, lists([middle.serial]))).judge(offer)).toBe('invalid certificate_revoked');
    // where nothing is known of the anchor, it is an anchor
    expect((await benchWith(middle.pem, { middle: middle.crl() })).judge(offer)).toBe('present verified good');
  });

  test('by fingerprint or serial takes its leaves with it; an anchor by fingerprint', async () => {
    const judged = async (denied: { sha256?: string[]; serials?: string[] }): Promise<string> =>
      (await benchWith(root.pem, {}, { denied: { sha256: [], serials: [], file: null, ...denied } })).judge(offer);
    expect(await judged({ sha256: [shaOf(bad.der)] })).toBe('present verified unchecked');
    expect(await judged({ sha256: [shaOf(middle.der)] })).toBe('invalid certificate_denied');
    expect(await judged({ serials: [middle.serial] })).toBe('invalid certificate_denied');
    expect(await judged({ sha256: [shaOf(root.der)] })).toBe('invalid certificate_denied');
    // serials are of whichever issuer, and many a root has the serial 1: that of an anchor does not count
    expect(await judged({ serials: [root.serial] })).toBe('present verified unchecked');
  });
});

describe('a certificate that is refused by name', () => {
  const judge = (made: MadeCertificate | CertificateOffer, denied: { sha256?: string[]; serials?: string[] }): string =>
    createTrustBench(() => ({ denied: { sha256: [], serials: [], file: null, ...denied } })).judge(
      'pem' in made && !('form' in made) ? pem(made.pem) : (made as CertificateOffer),
    );

  test.each(['P-256', 'P-384', 'P-521'])('is so with the other form of its signature too (%s), which is as good', (namedCurve) => {
    const ca = createAuthority('EC', { keys: generateKeyPairSync('ec', { namedCurve }) });
    const mine = clientOf(ca);
    const twin = derOfOtherSignature(mine.der, namedCurve);
    expect(shaOf(twin)).not.toBe(shaOf(mine.der));
    const offer: CertificateOffer = { form: 'der_base64', header: twin.toString('base64'), chain: null };
    expect(judge(offer, {})).toBe('present asserted unchecked');
    expect(judge(offer, { sha256: [shaOf(mine.der)] })).toBe('invalid certificate_denied');
    expect(judge(mine, { sha256: [shaOf(twin)] })).toBe('invalid certificate_denied');
    expect(judge(clientOf(ca, 'other'), { sha256: [shaOf(mine.der)] })).toBe('present asserted unchecked');
  });

  test('cannot hide behind fields that leave out by what', () => {
    const fields = (header: string): CertificateOffer => ({ form: 'xfcc', header });
    expect(judge(fields(`Hash=${shaOf(bad.der)}`), {})).toBe('present unchecked unchecked');
    expect(judge(fields(`Hash=${shaOf(bad.der)}`), { serials: ['01'] })).toBe('invalid certificate_unverifiable');
    expect(judge(fields('Subject="CN=bad"'), { sha256: [shaOf(bad.der)] })).toBe('invalid certificate_unverifiable');
    expect(judge(fields(`Hash=${shaOf(root.der)}`), { sha256: [shaOf(bad.der)] })).toBe('present unchecked unchecked');
  });
});

test('a long list of refused certificates is read whole, and others get their turn meanwhile', async () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `serial ${(0x1000_0000 + n).toString(16)}`);
  let turns = 0;
  const ticking = setInterval(() => turns++, 0);
  const entries = await parseDeniedFile(Buffer.from(lines.join('\n')));
  clearInterval(ticking);
  expect(entries.serials.size).toBe(20_000);
  expect(turns).toBeGreaterThan(0);
  await expect(parseDeniedFile(Buffer.from(`${lines.join('\n')}\nserial x`))).rejects.toMatchObject({ code: 'deny_list_invalid' });
});
