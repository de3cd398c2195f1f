import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type AdminFolder, createAdminFolder, linesOf } from './support/admin-service.ts';
import { createAuthority } from './support/certificates.ts';
import { createKey, createRegistryFolder, HASH_KEY_ID, HASH_SECRET } from './support/registry.ts';
import { type RevocationService, revocationService, signalsOf } from './support/revocation-service.ts';

/* One process, with a file of its own: what is revoked counts with the next decision, and after a restart. */

let folder: AdminFolder;
let one: RevocationService;
const registry = createRegistryFolder();
const key = createKey('agent-k');
const NOW = Math.floor(Date.now() / 1000);
const authority = createAuthority();
const certificate = authority.client({ commonName: 'a', uris: ['spiffe://td.example/agent/a'] });

const config = () => ({
  state: folder.path,
  registry: { directory: registry.directory, hashKeys: [{ id: HASH_KEY_ID, secret: HASH_SECRET }] },
});
const claims = (more: object = {}) => ({
  token: {
    claims: {
      iss: 'https://as.example',
      sub: 'alice',
      client_id: 'agent-a',
      jti: 'j-1',
      sid: 's-1',
      iat: NOW - 60,
      exp: NOW + 600,
      ...more,
    },
  },
});

beforeAll(async () => {
  folder = await createAdminFolder();
  registry.write('clients.yaml', { clients: [{ clientId: 'agent-k', type: 'service' }], keys: [key.entry] });
  one = await revocationService(folder, config());
});
afterAll(async () => {
  await one.stop();
  folder.remove();
});

const idOf = (json: Record<string, unknown>): string => String(Object(json['revocations'])[0]?.id);

describe('[asks 40] what is revoked is refused with the next decision, and comes back when it is taken back', () => {
  test.each<[string, object, () => object, string, string]>([
    ['a client, by its token', { client: 'agent-a' }, claims, 'token', 'client_revoked'],
    ['a client, by its key', { client: 'agent-k' }, () => ({ headers: { 'x-api-key': key.text } }), 'api_key', 'client_revoked'],
    ['an API key', { api_key: key.id }, () => ({ headers: { 'x-api-key': key.text } }), 'api_key', 'api_key_revoked'],
    ['a token', { jti: 'j-1', issuer: 'https://as.example' }, claims, 'token', 'token_revoked'],
    ['a token by its hash', { jti_hash: createHash('sha256').update('j-1').digest('base64url') }, claims, 'token', 'token_revoked'],
    ['a session', { sid: 's-1' }, claims, 'token', 'session_revoked'],
    [
      'a certificate',
      { certificate_sha256: createHash('sha256').update(certificate.der).digest('hex') },
      () => ({ certificate: { pem: certificate.pem } }),
      'certificate',
      'certificate_denied',
    ],
    ['all before', { issued_before: NOW - 30 }, claims, 'token', 'token_issued_before'],
    ['all before of a client', { issued_before: NOW - 30, client: 'agent-a' }, claims, 'token', 'token_issued_before'],
    ['all before of a subject', { issued_before: NOW - 30, subject: 'alice' }, claims, 'token', 'token_issued_before'],
  ])('%s', async (_name, what, evidence, signal, code) => {
    const stateOf = async () => (await signalsOf(one, evidence()))[signal];
    expect(await stateOf()).toBe('present');
    const made = await one.admin('revocations', { method: 'POST', role: 'operator', body: { ...what, reason: 'INC-7' } });
    expect([made.status, made.json['persisted'], made.json['shared']]).toEqual([201, true, false]);
    expect(await stateOf()).toBe(code);
    const id = idOf(made.json);
    expect((await one.admin(`revocations/${id}`, { role: 'viewer' })).json).toMatchObject({ id, reason: 'INC-7', by: 'operator-1' });
    expect((await one.admin(`revocations/${id}`, { method: 'DELETE' })).status).toBe(200);
    expect(await stateOf()).toBe('present');
  });

  test.each<[string, object]>([
    ['another client', { client: 'agent-b' }],
    ['a token of another issuer', { jti: 'j-1', issuer: 'https://other.example' }],
    ['all before of another subject', { issued_before: NOW - 30, subject: 'bob' }],
    ['all before of the subject at another client', { issued_before: NOW - 30, subject: 'alice', client: 'agent-b' }],
    ['all before an earlier time', { issued_before: NOW - 90 }],
  ])('and nothing else by %s', async (_name, what) => {
    const { json } = await one.admin('revocations', { method: 'POST', body: { ...what, reason: 'r' } });
    expect((await signalsOf(one, claims()))['token']).toBe('present');
    await one.admin(`revocations/${idOf(json)}`, { method: 'DELETE' });
  });
});

