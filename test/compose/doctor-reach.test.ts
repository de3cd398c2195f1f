import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { createReachProbes } from '../../src/compose/doctor-reach.ts';
import { createDoctorTools } from '../../src/compose/doctor-tools.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { judgeLogCollector, judgeLogKey } from '../../src/doctor/reach.ts';
import { systemClock } from '../../src/system-clock.ts';
import { baseBundle } from '../decide/fixtures.ts';
import { silentLogger } from '../identify/fixtures.ts';
import { serveBundle } from '../support/bundle-server.ts';
import { createAuthority } from '../support/certificates.ts';
import { startCollector } from '../support/log-collector.ts';

/* What the doctor reaches for, over real servers. */

const folder = mkdtempSync(join(tmpdir(), 'countersign-reload-reach-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const probes = createReachProbes(systemClock, silentLogger);

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function sinkOf(http: object): NonNullable<Config['decisions']['log']['http']> {
  return configSchema.parse({ decisions: { log: { http } } }).decisions.log.http ?? expect.fail();
}

test("the decision log's collector is sent its credential and a batch without an event, so that it has no decision more", async () => {
  const collector = await startCollector();
  const found = await probes.probeLogCollector(sinkOf({ url: collector.url, credentials: { tokenFile: file('token', 'canary\n') } }));
  expect(found).toEqual({ error: null, status: 200 });
  expect([collector.batches, collector.taken]).toEqual([[[]], []]);
  expect(collector.asked[0]).toMatchObject({ authorization: 'Bearer canary', 'content-encoding': 'gzip' });
});

test.each<[number, 'best_effort' | 'required', string]>([
  [200, 'required', 'ok'],
  [400, 'required', 'ok'],
  [401, 'best_effort', 'warning'],
  [401, 'required', 'failed'],
  [404, 'best_effort', 'warning'],
  [500, 'required', 'failed'],
])('a collector that answers %i, with audit %s: %s', async (status, audit, judged) => {
  const collector = await startCollector();
  collector.answer(() => status);
  expect(judgeLogCollector(await probes.probeLogCollector(sinkOf({ url: collector.url })), audit).status).toBe(judged);
});

test('a collector with a certificate of its own CA, and one that asks for ours', async () => {
  const authority = createAuthority();
  const server = authority.server({ dns: [], ips: ['127.0.0.1'] });
  const client = authority.client({ commonName: 'pdp', uris: [] });
  const collector = await startCollector({ cert: server.pem, key: server.keyPem, ca: authority.pem });
  const [caFile, certFile, keyFile] = [file('ca.pem', authority.pem), file('c.pem', client.pem), file('c.key', client.keyPem)];
  expect(await probes.probeLogCollector(sinkOf({ url: collector.url }))).toMatchObject({ error: expect.stringContaining('certificate') });
  expect(await probes.probeLogCollector(sinkOf({ url: collector.url, tls: { caFile, certFile, keyFile } }))).toEqual({
    error: null,
    status: 200,
  });
});

test.each<[string, number, string, string]>([
  ['a good key', 0o400, '0f'.repeat(32), 'ok'],
  ['one that everybody may read', 0o444, '0f'.repeat(32), 'warning'],
  ['one that everybody may write', 0o602, '0f'.repeat(32), 'warning'],
  ['a short one', 0o400, '0f'.repeat(15), 'failed'],
  ['no key at all', 0o400, 'canary of the key', 'failed'],
])('the key of the log: %s', async (name, mode, text, status) => {
  const path = file(name.replaceAll(' ', '-'), text);
  chmodSync(path, mode);
  const judged = judgeLogKey(await probes.readLogKey(path));
  expect(judged.status).toBe(status);
  expect(JSON.stringify(judged)).not.toContain('canary');
});

test('a source is asked for nothing, without its credential, and through the guard of its addresses', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['x-key']}`);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/clients/{subject.client}`;
  const headers = [{ name: 'x-key', value: 'canary' }];
  const attributes = { tier: { pointer: '/tier' } };
  const probe = async (more: object) => {
    const [source] = configSchema.parse({ sources: [{ name: 'pip', url, headers, attributes, ...more }] }).sources;
    return probes.probeSource(source ?? expect.fail());
  };
  expect(await probe({ allowPrivate: ['127.0.0.1'] })).toEqual({ error: null });
  expect(await probe({})).toEqual({ error: 'address_not_allowed' });
  expect(asked).toEqual(['GET / undefined']);
});

test('a bundle server that does not take our token is a policy that is refused', async () => {
  const server = await serveBundle(await baseBundle(), { token: 'right' });
  const policy = (token: string) => ({ bundle: server.url, credentials: { tokenFile: file(`bundle-${token}`, token) } });
  const examine = createDoctorTools(systemClock);
  const found = async (token: string) =>
    (await examine(configSchema.parse({ policy: policy(token) }))).find(({ check }) => check === 'policy');
  expect(await found('right')).toMatchObject({ status: 'ok' });
  expect(await found('wrong')).toMatchObject({ status: 'failed', message: expect.stringContaining('401') });
});

test('a bundle server that is slower than a start waits is waited for', async () => {
  const bundle = await baseBundle();
  const server = await serveBundle(bundle);
  server.answer(
    (_request, response) => void setTimeout(() => response.writeHead(200, { 'content-type': 'application/gzip' }).end(bundle), 2500),
  );
  const findings = await createDoctorTools(systemClock)(configSchema.parse({ policy: { bundle: server.url } }));
  expect(findings.find(({ check }) => check === 'policy')).toMatchObject({ status: 'ok' });
});
