import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject } from '../../src/contract/json.ts';
import { OPA_BIN } from '../decide/fixtures.ts';
import { createSigningKey, makeToken } from '../identify/fixtures.ts';
import { createAuthority } from '../support/certificates.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import { createProofKey, makeProof } from '../support/dpop.ts';
import { type IntrospectionServer, startIntrospectionServer } from '../support/introspection-server.ts';
import { type OidcServer, SECRET, startOidc } from '../support/oidc.ts';
import { copyPolicies } from '../support/policy-directory.ts';

/* The real process before a real authorization server with opaque tokens, and before one whose JWTs a policy asks about. */

const AUDIENCE = 'https://api.example';
const HTU = 'https://api.example/orders/42';
const JWT_ISSUER = 'https://jwt.example';
const OPERATOR = 'operator-token-of-the-test';
const directory = mkdtempSync(join(tmpdir(), 'countersign-introspection-'));
const signer = await createSigningKey('k1');

let oidc: OidcServer;
let jwtServer: IntrospectionServer;
let service: Countersign;

beforeAll(async () => {
  const scopes = ['orders:read'];
  oidc = await startOidc({
    audience: AUDIENCE,
    format: 'opaque',
    clients: [
      { id: 'agent-a', scopes },
      { id: 'agent-m', scopes, certificateBound: true },
      { id: 'rs', scopes },
    ],
  });
  jwtServer = await startIntrospectionServer();
  const [policies, secretFile, jwksFile] = [join(directory, 'policies'), join(directory, 'secret'), join(directory, 'jwks.json')];
  const risk = { allowed: 100, allowed_bound: 100 };
  const tier = { assurance: 2, signals: ['token'], risk };
  copyPolicies(policies, {
    routes: {
      orders_read: { methods: ['GET'], path: '/orders/{id}', tier: 'medium', scopes },
      orders_write: { methods: ['POST'], path: '/orders', tier: 'medium', scopes: ['orders:write'] },
      vault_read: { methods: ['GET'], path: '/vault/{id}', tier: 'high', scopes },
    },
    limits: {
      tiers: { low: tier, medium: tier, high: { ...tier, introspected: true }, critical: tier },
      rate: { client: {}, address: {}, token: {}, route: {} },
    },
  });
  writeFileSync(secretFile, `${SECRET}\n`);
  writeFileSync(jwksFile, JSON.stringify({ keys: [signer.jwk] }));
  const opaque = { mode: 'opaque', clientId: 'rs', authentication: { secretFile }, cacheSeconds: 2 };
  const onDemand = {
    mode: 'on_demand',
    endpoint: jwtServer.url,
    clientId: 'rs',
    authentication: { secret: 'x' },
    cacheSeconds: 0,
    inactiveCacheSeconds: 0,
  };
  service = await startCountersign({
    config: {
      peps: [{ name: 'edge', anonymous: true, trusts: ['client_address', 'forwarded', 'client_certificate'] }],
      operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update(OPERATOR).digest('hex') }] },
      identity: {
        // proofs of this process's first seconds count too
        dpop: { clockSkewSeconds: 0 },
        issuers: [
          { issuer: oidc.issuer, audiences: [AUDIENCE], introspection: opaque },
          { issuer: JWT_ISSUER, audiences: [AUDIENCE], jwksFile, introspection: onDemand },
        ],
      },
      policy: { bundle: policies, opaBin: OPA_BIN },
      decisions: { deadlineMs: 2000 },
    },
  });
  // proofs of the second in which the process started could have been used before it
  await sleep(1000);
});
afterAll(async () => {
  await service.stop();
  await oidc.stop();
  await jwtServer.stop();
  rmSync(directory, { recursive: true });
});

type Answer = {
  readonly effect: unknown;
  readonly status: unknown;
  readonly challenge: unknown;
  readonly codes: readonly unknown[];
  readonly level: unknown;
};

