import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sendRaw, sha256 } from '../endpoints/fixtures.ts';
import { createAuthority, type MadeCertificate } from '../support/certificates.ts';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { startHttpRecipe } from '../support/envoy-http-recipe.ts';
import { type Received, type Sent, send } from '../support/http-client.ts';
import type { RouteData } from '../support/policy-directory.ts';
import { createWorld, decisionLines, headerValues, jsonObject, type World } from './world.ts';

/** A real Envoy with the recipe of docs/gateways/envoy.md for ext_authz over HTTP asks the real service. */

const TOKEN = 'gateway-token-of-the-tests';
const FORGED = 't13d1516h2_8daaf6152771_b186095e22b6';
const route = (method: string, path: string, more: Partial<RouteData>): RouteData => ({ methods: [method], path, tier: 'medium', ...more });
const ROUTES = {
  health: route('GET', '/health', { tier: 'low', public: true }),
  orders_read: route('GET', '/orders/{id}', { scopes: ['orders:read'] }),
  orders_write: route('POST', '/orders', { scopes: ['orders:write'] }),
  payments_write: route('POST', '/payments', { tier: 'high', scopes: ['payments:write'] }),
  trial: route('GET', '/trial', { scopes: ['admin'], enforce: false }),
};

let world: World;
let service: Countersign;
let envoy: Envoy;
/** The recipe's listener with TLS. */
let secure: Envoy;
/** The same with `x-forwarded-client-cert`. */
let byXfcc: Envoy;
let client: MadeCertificate;
let ca: string;

beforeAll(async () => {
  world = await createWorld();
  const authority = createAuthority();
  ca = authority.pem;
  const server = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  client = authority.client({ commonName: 'agent-a', uris: ['spiffe://td.test/agent/a'] });
  const identity = world.config()['identity'];
  service = await world.service(
    {
      // Countersign's side of the recipe
      http: { headerMaxBytes: 98_304 },
      peps: [
        {
          name: 'edge',
          tokenSha256: sha256(TOKEN),
          trusts: ['client_address', 'client_certificate', 'fingerprint'],
          forwardedFor: { header: 'x-forwarded-for', appendsPeer: true },
          certificateHeader: { name: 'x-client-cert', form: 'pem_escaped' },
          fingerprintHeaders: { ja4: 'x-tls-ja4' },
        },
        {
          name: 'by-xfcc',
          tokenSha256: sha256(`${TOKEN}-xfcc`),
          trusts: ['client_address', 'client_certificate'],
          forwardedFor: { header: 'x-forwarded-for', appendsPeer: true },
        },
      ],
      identity: {
        ...(typeof identity === 'object' ? identity : {}),
        clients: [{ id: 'agent-a', spiffeIds: ['spiffe://td.test/agent/a'] }],
      },
      monitor: { routes: 'allowed' },
      decisions: { deadlineMs: 1500, log: { sink: 'stdout', input: 'full' } },
      input: { headers: ['user-agent', 'content-type', 'x-dup', 'content-length'] },
    },
    { routes: ROUTES, limits: { rate: { client: {}, address: {}, token: { '10s': 6 }, route: {} } } },
  );
  const front = { certFile: file('front.pem', server.pem), keyFile: file('front-key.pem', server.keyPem), caFile: file('ca.pem', ca) };
  const options = {
    authzPort: service.httpPort,
    operationsPort: service.operationsPort,
    upstreamPort: world.upstream.port,
    token: TOKEN,
  };
  const manager = { forward_client_cert_details: 'SANITIZE_SET', set_current_client_cert_details: { cert: true } };
  [envoy, secure, byXfcc] = await Promise.all([
    startHttpRecipe(options),
    startHttpRecipe({ ...options, front }),
    startHttpRecipe({ ...options, front, manager, token: `${TOKEN}-xfcc` }),
  ]);
});
afterAll(async () => {
  await Promise.all([envoy.stop(), secure.stop(), byXfcc.stop()]);
  await world.stop();
});
beforeEach(() => world.upstream.clear());

