import { createHash } from 'node:crypto';
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSigningKey, type KeyServer, makeToken, startKeyServer } from './identify/fixtures.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from './support/countersign.ts';

/* Issuers and lists of the configuration file change while the process runs, on a mounted volume's symbolic links. */

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const OPERATOR = 'operator-token';
const LISTED = '203.0.113.7';
const [keyA, keyB] = [await createSigningKey('a'), await createSigningKey('b')];

let service: Countersign;
let [a, b]: KeyServer[] = [];
beforeAll(async () => {
  [a, b] = [await startKeyServer([keyA]), await startKeyServer([keyB])];
  b.documents.set('/list', `${LISTED}\n`);
  service = await startCountersign({
    config: {
      peps: [{ name: 'edge', tokenSha256: sha256('edge'), trusts: ['client_address', 'explain'] }],
      identity: { issuers: [issuer('a')] },
      policy: { bundle: join(PROJECT_ROOT, 'policies') },
      operations: { tokens: [{ name: 'o', role: 'operator', tokenSha256: sha256(OPERATOR) }] },
    },
  });
});
afterAll(async () => {
  await service.stop();
  await Promise.all([a?.stop(), b?.stop()]);
});

function issuer(name: 'a' | 'b', more: object = {}): object {
  return { issuer: `https://${name}.example`, audiences: ['api://orders'], jwksUrl: (name === 'a' ? a : b)?.url, ...more };
}

const nowSeconds = () => Math.floor(Date.now() / 1000);
const tokenOf = (name: 'a' | 'b', more: object = {}) =>
  makeToken(name === 'a' ? keyA : keyB, { iss: `https://${name}.example`, iat: nowSeconds(), exp: nowSeconds() + 300, ...more });

/** The signals of a question, by `explain`. */
async function signalsOf(token: string): Promise<Record<string, Record<string, unknown>>> {
  const request = { method: 'GET', host: 'api.example', path: '/orders', headers: { authorization: `Bearer ${token}` } };
  const headers = { 'content-type': 'application/json', authorization: 'Bearer edge' };
  const body = JSON.stringify({ request, source: { ip: LISTED } });
  const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide?explain=true`, { method: 'POST', headers, body });
  return Object(Object(await answer.json()).signals);
}

async function judge(token: string): Promise<unknown> {
  const { token: signal } = await signalsOf(token);
  return signal?.['code'] ?? signal?.['status'];
}

async function status(): Promise<Record<string, Record<string, unknown>>> {
  const headers = { authorization: `Bearer ${OPERATOR}` };
  return Object(await (await fetch(`http://127.0.0.1:${service.operationsPort}/status`, { headers })).json());
}

const written = (): Record<string, object> => JSON.parse(readFileSync(service.configFile, 'utf8'));
let swaps = 0;

/** As Kubernetes does it: the file is a link into a folder that is a link, and the folder's link is put over. */
async function swap(more: object): Promise<void> {
  const text = JSON.stringify({ ...written(), ...more });
  const folder = dirname(service.configFile);
  swaps += 1;
  const next = join(folder, `..${swaps}`);
  await mkdir(next);
  writeFileSync(join(next, 'config.yaml'), text);
  symlinkSync(next, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  if (swaps > 1) return;
  rmSync(service.configFile);
  symlinkSync(join('..data', 'config.yaml'), service.configFile);
}

const until = (state: object) => expect.poll(async () => (await status())['config'], { timeout: 10_000 }).toMatchObject(state);
const metrics = async () => (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();

test('an issuer and a list come, with their keys and their content, and go; what stays is not fetched again', async () => {
  const [ofA, ofB] = [await tokenOf('a'), await tokenOf('b')];
  expect([await judge(ofA), await judge(ofB)]).toEqual(['present', 'issuer_unknown']);
  const { revision } = Object((await status())['config']);
  const list = { name: 'feed', url: `${b?.origin}/list`, tags: ['malicious'] };
  await swap({ identity: { issuers: [issuer('a'), issuer('b')] }, network: { lists: [list] } });
  await until({ state: 'in_force', taken: 1, revision: expect.not.stringMatching(revision) });
  expect([await judge(ofA), await judge(ofB)]).toEqual(['present', 'present']);
  expect(JSON.stringify((await signalsOf(ofB))['network'])).toContain('"feed"');
  const shown = await metrics();
  expect(shown).toContain('countersign_key_set_state{issuer="https://b.example",state="ready"} 1');
  expect(shown).toContain('countersign_list_state{list="feed",state="ready"} 1');
  await swap({ identity: { issuers: [issuer('b')] }, network: {} });
  await until({ state: 'in_force', taken: 2 });
  expect([await judge(ofA), await judge(ofB)]).toEqual(['issuer_unknown', 'present']);
  expect(JSON.stringify((await signalsOf(ofB))['network'])).not.toContain('"feed"');
  expect(await metrics()).not.toMatch(/a\.example|"feed"/);
  expect([a?.asked, b?.asked]).toEqual([['/jwks'], ['/jwks', '/list']]);
});

test('all or none: beside a list that is wrong no issuer is taken, and what needs a restart is named to the key', async () => {
  const ofA = await tokenOf('a');
  await swap({ identity: { issuers: [issuer('a')] }, network: { lists: [{ name: 'no source' }] } });
  await until({ state: 'refused', taken: 2 });
  expect(await judge(ofA)).toBe('issuer_unknown');
  await swap({ identity: { issuers: [issuer('a')], keyWaitMs: 101 }, network: { hostingAsns: false } });
  await until({ state: 'restart_needed', taken: 3, sections: ['identity.keyWaitMs', 'network.hostingAsns'], problems: [] });
  expect(await judge(ofA)).toBe('present');
});

test('requests that are asked without a pause while issuers change are each judged by the old ones or by the new ones', async () => {
  const ofA = await tokenOf('a');
  const outcomes = new Set<unknown>();
  let over = false;
  const ask = async () => {
    while (!over) outcomes.add(await judge(ofA));
  };
  const asking = [ask(), ask(), ask(), ask()];
  for (const audiences of [['api://orders', 'api://more'], ['api://else']]) {
    const { taken } = Object((await status())['config']);
    await swap({ identity: { issuers: [issuer('a', { audiences })] } });
    await until({ taken: taken + 1 });
  }
  over = true;
  await Promise.all(asking);
  expect([...outcomes].sort()).toEqual(['audience_mismatch', 'present']);
  expect(await judge(ofA)).toBe('audience_mismatch');
});

test('a simulation is decided by the issuers of now', async () => {
  const ofA = await tokenOf('a');
  const simulated = async () => {
    const request = { method: 'GET', host: 'api.example', path: '/orders', headers: { authorization: `Bearer ${ofA}` } };
    const answer = await fetch(`http://127.0.0.1:${service.operationsPort}/admin/v1/simulate?pep=edge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OPERATOR}` },
      body: JSON.stringify({ request }),
    });
    const { token } = Object(Object(await answer.json()).signals);
    return token.code ?? token.status;
  };
  expect(await simulated()).toBe('audience_mismatch');
  await swap({ identity: { issuers: [issuer('a')] } });
  await expect.poll(simulated, { timeout: 10_000 }).toBe('present');
});
