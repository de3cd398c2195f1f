import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { type AdminFolder, createAdminFolder, linesOf } from '../support/admin-service.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { createKey, createRegistryFolder, HASH_KEY_ID, HASH_SECRET } from '../support/registry.ts';
import { type RevocationService, revocationService, signalsOf } from '../support/revocation-service.ts';

/* Two replicas of the real process over one real Redis: what is revoked at one is refused at the other. */

const WAIT = { timeout: 20_000, interval: 25 };
const NOW = Math.floor(Date.now() / 1000);
const CHANNEL = 'countersign:{revocations}';

let folder: AdminFolder;
let redis: RedisServer;
let replicas: RevocationService[] = [];
let serial = 0;

const start = (more: Parameters<typeof revocationService>[1] = {}): Promise<RevocationService> =>
  revocationService(folder, { store: { kind: 'redis', url: redis.url, deadlineMs: 500 }, ...more });

beforeAll(async () => {
  folder = await createAdminFolder();
});
afterAll(() => folder.remove());
beforeEach(async () => {
  redis = await startRedis();
  replicas = await Promise.all([start(), start()]);
});
afterEach(async () => {
  await Promise.all(replicas.map((one) => one.stop()));
  await redis.stop();
});

const tokenOf = async (replica: RevocationService, client: string) => {
  const claims = { iss: 'https://as.example', sub: 'alice', client_id: client, iat: NOW - 60, exp: NOW + 600 };
  return (await signalsOf(replica, { token: { claims } }))['token'];
};
const revoke = (replica: RevocationService, client: string) =>
  replica.admin('revocations', { method: 'POST', body: { client, reason: 'INC-7' } });
const both = (): readonly [RevocationService, RevocationService] => {
  const [a, b] = replicas;
  if (a === undefined || b === undefined) throw new Error('no replicas');
  return [a, b];
};
const untilTokenIs = (replica: RevocationService, client: string, state: string) =>
  vi.waitFor(async () => expect(await tokenOf(replica, client)).toBe(state), WAIT);
const stateOf = async (replica: RevocationService) => Object((await replica.status())['revocations']);
const name = (): string => `agent-${serial++}`;

test('[asks 39] revoked at one, refused at the other, and taken back the same way', async () => {
  const [a, b] = both();
  const client = name();
  const { status, json } = await revoke(a, client);
  expect([status, json['shared']]).toEqual([201, true]);
  expect(await tokenOf(a, client)).toBe('client_revoked');
  await untilTokenIs(b, client, 'client_revoked');
  expect((await b.admin('revocations')).json).toMatchObject({ total: 1, revocations: [{ client, by: 'admin-1' }], next: null });
  const id = Object(json['revocations'])[0].id;
  expect((await b.admin(`revocations/${id}`, { method: 'DELETE' })).status).toBe(200);
  await untilTokenIs(a, client, 'present');
});

test('[asks 39, 40] an API key that both know well', async () => {
  const registry = createRegistryFolder();
  const key = createKey('agent-k');
  registry.write('clients.yaml', { clients: [{ clientId: 'agent-k', type: 'service' }], keys: [key.entry] });
  const declared = { directory: registry.directory, hashKeys: [{ id: HASH_KEY_ID, secret: HASH_SECRET }] };
  const [one, other] = await Promise.all([start({ registry: declared }), start({ registry: declared })]);
  onTestFinished(async () => void (await Promise.all([one.stop(), other.stop()])));
  const keyOf = async (replica: RevocationService) => (await signalsOf(replica, { headers: { 'x-api-key': key.text } }))['api_key'];
  for (const replica of [one, other]) await vi.waitFor(async () => expect(await keyOf(replica)).toBe('present'), WAIT);
  await one.admin('revocations', { method: 'POST', body: { api_key: key.id, reason: 'INC-7' } });
  expect(await keyOf(one)).toBe('api_key_revoked');
  await vi.waitFor(async () => expect(await keyOf(other)).toBe('api_key_revoked'), WAIT);
});

