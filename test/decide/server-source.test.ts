import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { PolicyOptions, ServerOptions } from '../../src/decide/options.ts';
import { createPolicies } from '../../src/decide/policies.ts';
import { createServerSource } from '../../src/decide/source/server-source.ts';
import { fetchBundle } from '../../src/stores/bundle-fetch.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import { serveBundle } from '../support/bundle-server.ts';
import { createAuthority } from '../support/certificates.ts';
import { editBundle } from './bundles.ts';
import { baseBundle, CLOCK, decideOptions, policyOptions, SILENT } from './fixtures.ts';
import { withManifest } from './signed-bundles.ts';

const scratch = mkdtempSync(join(tmpdir(), 'countersign-server-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let [r1, r2, bad]: readonly Uint8Array[] = [];
beforeAll(async () => {
  const base = await baseBundle();
  r1 = await withManifest(base, { revision: 'r1' });
  r2 = await withManifest(base, { revision: 'r2' });
  bad = await withManifest(base, { revision: 'r3', wasm: [{ entrypoint: 'x', module: '/none.wasm' }] });
});
const bundle = (which: Uint8Array | undefined): Uint8Array => which ?? new Uint8Array();

const server = (more: Partial<ServerOptions> = {}): ServerOptions => ({
  polling: { minMs: 20, maxMs: 40, waitMs: 0, timeoutMs: 2000, bytesMax: 32 << 20 },
  credentials: { tokenFile: null },
  tls: { caFile: null, certFile: null, keyFile: null },
  allowInsecureHttp: false,
  ...more,
});

/** Policies that follow a server, until the test ends. */
async function following(url: string, options: ServerOptions = server(), policy: Partial<PolicyOptions> = {}, clock = CLOCK) {
  const parts = { fetchBundle, readFile: readDocumentFile, random: Math.random, monotonic: () => performance.now() };
  const set = createPolicies(decideOptions({ policies: { default: policyOptions({ bundle: url, ...policy }) } }), {
    clock,
    logger: SILENT,
    readFile: readDocumentFile,
    openSource: () => createServerSource(url, options, parts),
  });
  onTestFinished(() => set.stop());
  await set.load();
  return {
    set,
    status: () => set.status()[0],
    until: (wanted: object) => vi.waitFor(() => expect(set.status()[0]).toMatchObject(wanted), { timeout: 10_000, interval: 20 }),
  };
}

describe('a bundle server', () => {
  it('is asked by ETag, and what changes becomes active', async () => {
    const served = await serveBundle(bundle(r1));
    const { status, until } = await following(`${served.url}?secret=1`);
    expect(status()).toMatchObject({ revision: 'r1', runningOn: 'source', expectedRevision: 'r1', lastError: null });
    await vi.waitFor(() => expect(served.asked.length).toBeGreaterThan(3));
    expect(served.asked[0]).not.toHaveProperty('if-none-match');
    expect(served.asked.slice(1).every((headers) => headers['if-none-match'] !== undefined)).toBe(true);
    expect(served.asked[0]?.['prefer']).toBe('modes=snapshot');
    served.publish(bundle(r2));
    await until({ revision: 'r2', expectedRevision: 'r2' });
  });

  it('without ETags: an equal bundle is not activated again', async () => {
    const served = await serveBundle(bundle(r1), { etags: false });
    const { set, status, until } = await following(served.url);
    const policy = await set.rollback('default', 'r1');
    await vi.waitFor(() => expect(served.asked.length).toBeGreaterThan(4));
    expect(set.revisions('default')).toHaveLength(1);
    expect(status()).toMatchObject({ revision: policy.revision });
    served.publish(bundle(r2));
    await until({ revision: 'r2' });
  });

  it('that lets requests wait answers as soon as there is something new', async () => {
    const served = await serveBundle(bundle(r1), { waits: true });
    const polling = { minMs: 600_000, maxMs: 600_000, waitMs: 60_000, timeoutMs: 2000, bytesMax: 32 << 20 };
    const { until } = await following(served.url, server({ polling }));
    await vi.waitFor(() => expect(served.asked).toHaveLength(2));
    expect(served.asked[1]?.['prefer']).toBe('modes=snapshot;wait=60');
    served.publish(bundle(r2));
    await until({ revision: 'r2' });
  });

  it('is shown the bearer token of a file, which may change', async () => {
    const tokenFile = join(scratch, 'token');
    writeFileSync(tokenFile, 'old\n');
    const served = await serveBundle(bundle(r1), { token: 'new' });
    const { status, until } = await following(served.url, server({ credentials: { tokenFile } }));
    expect(status()).toMatchObject({ state: 'not_loaded', lastError: { code: 'fetch_failed', text: expect.stringMatching(/status 401/) } });
    writeFileSync(tokenFile, 'new\n');
    await until({ revision: 'r1', lastError: null });
    rmSync(tokenFile);
    await until({ runningOn: 'last_known_good', lastError: { code: 'fetch_failed' } });
  });

  it('over TLS, with a certificate of ours and the authority that we trust', async () => {
    const [authority, other] = [createAuthority(), createAuthority('Another CA')];
    const [own, client] = [authority.server({ dns: [], ips: ['127.0.0.1'] }), authority.client({ commonName: 'replica', uris: [] })];
    const file = (name: string, text: string): string => {
      writeFileSync(join(scratch, name), text);
      return join(scratch, name);
    };
    const served = await serveBundle(bundle(r1), { tls: { cert: own.pem, key: own.keyPem, ca: authority.pem } });
    const tls = {
      caFile: file('ca.pem', authority.pem),
      certFile: file('client.pem', client.pem),
      keyFile: file('client.key', client.keyPem),
    };
    expect((await following(served.url, server({ tls }))).status()).toMatchObject({ revision: 'r1' });
    const wrong = await following(served.url, server({ tls: { ...tls, caFile: file('other.pem', other.pem) } }));
    expect(wrong.status()).toMatchObject({ state: 'not_loaded', lastError: { text: expect.stringMatching(/certificate/) } });
    const without = await following(served.url, server({ tls: { ...tls, certFile: null, keyFile: null } }));
    expect(without.status()).toMatchObject({ state: 'not_loaded', lastError: { code: 'fetch_failed' } });
  });

  it.each([
    ['a redirect', (_: unknown, response) => response.writeHead(302, { location: 'https://elsewhere.example' }).end(), 'fetch_failed'],
    ['an error', (_: unknown, response) => response.writeHead(500).end(), 'fetch_failed'],
    ['a page', (_: unknown, response) => response.end('<html>'), 'bundle_unreadable'],
    ['an empty body', (_: unknown, response) => response.end(), 'bundle_unreadable'],
    ['half a bundle', (_: unknown, response) => response.end(bundle(r1).subarray(0, 1000)), 'bundle_unreadable'],
    [
      'a body that is cut',
      (_: unknown, response) => response.writeHead(200, { 'content-length': '5000' }).write('x', () => response.destroy()),
      'fetch_failed',
    ],
    [
      'an announced 200 MB',
      (_: unknown, response) => response.writeHead(200, { 'content-length': String(200 << 20) }).write('x'),
      'fetch_too_large',
    ],
    ['an endless body', (_: unknown, response) => endless(response), 'fetch_too_large'],
    ['silence', () => undefined, 'fetch_failed'],
  ] as const satisfies readonly (readonly [string, (request: unknown, response: ServerResponse) => unknown, string])[])(
    '[asks 48] %s is refused by name, the old policy serves, and it recovers',
    async (_name, handler, code) => {
      const served = await serveBundle(bundle(r1));
      const polling = { minMs: 20, maxMs: 100, waitMs: 0, timeoutMs: 300, bytesMax: 4 << 20 };
      const { until } = await following(served.url, server({ polling }));
      served.answer(handler);
      await until({ revision: 'r1', runningOn: 'last_known_good', lastError: { code } });
      served.answer(null);
      await until({ revision: 'r1', runningOn: 'source', lastError: null });
    },
  );

  it('[asks 61] what it has and what is active are told apart', async () => {
    const served = await serveBundle(bundle(r1));
    const { status, until } = await following(served.url);
    served.publish(bundle(bad));
    await until({ lastError: { code: 'bundle_wasm_missing', revision: null }, runningOn: 'last_known_good' });
    served.publish(await withManifest(bundle(r2), { revision: 'r4', roots: ['x'] }));
    await until({ revision: 'r4', expectedRevision: 'r4' });
    served.publish(await withManifest(bundle(r2), { revision: 'r5' }, { sequence: -1 }));
    await until({ lastError: { code: 'bundle_manifest_invalid' } });
    // its manifest can be read, its module cannot be used: the two revisions differ
    served.publish(await editBundle(bundle(r2), (files) => files.set('policy.wasm', 'none')));
    await until({ lastError: { code: 'bundle_wasm_invalid', revision: 'r2' }, revision: 'r4', expectedRevision: 'r2' });
    expect(status()).toMatchObject({ revision: 'r4' });
  });

  it('[asks 53] that is away leaves nothing loaded, and a start does not wait for it', async () => {
    const served = await serveBundle(bundle(r1));
    served.answer(() => undefined);
    const polling = { minMs: 20, maxMs: 40, waitMs: 0, timeoutMs: 60_000, bytesMax: 4 << 20 };
    const { status } = await following(served.url, server({ polling }));
    expect(status()).toMatchObject({ state: 'not_loaded', revision: null, runningOn: null });
  });

  it('a policy that it has not confirmed for too long is too old', async () => {
    let nowMs = CLOCK.now();
    const served = await serveBundle(bundle(r1));
    const clock = { ...CLOCK, now: () => nowMs };
    const { status, until } = await following(served.url, server(), { ageMax: 300 }, clock);
    served.answer((_, response) => response.writeHead(503).end());
    await until({ lastError: { code: 'fetch_failed' }, tooOld: false });
    nowMs += 301_000;
    expect(status()).toMatchObject({ state: 'active', tooOld: true, ageSeconds: 301 });
    served.answer(null);
    await until({ tooOld: false, ageSeconds: 0 });
  });

  it('plain http off this machine is never asked', async () => {
    const { status } = await following('http://bundles.example/x.tar.gz');
    expect(status()).toMatchObject({ lastError: { code: 'fetch_failed', text: expect.stringMatching(/neither https nor loopback/) } });
  });
});

function endless(response: ServerResponse): void {
  const more = (): void => {
    if (!response.destroyed) response.write(Buffer.alloc(1 << 20), () => setImmediate(more));
  };
  response.writeHead(200);
  more();
}

describe('the time between two questions', () => {
  const source = (random: number) =>
    createServerSource(
      'https://bundles.example/x',
      server({ polling: { minMs: 1000, maxMs: 3000, waitMs: 0, timeoutMs: 1, bytesMax: 1 } }),
      {
        fetchBundle,
        readFile: readDocumentFile,
        random: () => random,
        monotonic: () => 0,
      },
    );

  it('is one of chance between the two bounds, and after failures longer each time', () => {
    expect([source(0).delayMs(0), source(0.5).delayMs(0), source(1).delayMs(0)]).toEqual([1000, 2000, 3000]);
    expect([1, 2, 3, 100].map((failures) => source(1).delayMs(failures))).toEqual([1000, 2000, 3000, 3000]);
    expect(source(0).delayMs(1)).toBe(500);
  });
});