test('the files of the registry go on counting beside it', async () => {
  registry.write('revocations.yaml', { revocations: [{ client: 'agent-f' }] });
  const { json } = await one.admin('revocations', { method: 'POST', body: { client: 'agent-p', reason: 'r' } });
  const tokenOf = async (client: string) => (await signalsOf(one, claims({ client_id: client })))['token'];
  await vi.waitFor(async () => expect(await tokenOf('agent-f')).toBe('client_revoked'), { timeout: 10_000, interval: 50 });
  expect(await tokenOf('agent-p')).toBe('client_revoked');
  await one.admin(`revocations/${idOf(json)}`, { method: 'DELETE' });
  expect([await tokenOf('agent-p'), await tokenOf('agent-f')]).toEqual(['present', 'client_revoked']);
});

test('an end takes it back by itself, and a restart does not', async () => {
  const soon = { client: 'agent-soon', reason: 'r', expires_at: Math.floor(Date.now() / 1000) + 5 };
  const { json } = await one.admin('revocations', {
    method: 'POST',
    body: [soon, { client: 'agent-long', reason: 'r', expires_at: NOW + 3600 }],
  });
  expect(json['revocations']).toMatchObject([{ client: 'agent-soon' }, { client: 'agent-long', expires_at: NOW + 3600 }]);
  const tokenOf = async (client: string) => (await signalsOf(one, claims({ client_id: client })))['token'];
  expect(await tokenOf('agent-soon')).toBe('client_revoked');
  await vi.waitFor(async () => expect(await tokenOf('agent-soon')).toBe('present'), { timeout: 10_000, interval: 50 });
  await one.stop();
  one = await revocationService(folder, config());
  expect([await tokenOf('agent-long'), await tokenOf('agent-soon')]).toEqual(['client_revoked', 'present']);
  expect((await one.status())['revocations']).toMatchObject({ state: 'ready', entries: 1, shared: false, persisted: true });
});

test('each change is a line of the log, with what was before and what is after; a longer end is a change, a shorter one is none', async () => {
  const post = (expiresAt: number | null) =>
    one.admin('revocations', { method: 'POST', role: 'operator', body: { client: 'agent-l', reason: 'r', expires_at: expiresAt } });
  expect((await post(NOW + 500)).status).toBe(201);
  expect((await post(NOW + 900)).status).toBe(200);
  expect((await post(NOW + 600)).json['revocations']).toMatchObject([{ expires_at: NOW + 900 }]);
  const { json } = await post(null);
  await one.admin(`revocations/${idOf(json)}`, { method: 'DELETE' });
  const lines = linesOf(one.process, 'admin_change').filter(({ revocation }) => revocation === idOf(json));
  expect(lines).toMatchObject([
    {
      action: 'revocation_add',
      operator: 'operator-1',
      role: 'operator',
      before: null,
      after: { client: 'agent-l', expires_at: NOW + 500 },
    },
    { before: { expires_at: NOW + 500 }, after: { expires_at: NOW + 900 } },
    { before: { expires_at: NOW + 900 }, after: { expires_at: NOW + 900 } },
    { before: { expires_at: NOW + 900 }, after: { expires_at: null } },
    { action: 'revocation_remove', operator: 'admin-1', before: { client: 'agent-l' }, after: null },
  ]);
});

test('a damaged file: nobody counts, and the service says so, unless it is told to go on', async () => {
  const damaged = await createAdminFolder();
  const first = await revocationService(damaged, { state: damaged.path });
  await first.admin('revocations', { method: 'POST', body: { client: 'agent-a', reason: 'r' } });
  await first.stop();
  first.damage(damaged.path);
  const strict = await revocationService(damaged, { state: damaged.path, until: 'live' });
  await vi.waitFor(async () => expect((await signalsOf(strict, claims()))['token']).toBe('registry_unavailable'), {
    timeout: 10_000,
    interval: 50,
  });
  const ready = await fetch(`http://127.0.0.1:${strict.process.operationsPort}/readyz`);
  expect([ready.status, await ready.json()]).toMatchObject([503, { parts: { revocations: 'not_loaded' } }]);
  expect((await strict.status())['revocations']).toMatchObject({ state: 'never_loaded', last_error: 'state_invalid' });
  await strict.stop();
  const lax = await revocationService(damaged, { state: damaged.path, required: false });
  expect((await signalsOf(lax, claims()))['token']).toBe('present');
  await lax.stop();
  damaged.remove();
});
