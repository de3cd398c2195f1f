import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSigningKey, makeToken, type SigningKey } from '../identify/fixtures.ts';
import { createAuthority } from '../support/certificates.ts';
import type { Countersign } from '../support/countersign.ts';
import type { Envoy } from '../support/envoy.ts';
import { type Received, send } from '../support/http-client.ts';
import { AUDIENCE, createWorld, decisionLines, jsonObject, SCOPES, type World } from './world.ts';

/* Tokens that were passed on, transaction tokens, certificates that are held against tokens, and routes with their own metadata; all through a real Envoy. */

const ISSUER = 'https://sts.test';
const DOMAIN = 'trust.test';
const METADATA = 'https://mcp.test/.well-known/oauth-protected-resource';
const ROUTES = {
  orders: { methods: ['GET'], path: '/orders', tier: 'medium', scopes: ['orders:read'] },
  internal: { methods: ['GET'], path: '/internal', tier: 'high', scopes: ['orders:read'] },
  mcp: { methods: ['POST'], path: '/mcp', tier: 'low', scopes: ['orders:read', 'orders:write'], resource_metadata: METADATA },
} as const;
const RISK = { allowed: 80, allowed_bound: 100 };
const TIERS = {
  low: { assurance: 0, signals: [], risk: RISK },
  medium: { assurance: 2, signals: ['token'], risk: RISK },
  high: { assurance: 2, signals: ['token'], risk: RISK, txn_token: true, delegation_depth_max: 1 },
  critical: { assurance: 3, signals: ['token'], risk: RISK },
};

let world: World;
let service: Countersign;
let envoy: Envoy;
let key: SigningKey;
let txnKey: SigningKey;

