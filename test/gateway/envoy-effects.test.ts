import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { send } from '../support/http-client.ts';
import { createWorld, headerValues, jsonObject, type World } from './world.ts';

/** A real Envoy asks the real service over ext_authz gRPC; tokens come from a real authorization server; what passes reaches an upstream. */

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let world: World;
let service: Countersign;
let envoy: Envoy;
let reader: string;

beforeAll(async () => {
  world = await createWorld();
  service = await world.service();
  envoy = await world.envoy([service]);
  reader = await world.bearer('agent-a', 'orders:read');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

describe('allow', () => {
  it('reaches the upstream with who asked', async () => {
    const answer = await send(envoy.port, { path: '/orders/42?page=1', headers: ['authorization', reader] });
    expect(answer.status).toBe(200);
    const echoed = world.upstream.requests[0];
    expect(echoed?.url).toBe('/orders/42?page=1');
    expect(echoed?.headers).toMatchObject({
      'x-countersign-subject': 'agent-a',
      'x-countersign-client-id': 'agent-a',
      'x-countersign-assurance': '2',
      'x-countersign-decision-id': expect.stringMatching(UUID_V7),
      authorization: reader,
    });
  });

  it.each(['DROP_HEADER', 'ALLOW'] as const)("[asks 11, 15] never with the client's own copies (underscores: %s)", async (underscores) => {
    const front = await world.envoy([service], { underscores });
    const forged = ['subject', 'client-id', 'assurance', 'risk', 'actor', 'degraded', 'decision-id', 'assertion'].flatMap((name) => [
      ...[`X-Countersign-${name}`, 'forged'],
      ...[`x_countersign_${name.replaceAll('-', '_')}`, 'forged'],
      ...[`x-countersign_${name}`, 'forged'],
      ...[`X-COUNTERSIGN-${name.toUpperCase()}`, 'forged'],
    ]);
    const answer = await send(front.port, { path: '/orders', headers: [...forged, 'authorization', reader] });
    expect(answer.status).toBe(200);
    const raw = world.upstream.requests[0]?.rawHeaders ?? [];
    expect(headerValues(raw, 'x-countersign-subject')).toEqual(['agent-a']);
    expect(headerValues(raw, 'x-countersign-client-id')).toEqual(['agent-a']);
    expect(raw.filter((text) => text === 'forged')).toEqual([]);
  });

  it('is the same where Envoy sends raw headers', async () => {
    const raw = await world.envoy([service], { encodeRawHeaders: true });
    const answer = await send(raw.port, { path: '/orders', headers: ['authorization', reader] });
    expect(answer.status).toBe(200);
    expect(world.upstream.requests[0]?.headers['x-countersign-subject']).toBe('agent-a');
  });

  it('needs no token on a public route', async () => {
    expect((await send(envoy.port, { path: '/health' })).status).toBe(200);
    expect(headerValues(world.upstream.requests[0]?.rawHeaders ?? [], 'x-countersign-subject')).toEqual([]);
  });
});

describe('deny', () => {
  it('[asks 3] without a credential is a 401 with a challenge, and nothing reaches the upstream', async () => {
    const answer = await send(envoy.port, { path: '/orders' });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b/);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(jsonObject(answer.body)).toMatchObject({ status: 401, decision_id: expect.stringMatching(UUID_V7), title: expect.any(String) });
    expect(world.upstream.begun).toBe(0);
  });

  it('[asks 3] with a good token on no route of the catalogue is a 403 without a challenge', async () => {
    const answer = await send(envoy.port, { path: '/elsewhere', headers: ['authorization', reader] });
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(world.upstream.begun).toBe(0);
  });

  it('of a token with a broken signature is a 401 invalid_token', async () => {
    const broken = `${reader.slice(0, -6)}AAAAAA`;
    const answer = await send(envoy.port, { path: '/orders', headers: ['authorization', broken] });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
    expect(world.upstream.begun).toBe(0);
  });

  it.each([false, true])(
    '[asks 11] of two Authorization headers, whichever is the good one (raw headers: %s)',
    async (encodeRawHeaders) => {
      const front = await world.envoy([service], { encodeRawHeaders });
      for (const pair of [
        [reader, 'Bearer other'],
        ['Bearer other', reader],
        [reader, reader],
      ]) {
        const answer = await send(front.port, { path: '/orders', headers: pair.flatMap((value) => ['authorization', value]) });
        expect(answer.status).toBe(401);
      }
      expect(world.upstream.begun).toBe(0);
    },
  );
});

describe('step_up', () => {
  it('for a missing scope is a 403 insufficient_scope that names the scopes', async () => {
    const answer = await send(envoy.port, { method: 'POST', path: '/orders', headers: ['authorization', reader], body: '{}' });
    expect(answer.status).toBe(403);
    const challenge = answer.headers['www-authenticate'] ?? '';
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toMatch(/scope="[^"]*orders:write/);
    expect(world.upstream.begun).toBe(0);
  });

  it('for more assurance is a 403 problem that says mtls', async () => {
    const payer = await world.bearer('agent-a', 'payments:write');
    const answer = await send(envoy.port, { method: 'POST', path: '/payments', headers: ['authorization', payer], body: '{}' });
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('mtls');
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(world.upstream.begun).toBe(0);
  });

  it('[asks 97] is an allow with the stronger evidence', async () => {
    const writer = await world.bearer('agent-a', 'orders:read', 'orders:write');
    const answer = await send(envoy.port, { method: 'POST', path: '/orders', headers: ['authorization', writer], body: '{}' });
    expect(answer.status).toBe(200);
  });
});

describe('rate', () => {
  it('[asks 72] above the limit is a 429 with Retry-After and RateLimit fields that agree', async () => {
    const limited = await world.service({}, { limits: { rate: { client: { '10s': 5 }, address: {}, token: {}, route: {} } } });
    const front = await world.envoy([limited]);
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await send(front.port, { path: '/orders', headers: ['authorization', reader] })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    const answer = await send(front.port, { path: '/orders', headers: ['authorization', reader] });
    expect(answer.status).toBe(429);
    const retryAfter = Number(answer.headers['retry-after']);
    expect(retryAfter).toBeGreaterThan(0);
    // ten seconds, and the sixtieth of them that the last hit is counted in
    expect(retryAfter).toBeLessThanOrEqual(11);
    expect(answer.headers['ratelimit']).toMatch(/;r=0;t=\d+/);
    expect(answer.headers['ratelimit-policy']).toMatch(/;q=5;w=10/);
    expect(retryAfter).toBeGreaterThanOrEqual(Number(/;t=(\d+)/.exec(`${answer.headers['ratelimit']}`)?.[1]));
    expect(world.upstream.begun).toBe(5);
    const other = await world.bearer('agent-b', 'orders:read');
    expect((await send(front.port, { path: '/orders', headers: ['authorization', other] })).status).toBe(200);
  });
});

describe('[asks 23] every request is asked about', () => {
  it('also those that Envoy answers by a redirect or directly', async () => {
    const counted = await world.envoy([service]);
    const paths = ['/orders', '/orders/1', '/elsewhere', '/moved', '/direct', '/health'];
    for (const path of paths) await send(counted.port, { path, headers: ['authorization', reader] });
    expect(await counted.stat('cluster.authz.upstream_rq_total')).toBe(paths.length);
    const denied = await counted.stat('http.front.ext_authz.denied');
    expect(denied + (await counted.stat('http.front.ext_authz.ok'))).toBe(paths.length);
    expect(await counted.stat('http.front.ext_authz.error')).toBe(0);
  });
});