function file(name: string, text: string): string {
  const path = join(world.directory, name);
  writeFileSync(path, text);
  return path;
}

const ask = (path: string, authorization: string | null, more: Partial<Sent> = {}): Promise<Received> =>
  send(envoy.port, {
    path,
    ...more,
    headers: [...(authorization === null ? [] : ['authorization', authorization]), ...(more.headers ?? [])],
  });

/** The line of the decision log that an answer or an upstream request names. */
async function lineOf(answer: Received): Promise<Record<string, unknown>> {
  const id = answer.headers['x-countersign-decision-id'] ?? world.upstream.requests.at(-1)?.headers['x-countersign-decision-id'];
  return vi.waitFor(() => {
    const line = decisionLines(service).find((one) => one['decision_id'] === id);
    if (line === undefined) throw new Error(`no decision ${id}`);
    return line;
  });
}

describe('allow', () => {
  it('reaches the upstream with who asked, and with what the client cannot forge', async () => {
    const names = ['subject', 'client-id', 'assurance', 'risk', 'actor', 'degraded', 'decision-id', 'would', 'pep-token'];
    const spellings = (name: string) => [`X-Countersign-${name}`, `x_countersign_${name.replaceAll('-', '_')}`, `x.countersign.${name}`];
    const dotted = ['x-countersign-client.id', 'x-countersign-decision.id'];
    const forged = [...names.flatMap(spellings), ...dotted].flatMap((name) => [name, 'forged']);
    const facts = ['x-original-remote-addr', '6.6.6.6', 'x-original-proto', 'gopher', 'x-client-cert', 'forged', 'x-tls-ja4', FORGED];
    const reader = await world.bearer('agent-a', 'orders:read');
    const answer = await ask('/orders/4%322?page=1&page=2', reader, {
      headers: [...forged, ...facts, 'x-dup', 'a', 'x-dup', 'b', 'user-agent', 'x'],
    });
    expect(answer.status).toBe(200);
    const reached = world.upstream.requests[0];
    expect(reached?.url).toBe('/orders/422?page=1&page=2');
    expect(reached?.headers).toMatchObject({ 'x-countersign-subject': 'agent-a', 'x-countersign-assurance': '2', authorization: reader });
    const raw = reached?.rawHeaders ?? [];
    for (const name of ['subject', 'client-id', 'assurance', 'risk', 'decision-id'])
      expect(headerValues(raw, `x-countersign-${name}`)).toHaveLength(1);
    for (const name of ['actor', 'degraded', 'would']) expect(headerValues(raw, `x-countersign-${name}`)).toEqual([]);
    // what reaches the upstream of the forged ones is what means nothing there
    const left = raw.filter((_, index) => index % 2 === 0 && raw[index + 1] === 'forged');
    expect(left).toEqual(['x-client-cert']);
    const line = await lineOf(answer);
    expect(line).toMatchObject({ endpoint: 'ext_authz_http', pep: 'edge', effect: 'allow' });
    const input = jsonObject(JSON.stringify(line['input']));
    expect(input['request']).toMatchObject({
      ...{ method: 'GET', scheme: 'http', host: '127.0.0.1', path: '/orders/422', query: { page: ['***', '***'] } },
      ...{ headers: { 'user-agent': 'x', 'x-dup': 'a, b' }, body: { status: 'absent' } },
    });
    expect(input['signals']).toMatchObject({
      network: { value: { address: expect.not.stringMatching(/^6\./) } },
      certificate: { status: 'absent' },
    });
  });

  it('needs no token on a public route, by any spelling of the path that Envoy passes', async () => {
    for (const path of ['/health', '//health', '/x/../health', '/%68ealth', '/health?x=%2e'])
      expect((await ask(path, null)).status).toBe(200);
    expect(world.upstream.requests).toHaveLength(5);
  });
});

