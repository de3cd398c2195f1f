import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Countersign, PROJECT_ROOT } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { type Received, send } from '../support/http-client.ts';
import { createRegistryFolder, HASH_KEY_ID, HASH_SECRET, type RegistryFolder } from '../support/registry.ts';
import { createWorld, decisionLines, jsonObject, type World } from './world.ts';

/* Keys made by the command line and declared in files, through a real Envoy; what is revoked in a file is refused, whatever is cached. */

let world: World;
let folder: RegistryFolder;
let replicas: readonly Countersign[];
let envoys: readonly Envoy[];
const envoy = () => envoys[0] ?? never();
const service = () => replicas[0] ?? never();

const clients = [
  { clientId: 'agent-a', type: 'agent', owner: 'orders', scopes: ['orders:read', 'usage:read'], tags: ['a'] },
  { clientId: 'agent-b', type: 'service' },
  { clientId: 'agent-s', type: 'service', status: 'suspended' },
];

beforeAll(async () => {
  world = await createWorld();
  folder = createRegistryFolder();
  folder.write('clients.yaml', { clients });
  const registry = { directory: folder.directory, hashKeys: [{ id: HASH_KEY_ID, secret: HASH_SECRET }] };
  replicas = await Promise.all([world.service({ registry }), world.service({ registry })]);
  envoys = await Promise.all(replicas.map((one) => world.envoy([one])));
});
afterAll(() => world.stop());

function never(): never {
  throw new Error('not started');
}

