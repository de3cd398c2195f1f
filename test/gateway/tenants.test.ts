import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { send } from '../support/http-client.ts';
import { createWorld, decisionLines, jsonObject, type World } from './world.ts';

/* Two tenants behind one Envoy, each with its bundle, its contract and its data; the host says whose request it is. */

/** Shows what it can see of its own data, of the other's and of all. */
const PLUGIN = `package envoy.authz

mine := [key | some key, _ in data.tenants.a.clients]

others := [key | some key, _ in data.tenants.b.clients]

allow := {"allowed": input.parsed_path == ["a"], "http_status": 409, "body": json.marshal({"mine": mine, "others": others, "all": [name | some name, _ in data.tenants]})}
`;
const OWN = `package b.authz

default decision := {"effect": "deny", "reasons": ["b.refused"]}

decision := {"effect": "allow", "reasons": ["b.granted"], "upstream": {"headers_to_set": {"x-tenant": "b"}}} if {
  input.request.path == "/b"
  "b-client" in object.keys(data.tenants.b.clients)
  count([name | some name, _ in data.tenants]) == 1
}
`;
/** A bundle that holds the data of both. */
const DATA = { tenants: { a: { clients: { 'a-client': {} } }, b: { clients: { 'b-client': {} } } } };

let world: World;
let service: Countersign;
let envoy: Envoy;

function folder(name: string, rego: string): string {
  const directory = join(world.directory, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'policy.rego'), rego);
  writeFileSync(join(directory, 'data.json'), JSON.stringify(DATA));
  return directory;
}

beforeAll(async () => {
  world = await createWorld();
  service = await world.service({
    peps: [{ name: 'edge', anonymous: true, trusts: ['client_address', 'forwarded'], policies: ['default', 'a', 'b'] }],
    policies: {
      a: { bundle: folder('a', PLUGIN), contract: 'envoy' },
      b: { bundle: folder('b', OWN), contract: 'decision', entrypoint: 'b/authz/decision' },
    },
    policyByHost: { 'a.example': 'a', 'b.example': 'b' },
  });
  envoy = await world.envoy([service]);
});
afterAll(() => world.stop());

const ask = (host: string, path: string, ...headers: string[]) => send(envoy.port, { path, headers: ['host', host, ...headers] });

it('each host has its policy, whatever path or header names another', async () => {
  expect((await ask('a.example', '/a')).status).toBe(200);
  expect((await ask('A.EXAMPLE:80', '/a')).status).toBe(200);
  expect((await ask('b.example', '/b')).status).toBe(200);
  expect(world.upstream.requests.at(-1)?.headers['x-tenant']).toBe('b');
  expect((await ask('a.example', '/b', 'x-policy', 'b')).status).toBe(409);
  expect((await ask('b.example', '/a?policy=a')).status).toBe(403);
});

it('a host of nobody has the default policy', async () => {
  expect((await ask('c.example', '/health')).status).toBe(200);
  expect((await ask('c.example', '/b')).status).not.toBe(200);
});

it('no tenant sees data of another, although its bundle holds it', async () => {
  expect(jsonObject((await ask('a.example', '/x')).body)).toEqual({ mine: ['a-client'], others: [], all: ['a'] });
});

it('the record says whose policy it was', async () => {
  await ask('b.example', '/b');
  await expect.poll(() => decisionLines(service).at(-1)).toMatchObject({ policy: { name: 'b' }, reason: 'b.granted' });
});

it('/decide names one of the list; one that nobody configured is a deny', async () => {
  const decide = async (policy: string) => {
    const body = JSON.stringify({ policy, request: { method: 'GET', scheme: 'https', host: 'a.example', path: '/b' } });
    const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return jsonObject(await answer.text());
  };
  expect(await decide('b')).toMatchObject({ decision: 'allow', policy: { name: 'b' } });
  expect(await decide('nobody')).toMatchObject({ decision: 'deny', error: { code: 'policy_unknown' }, response: { status: 503 } });
});