describe('deny', () => {
  it('without a credential is a 401 with a challenge and our body', async () => {
    const answer = await ask('/orders/42', null);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b/);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
    expect(jsonObject(answer.body)).toMatchObject({ status: 401, decision_id: answer.headers['x-countersign-decision-id'] });
    expect(answer.headers).not.toHaveProperty('keep-alive');
    expect(answer.headers).not.toHaveProperty('x-countersign-decision');
    expect(world.upstream.begun).toBe(0);
  });

  it('of a broken token, of two tokens, and of paths that others could read otherwise', async () => {
    const reader = await world.bearer('agent-a', 'orders:read');
    const broken = await ask('/orders/42', `${reader.slice(0, -6)}AAAAAA`);
    expect([broken.status, broken.headers['www-authenticate']]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
    expect((await ask('/orders/42', reader, { headers: ['authorization', reader] })).status).toBe(401);
    expect((await ask('/orders;a/42', reader)).status).toBe(400);
    expect((await ask('/envoy/health', reader)).status).toBe(403);
    expect(world.upstream.begun).toBe(0);
  });
});

describe('step_up', () => {
  it('for a scope is a 403 insufficient_scope, and an allow with it; the body is seen', async () => {
    const post: Partial<Sent> = { method: 'POST', body: '{"amount":7}', headers: ['content-type', 'application/json'] };
    const answer = await ask('/orders', await world.bearer('agent-a', 'orders:read'), post);
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toMatch(/error="insufficient_scope".*scope="[^"]*orders:write/);
    expect(world.upstream.begun).toBe(0);
    const passed = await ask('/orders', await world.bearer('agent-a', 'orders:write'), post);
    expect([passed.status, world.upstream.requests[0]?.bodyBytes]).toEqual([200, 12]);
    const input = jsonObject(JSON.stringify((await lineOf(passed))['input']));
    expect(input['request']).toMatchObject({
      body: { status: 'parsed', size: 12, json: { amount: 7 } },
      headers: { 'content-length': '12' },
    });
  });

  it('for more assurance is an allow with the client certificate, by name and fingerprint of Envoy alone', async () => {
    const payer = await world.bearer('agent-a', 'payments:write');
    const post: Sent = { method: 'POST', path: '/payments', body: '{}', headers: ['authorization', payer, 'x-tls-ja4', FORGED] };
    const certificate = ['x-client-cert', encodeURIComponent(client.pem)];
    const plain = await send(envoy.port, { ...post, headers: [...(post.headers ?? []), ...certificate] });
    expect([plain.status, plain.body]).toEqual([403, expect.stringContaining('mtls')]);
    const without = await send(secure.port, { ...post, tls: { ca } });
    expect(without.status).toBe(403);
    expect(world.upstream.begun).toBe(0);
    const answer = await send(secure.port, { ...post, tls: { ca, cert: client.pem, key: client.keyPem } });
    expect(answer.status).toBe(200);
    expect(world.upstream.requests[0]?.headers).toMatchObject({ 'x-countersign-assurance': '3', 'x-countersign-client-id': 'agent-a' });
    const input = jsonObject(JSON.stringify((await lineOf(answer))['input']));
    expect(input['request']).toMatchObject({ scheme: 'https', tls: { sni: 'localhost' }, flags: [] });
    const { device } = jsonObject(JSON.stringify(input['signals']));
    expect(device).toMatchObject({ value: { ja4: expect.stringMatching(/^t1[23][di]\d{4}\w\w_[0-9a-f]{12}_[0-9a-f]{12}$/) } });
    expect(JSON.stringify(device)).not.toContain(FORGED);
  });

  it('and by x-forwarded-client-cert, which no client can forge', async () => {
    const payer = await world.bearer('agent-a', 'payments:write');
    const forged = `Cert="${encodeURIComponent(client.pem)}"`;
    const post: Sent = {
      method: 'POST',
      path: '/payments',
      body: '{}',
      headers: ['authorization', payer, 'x-forwarded-client-cert', forged],
    };
    expect((await send(byXfcc.port, { ...post, tls: { ca } })).status).toBe(403);
    const answer = await send(byXfcc.port, { ...post, tls: { ca, cert: client.pem, key: client.keyPem } });
    expect([answer.status, world.upstream.requests[0]?.headers['x-countersign-assurance']]).toEqual([200, '3']);
  });
});