beforeAll(async () => {
  world = await createWorld();
  [key, txnKey] = [await createSigningKey('k1'), await createSigningKey('k1')];
  const authority = createAuthority();
  const server = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  const issuer = (name: string, signer: SigningKey, more: object) => ({
    issuer: name,
    jwksFile: file(`${new URL(name).host}.json`, JSON.stringify({ keys: [signer.jwk] })),
    algorithms: ['ES256'],
    ...more,
  });
  const identity = {
    issuers: [
      issuer(ISSUER, key, { audiences: [AUDIENCE], types: ['at+jwt'] }),
      issuer('https://tts.test', txnKey, { kind: 'txn_token', audiences: [DOMAIN] }),
      { issuer: world.oidc.issuer, audiences: [AUDIENCE], jwksUrl: world.oidc.jwksUrl, algorithms: ['RS256'], types: ['at+jwt'] },
    ],
    agreement: { rules: [{ pair: 'token_certificate', left: 'client_id', right: 'spiffe_path_last' }] },
  };
  service = await world.service({ identity }, { routes: ROUTES, limits: { tiers: TIERS } });
  envoy = await world.envoy([service]);
  const front = {
    certFile: file('front.pem', server.pem),
    keyFile: file('front-key.pem', server.keyPem),
    caFile: file('ca.pem', authority.pem),
  };
  secure = await world.envoy([service], { front, includePeerCertificate: true });
  agent = (name) => {
    const made = authority.client({ commonName: name, uris: [`spiffe://td.test/agent/${name}`] });
    return { ca: authority.pem, cert: made.pem, key: made.keyPem };
  };
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

let secure: Envoy;
let agent: (name: string) => { readonly ca: string; readonly cert: string; readonly key: string };

function file(name: string, text: string): string {
  const path = join(world.directory, name);
  writeFileSync(path, text);
  return path;
}

const now = (): number => Math.floor(Date.now() / 1000);

async function bearer(claims: object): Promise<string[]> {
  const base = { iss: ISSUER, aud: AUDIENCE, iat: now(), exp: now() + 300, client_id: 'agent-c', sub: 'user-1', scope: 'orders:read' };
  return ['authorization', `Bearer ${await makeToken(key, { ...base, ...claims })}`];
}

async function txn(claims: object = {}, signer = txnKey): Promise<string[]> {
  const base = {
    iss: undefined,
    aud: DOMAIN,
    iat: now(),
    exp: now() + 60,
    sub: 'user-1',
    scope: 'trade',
    txn: 't-1',
    req_wl: 'edge.trust.test',
  };
  return ['txn-token', await makeToken(signer, { ...base, client_id: undefined, ...claims }, { typ: 'txntoken+jwt' })];
}

const ask = (path: string, ...headers: readonly (readonly string[])[]): Promise<Received> =>
  send(envoy.port, { path, method: path === '/mcp' ? 'POST' : 'GET', headers: headers.flat() });

const reasonsOf = (answer: Received): unknown => jsonObject(answer.body)['reasons'];

describe('a token that was passed on', () => {
  const act = { sub: 'agent-c', scope: 'orders:read', act: { sub: 'agent-b', scope: 'orders:read orders:write' } };

  it('[asks 44, 84] passes with its current actor, and the log has the chain in order', async () => {
    expect((await ask('/orders', await bearer({ act }))).status).toBe(200);
    expect(world.upstream.requests[0]?.headers).toMatchObject({ 'x-countersign-actor': 'agent-c', 'x-countersign-subject': 'user-1' });
    await expect.poll(() => decisionLines(service).at(-1)?.['actors']).toEqual(['agent-c', 'agent-b']);
  });

  it('with a scope that was not passed on is denied', async () => {
    const widened = { sub: 'agent-c', scope: 'orders:read admin', act: { sub: 'agent-b', scope: 'orders:read' } };
    const answer = await ask('/orders', await bearer({ act: widened }));
    expect(answer.status).toBe(403);
    expect(reasonsOf(answer)).toMatchObject([{ code: 'delegation.widened' }]);
    expect(world.upstream.begun).toBe(0);
  });

  it('once more than the tier allows is denied there, and not elsewhere', async () => {
    const headers = [await bearer({ act }), await txn()];
    expect(reasonsOf(await ask('/internal', ...headers))).toMatchObject([{ code: 'delegation.too_deep' }]);
    expect((await ask('/orders', ...headers)).status).toBe(200);
    expect((await ask('/internal', await bearer({ act: { sub: 'agent-c' } }), await txn())).status).toBe(200);
  });
});

describe('a transaction token', () => {
  it('opens a tier that asks for one, beside the access token, and reaches the upstream untouched', async () => {
    const headers = await txn();
    expect((await ask('/internal', await bearer({}), headers)).status).toBe(200);
    expect(world.upstream.requests[0]?.headers['txn-token']).toBe(headers[1]);
    expect(service.output()).not.toContain(headers[1]?.split('.')[1]);
  });

  it('is missed where it is not there', async () => {
    const answer = await ask('/internal', await bearer({}));
    expect(answer.status).toBe(401);
    expect(reasonsOf(answer)).toMatchObject([{ code: 'identity.txn_token_required' }]);
  });

  it('is refused where it is forged, comes twice, or is of another subject', async () => {
    const token = await bearer({});
    expect(reasonsOf(await ask('/orders', token, await txn({}, key)))).toMatchObject([{ code: 'identity.txn_token_invalid' }]);
    expect(reasonsOf(await ask('/orders', token, await txn(), await txn()))).toMatchObject([{ code: 'identity.txn_token_invalid' }]);
    expect(reasonsOf(await ask('/orders', token, await txn({ sub: 'user-2' })))).toMatchObject([{ code: 'identity.evidence_conflict' }]);
    expect(world.upstream.begun).toBe(0);
  });

  it('is no access token', async () => {
    const [, token] = await txn();
    expect((await ask('/orders', ['authorization', `Bearer ${token}`])).status).toBe(401);
  });
});

describe('a certificate whose SPIFFE path ends in the client id', () => {
  const through = async (name: string) =>
    send(secure.port, { path: '/orders', headers: ['authorization', await world.bearer('agent-a', ...SCOPES)], tls: agent(name) });

  it('agrees with the token', async () => {
    expect((await through('agent-a')).status).toBe(200);
    expect(world.upstream.requests[0]?.headers).toMatchObject({ 'x-countersign-assurance': '3', 'x-countersign-client-id': 'agent-a' });
  });

  it('of another client contradicts it', async () => {
    const answer = await through('agent-b');
    expect(answer.status).toBe(403);
    expect(reasonsOf(answer)).toMatchObject([{ code: 'identity.evidence_conflict' }]);
    expect(world.upstream.begun).toBe(0);
  });
});

describe('[RFC 9728] a route with its own resource metadata', () => {
  const unauthorized = `Bearer realm="countersign", scope="orders:read orders:write", resource_metadata="${METADATA}"`;
  const insufficient = `Bearer realm="countersign", error="insufficient_scope", scope="orders:read orders:write", resource_metadata="${METADATA}"`;

  it('names it in the 401 and in the 403 of a missing scope, with every scope that is needed', async () => {
    const first = await ask('/mcp');
    expect([first.status, first.headers['www-authenticate']]).toEqual([401, unauthorized]);
    const second = await ask('/mcp', await bearer({}));
    expect([second.status, second.headers['www-authenticate']]).toEqual([403, insufficient]);
    expect((await ask('/mcp', await bearer({ scope: 'orders:read orders:write' }))).status).toBe(200);
  });

  it('and so does /decide', async () => {
    const decide = async (headers: Record<string, string>) => {
      const request = { method: 'POST', host: 'api.example', path: '/mcp', headers };
      const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ request }),
      });
      return jsonObject(await answer.text())['response'];
    };
    expect(await decide({})).toMatchObject({ status: 401, headers: { 'www-authenticate': unauthorized } });
    const [, authorization = ''] = await bearer({});
    expect(await decide({ authorization })).toMatchObject({ status: 403, headers: { 'www-authenticate': insufficient } });
  });

  it('leaves other routes as they are', async () => {
    expect((await ask('/orders')).headers['www-authenticate']).toBe('Bearer realm="countersign"');
  });
});
