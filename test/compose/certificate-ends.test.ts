import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { openCertificateEnds } from '../../src/compose/certificate-ends.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createMetrics } from '../../src/record/metrics.ts';
import { readDocumentFile } from '../../src/stores/read-file.ts';
import { status } from '../record/records.ts';
import { createAuthority } from '../support/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-ends-'));
afterAll(() => rmSync(folder, { recursive: true }));

const DAY = 86_400;
const authority = createAuthority();
const client = (until: number) => authority.client({ commonName: 'pdp', uris: [], validDays: [-10, until] }).pem;
const ca = (until: number) => createAuthority('CA', { validDays: [-10, until] });

function put(name: string, ...texts: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, texts.join('\n'));
  return path;
}

function open(files: Parameters<typeof configOf>[0], everyMs = 60_000) {
  const ends = openCertificateEnds(configOf(files), { clock: { now: Date.now }, readFile: readDocumentFile, everyMs });
  onTestFinished(() => ends.stop());
  /** Days from now, rounded. */
  const days = () =>
    Object.fromEntries(
      (ends.status().certificateEnds ?? []).map(({ key, endsAt, lifetimeSeconds }) => [
        key,
        endsAt === null || lifetimeSeconds === null
          ? null
          : [Math.round((endsAt - Date.now() / 1000) / DAY), Math.round(lifetimeSeconds / DAY)],
      ]),
    );
  return { ends, days };
}

function configOf(files: {
  readonly certFile?: string;
  readonly clientCaFile?: string;
  readonly bundle?: string;
  readonly logCert?: string;
}) {
  const { certFile, clientCaFile = null, bundle, logCert } = files;
  const config = loadConfig({ env: {} });
  const { identity, decisions, grpc } = config;
  const bundles = bundle === undefined ? [] : [{ name: 'mesh', file: bundle, trustDomain: 'td' }];
  const http = loadConfig({ env: { COUNTERSIGN_DECISIONS_LOG_HTTP_URL: 'https://logs.example/logs' } }).decisions.log.http;
  return {
    ...config,
    grpc: { ...grpc, tls: certFile === undefined ? null : { certFile, keyFile: 'none', clientCaFile } },
    identity: { ...identity, certificates: { ...identity.certificates, trustBundles: bundles } },
    decisions: {
      ...decisions,
      log: {
        ...decisions.log,
        http: logCert === undefined || http === null ? null : { ...http, tls: { caFile: null, certFile: logCert, keyFile: 'none' } },
      },
    },
  };
}

it('says of each file of the configuration when it is of no use any more', async () => {
  const der = ca(50).der.toString('base64');
  const { ends, days } = open({
    certFile: put('own.pem', client(90), ca(20).pem),
    clientCaFile: put('clients.pem', ca(-1).pem, ca(40).pem, ca(30).pem),
    bundle: put('mesh.json', JSON.stringify({ keys: [{ use: 'x509-svid', kty: 'EC', x5c: [der] }] })),
    logCert: put('log.pem', client(3)),
  });
  await ends.start();
  expect(days()).toEqual({
    'grpc.tls.certFile': [20, 30],
    'grpc.tls.clientCaFile': [30, 40],
    'decisions.log.http.tls.certFile': [3, 13],
    'identity.certificates.trustBundles.mesh': [50, 60],
  });
});

it('says it where all are over, and nothing of a file that it could never read', async () => {
  const { ends, days } = open({
    certFile: join(folder, 'none.pem'),
    clientCaFile: put('over.pem', ca(-5).pem, ca(-2).pem),
    logCert: put('bad', 'no'),
  });
  await ends.start();
  expect(days()).toEqual({ 'grpc.tls.certFile': null, 'grpc.tls.clientCaFile': [-2, 8], 'decisions.log.http.tls.certFile': null });
});

it('follows a file that is renewed, and keeps what it knew of one that is gone', async () => {
  const certFile = put('renewed.pem', client(5));
  const { ends, days } = open({ certFile }, 5);
  await ends.start();
  expect(days()).toEqual({ 'grpc.tls.certFile': [5, 15] });
  put('renewed.pem', client(70));
  await expect.poll(days).toEqual({ 'grpc.tls.certFile': [70, 80] });
  rmSync(certFile);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(days()).toEqual({ 'grpc.tls.certFile': [70, 80] });
});

it('is no part of the status where there are none, and a metric where there are', async () => {
  expect(open({}).ends.status()).toEqual({});
  const certificateEnds = [
    { key: 'http.tls.certFile', endsAt: 1_800_000_000, lifetimeSeconds: 7_776_000 },
    { key: 'grpc.tls.certFile', endsAt: null, lifetimeSeconds: null },
  ];
  const metrics = createMetrics({ version: '0', node: '0', clock: { now: () => 0 }, status: () => ({ ...status, certificateEnds }) });
  const { text } = await metrics.scrape();
  expect(text.match(/^countersign_certificate_.*/gm)).toEqual([
    'countersign_certificate_not_after_timestamp_seconds{key="http.tls.certFile"} 1800000000',
    'countersign_certificate_lifetime_seconds{key="http.tls.certFile"} 7776000',
  ]);
});