describe('rate', () => {
  it('above the limit is a 429 with Retry-After and RateLimit fields', async () => {
    const reader = await world.bearer('agent-b', 'orders:read');
    for (let n = 0; n < 6; n += 1) expect((await ask('/orders/42', reader)).status).toBe(200);
    const answer = await ask('/orders/42', reader);
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.headers['ratelimit']).toMatch(/;r=0;t=\d+/);
    expect(answer.headers['ratelimit-policy']).toMatch(/;q=6;w=10/);
    expect(world.upstream.begun).toBe(6);
  });
});

describe('monitor mode', () => {
  it('tells the upstream what would have been', async () => {
    const answer = await ask('/trial', await world.bearer('agent-a', 'orders:read'), { headers: ['x-countersign-would', 'allow'] });
    expect(answer.status).toBe(200);
    expect(headerValues(world.upstream.requests[0]?.rawHeaders ?? [], 'x-countersign-would')).toEqual(['step_up']);
  });
});

describe('bodies and headers', () => {
  it('a long body is marked as cut and passes whole', async () => {
    const writer = await world.bearer('agent-a', 'orders:write');
    const body = JSON.stringify({ a: 'x'.repeat(100_000) });
    const headers = ['content-type', 'application/json', 'x-envoy-auth-partial-body', 'false'];
    const answer = await ask('/orders', writer, { method: 'POST', body, headers });
    expect([answer.status, world.upstream.requests[0]?.bodyBytes]).toEqual([200, body.length]);
    const input = jsonObject(JSON.stringify((await lineOf(answer))['input']));
    expect(input['request']).toMatchObject({ body: { status: 'truncated', size: body.length, json: null } });
  });

  it('chunks are read; a body cut in half asks nobody', async () => {
    const writer = await world.bearer('agent-a', 'orders:write');
    const head = `POST /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: ${writer}\r\nContent-Type: application/json\r\n`;
    expect(await sendRaw(envoy.port, `${head}Transfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n`, 5000)).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    const before = await envoy.stat('cluster.countersign.upstream_rq_total');
    expect(await sendRaw(envoy.port, `${head}Content-Length: 70\r\n\r\n{"a":1}`)).toBe('');
    expect(world.upstream.begun).toBe(1);
    expect((await envoy.stat('cluster.countersign.upstream_rq_total')) - before).toBe(0);
  });

  it('58 KiB of headers are read, 1 MiB is 431', async () => {
    const answer = await ask('/orders/42', null, { headers: ['x-long', 'x'.repeat(58_000)] });
    expect([answer.status, await lineOf(answer)]).toEqual([401, expect.objectContaining({ effect: 'deny' })]);
    // Envoy closes without reading on
    const longer = await ask('/orders/42', null, { headers: ['x-long', 'x'.repeat(1 << 20)] }).catch(() => ({ status: 431 }));
    expect(longer.status).toBe(431);
    expect(world.upstream.begun).toBe(0);
  });
});

describe('Countersign away', () => {
  it('is 503 and nobody passes', async () => {
    expect(await envoy.stat('cluster.countersign.health_check.success')).toBeGreaterThan(0);
    service.child.kill('SIGKILL');
    await service.child.exited;
    for (const path of ['/health', '/orders/42', '/payments']) {
      const answer = await ask(path, null, { headers: ['x-countersign-subject', 'forged'] });
      expect([answer.status, answer.body]).toEqual([503, '']);
    }
    expect(world.upstream.begun).toBe(0);
  });
});