async function ask(
  headers: Readonly<Record<string, string>>,
  more: { readonly method?: string; readonly path?: string; readonly certificate?: object } = {},
): Promise<Answer> {
  const { certificate, method = 'GET', path = '/orders/42' } = more;
  const request = { method, scheme: 'https', host: 'api.example', path, headers };
  const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request, source: { ip: '203.0.113.7' }, ...(certificate === undefined ? {} : { certificate }) }),
  });
  const body: unknown = await answer.json();
  if (!isJsonObject(body)) throw new Error('no decision');
  const response = isJsonObject(body['response']) ? body['response'] : {};
  const answered = isJsonObject(response['headers']) ? response['headers'] : {};
  const reasons = Array.isArray(body['reasons']) ? body['reasons'] : [];
  return {
    effect: body['decision'],
    status: response['status'],
    challenge: answered['www-authenticate'],
    codes: reasons.map((reason) => (isJsonObject(reason) ? reason['code'] : null)),
    level: isJsonObject(body['assurance']) ? body['assurance']['level'] : null,
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('opaque tokens of oidc-provider', () => {
  it('[asks 29] plain: the scopes are judged at each request, the cache says nothing of them', async () => {
    const token = await oidc.token('agent-a', ['orders:read']);
    expect(await ask(bearer(token))).toMatchObject({ effect: 'allow', level: 2 });
    expect(await ask(bearer(token), { method: 'POST', path: '/orders' })).toMatchObject({
      effect: 'step_up',
      status: 403,
      challenge: expect.stringContaining('error="insufficient_scope"'),
    });
    expect(await ask(bearer(token))).toMatchObject({ effect: 'allow' });
  });

  it('[asks 40] revoked: refused with invalid_token as soon as the cache is over', async () => {
    const token = await oidc.token('agent-a', ['orders:read']);
    expect(await ask(bearer(token))).toMatchObject({ effect: 'allow' });
    await oidc.revoke('agent-a', token);
    await sleep(2100);
    expect(await ask(bearer(token))).toMatchObject({
      effect: 'deny',
      status: 401,
      challenge: expect.stringMatching(/^Bearer .*error="invalid_token"/),
      codes: expect.arrayContaining(['identity.token_invalid']),
    });
  });

  it('bound to a key: level 4 with its proof, refused as plain Bearer', async () => {
    const key = await createProofKey();
    const token = await oidc.boundToken('agent-a', ['orders:read'], (htu) => makeProof(key, { htm: 'POST', htu }));
    const headers = { authorization: `DPoP ${token}`, dpop: await makeProof(key, { htu: HTU, token }) };
    expect(await ask(headers)).toMatchObject({ effect: 'allow', level: 4 });
    expect(await ask(headers)).toMatchObject({ effect: 'deny', status: 401, challenge: expect.stringContaining('invalid_dpop_proof') });
    expect(await ask(bearer(token))).toMatchObject({ effect: 'deny', status: 401 });
  });

  it('bound to a certificate: level 4 with it, refused with another one', async () => {
    const authority = createAuthority();
    const [own, other] = ['agent-m', 'agent-x'].map((commonName) => authority.client({ commonName, uris: [] }));
    if (own === undefined || other === undefined) throw new Error('no certificate');
    const token = await oidc.certificateToken('agent-m', ['orders:read'], own.pem);
    expect(await ask(bearer(token), { certificate: { pem: own.pem } })).toMatchObject({ effect: 'allow', level: 4 });
    expect(await ask(bearer(token), { certificate: { pem: other.pem } })).toMatchObject({ effect: 'deny', status: 401 });
  });

  it('under load: one question a token, and no request that is decided otherwise', async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => oidc.token('agent-a', ['orders:read'])));
    const asked = async () => {
      const text = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
      return Number(/countersign_introspection_answers_total\{issuer="[^"]*",result="active"\} (\d+)/.exec(text)?.[1]);
    };
    const before = await asked();
    const answers = await Promise.all(tokens.flatMap((token) => Array.from({ length: 40 }, () => ask(bearer(token)))));
    expect(new Set(answers.map(({ effect }) => effect))).toEqual(new Set(['allow']));
    expect((await asked()) - before).toBeLessThanOrEqual(10);
  });
});

describe('a route whose tier says introspected', () => {
  const jwt = () => {
    const now = Math.floor(Date.now() / 1000);
    return makeToken(signer, { iss: JWT_ISSUER, aud: AUDIENCE, scope: 'orders:read', iat: now, exp: now + 300 });
  };
  const vault = { path: '/vault/1' };
  const active = { active: true, token_type: 'Bearer', sub: 'svc-a', client_id: 'svc-a', scope: 'orders:read' };

  it('asks about a JWT, once a request, and no other route does', async () => {
    jwtServer.answer = () => active;
    const token = await jwt();
    expect(await ask(bearer(token))).toMatchObject({ effect: 'allow' });
    expect(jwtServer.asked).toHaveLength(0);
    expect(await ask(bearer(token), vault)).toMatchObject({ effect: 'allow', level: 2 });
    expect(jwtServer.asked).toHaveLength(1);
  });

  it('refuses it with 401 where it is not active any more, and other routes go on', async () => {
    jwtServer.answer = () => ({ active: false });
    const token = await jwt();
    expect(await ask(bearer(token), vault)).toMatchObject({
      effect: 'deny',
      status: 401,
      challenge: expect.stringContaining('invalid_token'),
    });
    expect(await ask(bearer(token))).toMatchObject({ effect: 'allow' });
  });

  it('says 503 and not 401 where the server fails: its holder must not be sent away for a new one', async () => {
    jwtServer.answer = () => (response) => void response.writeHead(500).end();
    expect(await ask(bearer(await jwt()), vault)).toMatchObject({ effect: 'deny', status: 503, challenge: undefined });
    const status: unknown = await (
      await fetch(`http://127.0.0.1:${service.operationsPort}/status`, { headers: { authorization: `Bearer ${OPERATOR}` } })
    ).json();
    expect(JSON.stringify(status)).toMatch(/"issuer":"https:\/\/jwt.example","state":"failing"/);
  });

  it('takes an opaque token as it is: its server was asked already', async () => {
    const before = jwtServer.asked.length;
    expect(await ask(bearer(await oidc.token('agent-a', ['orders:read'])), vault)).toMatchObject({ effect: 'allow' });
    expect(jwtServer.asked).toHaveLength(before);
  });
});

it('no token and no secret is in what the process wrote', async () => {
  const token = await oidc.token('agent-a', ['orders:read']);
  await ask(bearer(token));
  expect(service.output()).not.toContain(token);
  expect(service.output()).not.toContain(SECRET);
});