test('nobody hears of it: the version heals it', async () => {
  const [a, b] = both();
  // nothing that is published reaches anybody from now on
  await redis.command('ACL', 'SETUSER', 'default', 'resetchannels');
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  expect(await redis.command('PUBSUB', 'NUMSUB', CHANNEL)).toContain(':0');
  const client = name();
  expect((await revoke(a, client)).status).toBe(201);
  await untilTokenIs(b, client, 'client_revoked');
  expect(await redis.command('PUBSUB', 'NUMSUB', CHANNEL)).toContain(':0');
  expect(linesOf(b.process, 'store_not_heard')).toHaveLength(1);
});

test('Redis forgets everything: nothing is revoked less, and it is put back once', async () => {
  const [a, b] = both();
  const client = name();
  await revoke(a, client);
  await untilTokenIs(b, client, 'client_revoked');
  await redis.command('FLUSHALL');
  await vi.waitFor(async () => expect(await redis.command('HLEN', CHANNEL)).not.toContain(':0'), WAIT);
  // a replica that begins now knows it too
  const late = await start();
  onTestFinished(async () => void (await late.stop()));
  expect([await tokenOf(a, client), await tokenOf(b, client), await tokenOf(late, client)]).toEqual(Array(3).fill('client_revoked'));
  await vi.waitFor(async () => {
    const states = [await stateOf(a), await stateOf(b), await stateOf(late)];
    expect(new Set(states.map(({ version }) => version)).size).toBe(1);
    expect(states[0].history_lost + states[1].history_lost).toBeGreaterThan(0);
  }, WAIT);
});

test('Redis is away: what is known stays in force and is called stale, nothing new is taken, and nobody is taken out of the traffic', async () => {
  const [a] = both();
  const client = name();
  await revoke(a, client);
  await redis.kill();
  await vi.waitFor(async () => expect(await stateOf(a)).toMatchObject({ state: 'stale', last_error: 'store_unavailable' }), WAIT);
  expect(await tokenOf(a, client)).toBe('client_revoked');
  const refused = await revoke(a, name());
  expect([refused.status, refused.json['code'], refused.headers.get('retry-after')]).toEqual([503, 'store_unavailable', '1']);
  const ready = await fetch(`http://127.0.0.1:${a.process.operationsPort}/readyz`);
  expect([ready.status, await ready.json()]).toMatchObject([200, { parts: { revocations: 'stale' } }]);
  // an empty one comes back
  redis = await startRedis({ port: redis.port });
  await vi.waitFor(async () => expect(await stateOf(a)).toMatchObject({ state: 'ready', entries: 1, last_error: null }), WAIT);
  const late = await start();
  onTestFinished(async () => void (await late.stop()));
  expect(await tokenOf(late, client)).toBe('client_revoked');
});

test('Redis is away at the start: nobody counts, unless something was kept, or the configuration says otherwise', async () => {
  const [a] = both();
  const client = name();
  const keeping = await start({ state: folder.path });
  await revoke(a, client);
  await untilTokenIs(keeping, client, 'client_revoked');
  await keeping.stop();
  await redis.kill();
  const [strict, kept, lax] = await Promise.all([start({ until: 'live' }), start({ state: folder.path }), start({ required: false })]);
  onTestFinished(async () => void (await Promise.all([strict, kept, lax].map((one) => one.stop()))));
  await untilTokenIs(strict, client, 'registry_unavailable');
  expect((await fetch(`http://127.0.0.1:${strict.process.operationsPort}/readyz`)).status).toBe(503);
  expect(await tokenOf(kept, client)).toBe('client_revoked');
  expect(await tokenOf(kept, name())).toBe('present');
  expect(await tokenOf(lax, client)).toBe('present');
  redis = await startRedis({ port: redis.port });
  await untilTokenIs(strict, client, 'client_revoked');
  await untilTokenIs(lax, client, 'client_revoked');
});

test('as many as there may be, for all replicas together', async () => {
  const few = await start({ entriesMax: 2 });
  onTestFinished(async () => void (await few.stop()));
  const [a, b] = both();
  await revoke(a, 'first');
  await revoke(b, 'second');
  const full = await revoke(few, 'third');
  expect([full.status, full.json['code']]).toEqual([507, 'revocations_full']);
  expect((await revoke(few, 'first')).status).toBe(200);
});
