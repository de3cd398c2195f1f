import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { Gateway } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { createForwardWorld, type ForwardWorld } from './forward-auth-world.ts';
import { decisionLines, headerValues, jsonObject } from './world.ts';

/** Real gateways, each with the recipe of its page, ask the real service: Envoy over gRPC, the others by forward auth. */

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let world: ForwardWorld;
let service: Countersign;
/** Lets three requests of a token pass. */
let limited: Countersign;
let reader: string;
let payer: string;

beforeAll(async () => {
  world = await createForwardWorld();
  service = await world.forwardService();
  limited = await world.forwardService({}, { limits: { rate: { client: {}, address: {}, token: { '10s': 3 }, route: {} } } });
  reader = await world.bearer('agent-a', 'orders:read');
  payer = await world.bearer('agent-a', 'payments:write');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

describe.each(['nginx', 'haproxy', 'caddy', 'envoy'] as const)('%s', (name) => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await world.gateway(name, service);
  });

  const get = (path: string, headers: readonly string[] = ['authorization', reader]) => send(gateway.port, { path, headers });

  it('allow: the upstream gets the path as it was decided about, and who asked', async () => {
    const answer = await get('/orders/42?page=1&x=%2Fa');
    expect(answer.status).toBe(200);
    const echoed = world.upstream.requests[0];
    expect([echoed?.method, echoed?.url]).toEqual(['GET', '/orders/42?page=1&x=%2Fa']);
    expect(echoed?.headers).toMatchObject({
      'x-countersign-subject': 'agent-a',
      'x-countersign-client-id': 'agent-a',
      'x-countersign-assurance': '2',
      'x-countersign-decision-id': expect.stringMatching(UUID_V7),
      authorization: reader,
    });
    expect(JSON.stringify(echoed?.rawHeaders)).not.toContain('gateway-token');
    // a header that Countersign does not set says nothing
    expect([...headerValues(echoed?.rawHeaders ?? [], 'x-countersign-actor'), ''][0]).toBe('');
    const id = echoed?.headers['x-countersign-decision-id'];
    const line = await vi.waitFor(() => {
      const found = decisionLines(service).find((one) => one['decision_id'] === id);
      if (found === undefined) throw new Error('not logged yet');
      return found;
    });
    expect(line).toMatchObject({ endpoint: name === 'envoy' ? 'ext_authz' : 'forward_auth', effect: 'allow', pep: name });
    expect(JSON.stringify(line)).toContain('127.0.0.1');
  });

  it("[asks 11, 14, 15] never with the client's own copies, and no forged header decides", async () => {
    const forged = [
      'subject',
      'client-id',
      'assurance',
      'risk',
      'actor',
      'degraded',
      'would',
      'decision-id',
      'assertion',
      'pep-token',
    ].flatMap((field) => [
      ...[`X-Countersign-${field}`, 'forged'],
      ...[`x_countersign_${field.replaceAll('-', '_')}`, 'forged'],
      ...[`x-countersign_${field}`, 'forged'],
      ...[`x.countersign.${field}`, 'forged'],
    ]);
    const asked = ['original', 'forwarded'].flatMap((kind) =>
      [
        ['method', 'GET'],
        ['uri', '/health'],
        ['host', 'forged.example'],
        ['proto', 'https'],
        ['remote-addr', '198.51.100.9'],
        ['content-length', '7'],
      ].flatMap(([field, value]) => [`x-${kind}-${field}`, value ?? '', `x_${kind}_${field}`, value ?? '']),
    );
    const answer = await get('/orders', [...forged, ...asked, 'x-forwarded-for', '198.51.100.9', 'authorization', reader]);
    expect(answer.status).toBe(200);
    const raw = world.upstream.requests[0]?.rawHeaders ?? [];
    expect(headerValues(raw, 'x-countersign-subject')).toEqual(['agent-a']);
    expect(raw.filter((text) => text === 'forged')).toEqual([]);
    // /health is public: had the forged URI counted, this would pass
    world.upstream.clear();
    expect((await get('/orders', asked)).status).toBe(401);
    expect(world.upstream.begun).toBe(0);
  });

  it('[asks 3] deny without a credential: 401 with the challenge, and the body', async () => {
    const answer = await get('/orders', []);
    expect(answer.status).toBe(401);
    expect(headerValues(answer.rawHeaders, 'www-authenticate')).toEqual([expect.stringMatching(/^Bearer\b/)]);
    expect(headerValues(answer.rawHeaders, 'content-type')).toEqual([expect.stringMatching(/^application\/problem\+json/)]);
    expect(jsonObject(answer.body)).toMatchObject({ status: 401, decision_id: expect.stringMatching(UUID_V7) });
    expect(answer.headers['x-countersign-decision-id']).toBe(jsonObject(answer.body)['decision_id']);
    expect(world.upstream.begun).toBe(0);
  });

  it('[asks 3] deny with a good token: 403 without a challenge', async () => {
    const answer = await get('/elsewhere');
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(jsonObject(answer.body)).toMatchObject({ status: 403 });
    expect(world.upstream.begun).toBe(0);
  });

  it('step_up for a scope: 403 with the challenge, then success with it', async () => {
    const post = (token: string) => send(gateway.port, { method: 'POST', path: '/orders', headers: ['authorization', token], body: '{}' });
    const answer = await post(reader);
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toMatch(/error="insufficient_scope".*scope="[^"]*orders:write/);
    expect(world.upstream.begun).toBe(0);
    expect((await post(await world.bearer('agent-a', 'orders:write'))).status).toBe(200);
    expect(world.upstream.requests[0]).toMatchObject({ method: 'POST', bodyBytes: 2 });
  });

  it('step_up for a certificate: 403 that says mtls, then success over mutual TLS', async () => {
    const pay = (certificate?: { readonly pem: string; readonly keyPem: string }, more: readonly string[] = []) =>
      send(gateway.tlsPort, {
        method: 'POST',
        path: '/payments',
        headers: ['host', 'localhost', 'authorization', payer, ...more],
        body: '{}',
        tls: { ca: world.authority.pem, ...(certificate === undefined ? {} : { cert: certificate.pem, key: certificate.keyPem }) },
      });
    const without = await pay();
    expect([without.status, without.body]).toEqual([403, expect.stringContaining('mtls')]);
    const forged = await pay(undefined, ['x-client-cert', world.ofA.der.toString('base64')]);
    expect(forged.status).toBe(403);
    const forgedPem = await pay(undefined, ['X-Client-Cert', encodeURIComponent(world.ofA.pem)]);
    expect(forgedPem.status).toBe(403);
    const ofOther = await pay(world.ofB, ['x-client-cert', world.ofA.der.toString('base64')]);
    expect(ofOther.status).toBe(403);
    expect(world.upstream.begun).toBe(0);
    const answer = await pay(world.ofA);
    expect(answer.status).toBe(200);
    expect(world.upstream.requests[0]?.headers).toMatchObject({ 'x-countersign-assurance': '3', 'x-countersign-client-id': 'agent-a' });
    expect(world.upstream.requests[0]?.headers).not.toHaveProperty('x-client-cert');
  });

  it('[asks 72] 429 with Retry-After and RateLimit fields', async () => {
    const token = await world.bearer('agent-a', 'orders:read');
    const front = await world.gateway(name, limited);
    const ask = () => send(front.port, { path: '/orders', headers: ['authorization', token] });
    const passed: number[] = [];
    let answer = await ask();
    for (; answer.status !== 429 && passed.length < 3; answer = await ask()) passed.push(answer.status);
    expect(passed).toEqual([200, 200, 200]);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.headers['ratelimit']).toMatch(/;r=0;t=\d+/);
    expect(answer.headers['ratelimit-policy']).toMatch(/;q=3;w=10/);
    expect(jsonObject(answer.body)).toMatchObject({ status: 429 });
    expect(world.upstream.begun).toBe(passed.length);
  });

  it('an absolute target is decided about as the upstream reads it, and another host in it never counts', async () => {
    const ask = (target: string, headers: readonly string[] = []) =>
      send(gateway.port, { path: target, headers: ['host', 'api.example', ...headers] });
    expect([400, 401, 403]).toContain((await ask('http://api.example/orders')).status);
    expect([400, 401, 403]).toContain((await ask('http://other.example/orders')).status);
    expect(world.upstream.begun).toBe(0);
    const answer = await ask('http://api.example/orders/42', ['authorization', reader]);
    expect([200, 400, 403]).toContain(answer.status);
    for (const { url, headers } of world.upstream.requests)
      expect([url, headers.host]).toEqual([expect.stringMatching(/\/orders\/42$/), 'api.example']);
  });

  it.each(['/orders/..%2fhealth', '/orders/%2e%2e/health', '/health/..%2forders', '/orders/%00', '/orders/%'])(
    'an ambiguous path never passes, nor one that is none: %s',
    async (path) => {
      const answer = await get(path);
      // Envoy makes one path of it, for all that follow
      if (name === 'envoy' && answer.status === 200) return expect(world.upstream.requests.map(({ url }) => url)).toEqual(['/health']);
      expect(answer.status).not.toBe(200);
      expect(world.upstream.begun).toBe(0);
    },
  );
});