/** `countersign keys create` as an operator runs it; the entry goes into a file of its own. */
async function createDeclared(client: string, ...more: string[]): Promise<{ readonly key: string; readonly id: string }> {
  const secret = join(world.directory, 'hash-key');
  writeFileSync(secret, `${HASH_SECRET}\n`);
  const command = ['src/main.ts', 'keys', 'create', '--json', '--client', client, '--hash-key-file', secret, '--hash-key-id', HASH_KEY_ID];
  const { stdout, stderr, status } = spawnSync(process.execPath, [...command, ...more], { cwd: PROJECT_ROOT, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const { key, entry } = jsonObject(stdout);
  const { id } = Object(entry);
  folder.write(`key-${id}.yaml`, { keys: [entry] });
  await until(async () => (await ask(['x-api-key', String(key)])).status !== 401);
  return { key: String(key), id };
}

const ask = (headers: readonly string[], path = '/usage/today', to: Envoy = envoy()): Promise<Received> => send(to.port, { path, headers });

/** Of the last line of the decision log, which is written a little after the answer. */
function lastReasons(): readonly unknown[] {
  const reasons = decisionLines(service()).at(-1)?.['reasons'];
  return Array.isArray(reasons) ? reasons : [];
}

/** Until a change of a file is in force; that it takes less than a second is for the documentation to say and for the bound to show. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not in force after 10 s: ${service().output().slice(-2000)}`);
    await sleep(50);
  }
}

describe('an API key', () => {
  it('that the command line made passes by either header, and is taken away before the upstream', async () => {
    const { key } = await createDeclared('agent-a', '--scopes', 'usage:read');
    for (const headers of [
      ['x-api-key', key],
      ['authorization', `ApiKey ${key}`],
    ]) {
      expect((await ask(headers)).status).toBe(200);
      const upstream = world.upstream.requests.at(-1)?.headers;
      expect(upstream).toMatchObject({
        'x-countersign-client-id': 'agent-a',
        'x-countersign-assurance': '1',
        'x-countersign-subject': 'agent-a',
      });
      expect(upstream).not.toHaveProperty('x-api-key');
      expect(upstream).not.toHaveProperty('authorization');
    }
    expect(service().output()).not.toContain(key.slice(20, 60));
  });

  it('is not enough where the route asks for more, and a scope of its client is not one of its own', async () => {
    const { key } = await createDeclared('agent-a', '--scopes', 'usage:read');
    expect((await ask(['x-api-key', key], '/orders/42')).status).toBe(401);
    const other = await createDeclared('agent-a', '--scopes', 'orders:read,admin');
    const answer = await ask(['x-api-key', other.key]);
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBe('ApiKey realm="countersign", error="insufficient_scope", scope="usage:read"');
  });

  it('with a typo, twice, or of nobody is refused with a challenge of its own', async () => {
    const { key } = await createDeclared('agent-b', '--scopes', 'usage:read');
    const typo = `${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`;
    for (const headers of [
      ['x-api-key', typo],
      ['x-api-key', key, 'x-api-key', key],
      ['x-api-key', key, 'authorization', `ApiKey ${key}`],
    ]) {
      const answer = await ask(headers);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe(
        'ApiKey realm="countersign", error="invalid_key", error_description="The API key is not valid"',
      );
    }
  });

  it('of a client that is suspended is refused', async () => {
    const { key } = await createDeclared('agent-s', '--scopes', 'usage:read');
    expect((await ask(['x-api-key', key])).status).toBe(403);
    await until(async () => lastReasons().includes('identity.client_inactive'));
    expect(decisionLines(service()).at(-1)).toMatchObject({ subject: { client: 'agent-s' } });
  });

  it('beside the token of another client names nobody', async () => {
    const { key } = await createDeclared('agent-b', '--scopes', 'usage:read');
    const both = ['authorization', await world.bearer('agent-a', 'orders:read'), 'x-api-key', key];
    expect((await ask(both, '/orders/42')).status).toBe(403);
    await until(async () => lastReasons().includes('identity.client_conflict'));
  });

  it('nothing at all: both schemes are offered', async () => {
    const answer = await ask([]);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="countersign", ApiKey realm="countersign"');
  });
});

describe('the kill switch', () => {
  it('[asks 39] [asks 40] a revoked key is refused on every replica, with all caches warm', async () => {
    const { key, id } = await createDeclared('agent-a', '--scopes', 'usage:read');
    await until(async () =>
      (await Promise.all(envoys.map((to) => ask(['x-api-key', key], '/usage/today', to)))).every((one) => one.status === 200),
    );
    folder.write('revocations.yaml', { revocations: [{ apiKey: id, reason: 'leaked' }] });
    for (const to of envoys) await until(async () => (await ask(['x-api-key', key], '/usage/today', to)).status === 401);
    await until(async () => lastReasons().includes('identity.revoked'));
  });

  it('[asks 40] a token that was verified a moment ago is refused once its client is revoked, and passes again after', async () => {
    const headers = ['authorization', await world.bearer('agent-b', 'orders:read')];
    for (let count = 0; count < 5; count++) expect((await ask(headers, '/orders/42')).status).toBe(200);
    folder.write('revocations.yaml', { revocations: [{ client: 'agent-b' }] });
    await until(async () => (await ask(headers, '/orders/42')).status === 401);
    expect((await ask(headers, '/orders/42')).headers['www-authenticate']).toContain('error="invalid_token"');
    folder.write('revocations.yaml', { revocations: [] });
    await until(async () => (await ask(headers, '/orders/42')).status === 200);
  });

  it('a file that is broken or gone revokes what it revoked before, and is seen', async () => {
    const headers = ['authorization', await world.bearer('agent-b', 'orders:read')];
    folder.write('revocations.yaml', { revocations: [{ client: 'agent-b' }] });
    await until(async () => (await ask(headers, '/orders/42')).status === 401);
    folder.write('revocations.yaml', '');
    await until(async () => service().output().includes('registry.failed'));
    expect((await ask(headers, '/orders/42')).status).toBe(401);
    const readiness = await fetch(`http://127.0.0.1:${service().operationsPort}/readyz`);
    expect(await readiness.json()).toMatchObject({ ready: true, parts: { registry: 'stale' } });
    folder.write('revocations.yaml', { revocations: [] });
    await until(async () => (await ask(headers, '/orders/42')).status === 200);
  });
});
