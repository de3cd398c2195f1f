import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AssertionVerifier, createAssertionVerifier } from '../../src/client/assertion.ts';
import { newKey } from '../support/assertion-keys.ts';
import type { Countersign } from '../support/countersign.ts';
import { send } from '../support/http-client.ts';
import { createForwardWorld, type ForwardWorld } from './forward-auth-world.ts';
import { headerValues, jsonObject } from './world.ts';

/* An upstream that believes nobody but Countersign's signature, behind each gateway with its recipe, and without any. */

const ISSUER = 'https://pdp.example';
const HEADER = 'x-countersign-assertion';
const OPERATOR = 'an-operator-token-of-the-assertions';
const OPERATOR_URL = (service: Countersign) => `http://127.0.0.1:${service.operationsPort}`;

let world: ForwardWorld;
let service: Countersign;
let verifier: AssertionVerifier;
let keyFile: string;
let reader: string;

const writeKey = (algorithm: 'ES256' | 'EdDSA'): void => {
  writeFileSync(`${keyFile}.new`, newKey(algorithm).pem);
  renameSync(`${keyFile}.new`, keyFile);
};
const keys = async (): Promise<unknown[]> => {
  const answer = jsonObject(await (await fetch(`http://127.0.0.1:${service.httpPort}/.well-known/jwks.json`)).text());
  return Array.isArray(answer['keys']) ? answer['keys'] : [];
};
const newVerifier = (audience: string): AssertionVerifier =>
  createAssertionVerifier({ issuer: ISSUER, audience, jwksUrl: `http://127.0.0.1:${service.httpPort}/.well-known/jwks.json` });
/** What reached the upstream last. */
const reached = (): { readonly assertions: readonly string[]; readonly id: unknown } => {
  const last = world.upstream.requests.at(-1);
  return { assertions: headerValues(last?.rawHeaders ?? [], HEADER), id: last?.headers['x-countersign-decision-id'] };
};

beforeAll(async () => {
  world = await createForwardWorld();
  keyFile = join(world.directory, 'assertion.pem');
  writeKey('EdDSA');
  const { peps } = world.forwardConfig();
  const gateways = (Array.isArray(peps) ? peps : []).map((pep) => ({ ...pep, ...(pep.name === 'caddy' ? { enforce: false } : {}) }));
  service = await world.forwardService({
    publicUrl: ISSUER,
    operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update(OPERATOR).digest('hex') }] },
    assertion: {
      keys: [
        { id: 'k1', file: keyFile },
        { id: 'next', pem: newKey('ES256').pem },
      ],
    },
    peps: [...gateways, { name: 'edge', anonymous: true, trusts: ['client_address'] }],
  });
  verifier = newVerifier('orders_list');
  reader = await world.bearer('agent-a', 'orders:read');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

describe.each(['envoy', 'nginx', 'haproxy', 'caddy'] as const)('%s', (name) => {
  let port: number;
  beforeAll(async () => {
    ({ port } = name === 'envoy' ? await world.envoy([service], { timeoutMs: 2000 }) : await world.gateway(name, service));
  });

  it('brings the upstream one assertion, ours, whatever the client sends', async () => {
    expect((await send(port, { path: '/orders', headers: ['authorization', reader] })).status).toBe(200);
    const first = reached().assertions[0] ?? '';
    // a good one of another request
    const own = [HEADER, first, 'X_Countersign_Assertion', first, 'x-countersign_assertion', first];
    expect((await send(port, { path: '/orders', headers: [...own, 'authorization', reader] })).status).toBe(200);
    const { assertions, id } = reached();
    expect(assertions).toHaveLength(1);
    expect(assertions).not.toContain(first);
    expect(await verifier.verify(assertions)).toMatchObject({
      ok: true,
      claims: {
        route: 'orders_list',
        client: 'agent-a',
        subject: 'agent-a',
        assurance: 2,
        decisionId: id,
        gateway: name === 'envoy' ? 'edge' : name,
      },
    });
    expect(await newVerifier('orders_write').verify(assertions)).toEqual({ ok: false, code: 'assertion_audience' });
  });

  it("takes the client's away on a public route too, where there is one of ours as well", async () => {
    expect((await send(port, { path: '/health', headers: [HEADER, 'forged'] })).status).toBe(200);
    const { assertions } = reached();
    expect(await newVerifier('health').verify(assertions)).toMatchObject({ ok: true, claims: { assurance: 0, client: null } });
  });
});

it('what monitor mode lets pass is proven to nobody', async () => {
  const caddy = await world.gateway('caddy', service);
  const good = jsonObject((await send(caddy.port, { path: '/orders', headers: ['authorization', reader] })).body)['headers'];
  const forged = String(Object(good)[HEADER]);
  expect(await verifier.verify(forged)).toMatchObject({ ok: true });
  expect((await send(caddy.port, { path: '/orders', headers: [HEADER, forged] })).status).toBe(200);
  expect(world.upstream.requests.at(-1)?.headers['x-countersign-would']).toBe('deny');
  expect(reached().assertions.filter((value) => value !== '')).toEqual([]);
});

it('who goes round the gateway has none to show', async () => {
  await send(world.upstream.port, { path: '/orders', headers: ['x-countersign-subject', 'root', HEADER, 'e30.e30.e30'] });
  expect(await verifier.verify(reached().assertions)).toEqual({ ok: false, code: 'assertion_type' });
});

it('a key that is replaced in its file signs within a second, and both are published', async () => {
  const before = await keys();
  writeKey('ES256');
  await vi.waitFor(async () => expect(await keys()).toHaveLength(before.length + 1), { timeout: 5000 });
  expect(await keys()).toEqual(expect.arrayContaining(before));
  const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request: { method: 'GET', path: '/health', host: 'api.example' } }),
  });
  const { upstream } = jsonObject(await answer.text());
  const token = String(Object(Object(upstream).headers_to_set)[HEADER]);
  expect(await newVerifier('health').verify(token)).toMatchObject({ ok: true });
  expect(service.output()).toContain('assertion_key_replaced');
  const metrics = await (await fetch(`${OPERATOR_URL(service)}/metrics`)).text();
  expect(metrics).toContain('countersign_assertion_key_failed{key="k1"} 0');
  expect(service.output()).not.toContain(token);
  const status = await fetch(`${OPERATOR_URL(service)}/status`, { headers: { authorization: `Bearer ${OPERATOR}` } });
  const { assertion } = jsonObject(await status.text());
  expect(assertion).toEqual({
    keys: [
      { id: 'k1', kid: expect.any(String), algorithm: 'ES256', use: 'active', last_error: null },
      { id: 'k1', kid: expect.any(String), algorithm: 'EdDSA', use: 'replaced', last_error: null },
      { id: 'next', kid: expect.any(String), algorithm: 'ES256', use: 'published', last_error: null },
    ],
  });
});
