import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject } from '../../src/contract/json.ts';
import { OPA_BIN, POLICIES } from '../decide/fixtures.ts';
import { createAuthority } from '../support/certificates.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import { createProofKey, makeProof, type ProofKeyPair } from '../support/dpop.ts';
import { type OidcServer, startOidc } from '../support/oidc.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/* Two replicas of the real process over one real Redis, and tokens that a real authorization server bound to a key or to a certificate. */

const AUDIENCE = 'api://orders';
const HTU = 'https://api.example/orders/42';

let oidc: OidcServer;
let redis: RedisServer;
let replicas: readonly Countersign[] = [];
let client: ProofKeyPair;
let token: string;

const config = (dpop: object) => ({
  peps: [{ name: 'edge', anonymous: true, trusts: ['client_address', 'forwarded', 'client_certificate'] }],
  identity: {
    issuers: [{ issuer: oidc.issuer, audiences: [AUDIENCE], jwksUrl: oidc.jwksUrl, algorithms: ['RS256'], types: ['at+jwt'] }],
    dpop,
  },
  policy: { bundle: POLICIES, opaBin: OPA_BIN },
  store: { kind: 'redis', url: redis.url, deadlineMs: 500 },
  decisions: { deadlineMs: 2000 },
});

beforeAll(async () => {
  const scopes = ['orders:read'];
  oidc = await startOidc({
    audience: AUDIENCE,
    clients: [
      { id: 'agent-a', scopes },
      { id: 'agent-m', scopes, certificateBound: true },
    ],
  });
  redis = await startRedis();
  const nonce = { secret: 'the secret that both replicas have', lifetimeSeconds: 300 };
  replicas = await Promise.all([config({}), config({}), config({ nonce })].map((one) => startCountersign({ config: one })));
  client = await createProofKey();
  token = await oidc.boundToken('agent-a', scopes, (htu) => makeProof(client, { htm: 'POST', htu }));
  // the process is ready before its connection to Redis is
  for (const replica of replicas) await untilStored(replica);
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await redis.stop();
  await oidc.stop();
});

type Answer = {
  readonly effect: unknown;
  readonly status: unknown;
  readonly headers: Record<string, unknown>;
  readonly assurance: unknown;
};

async function ask(which: number, headers: Readonly<Record<string, unknown>>, more: object = {}): Promise<Answer> {
  const request = { method: 'GET', scheme: 'https', host: 'api.example', path: '/orders/42', headers };
  const answer = await fetch(`http://127.0.0.1:${replicas[which]?.httpPort}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request, ...more }),
  });
  const body: unknown = await answer.json();
  if (!isJsonObject(body)) throw new Error('no decision');
  const response = isJsonObject(body['response']) ? body['response'] : {};
  const level = isJsonObject(body['assurance']) ? body['assurance']['level'] : null;
  return { effect: body['decision'], status: response['status'], headers: Object(response['headers'] ?? {}), assurance: level };
}

async function untilStored({ operationsPort }: Countersign): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await (await fetch(`http://127.0.0.1:${operationsPort}/readyz`)).text()).includes('"store":"ready"')) return;
    await sleep(20);
  }
  throw new Error('Redis was not reached');
}

const withProof = (dpop: string) => ({ authorization: `DPoP ${token}`, dpop });
const proof = (claims: Readonly<Record<string, unknown>> = {}) => makeProof(client, { htu: HTU, token, claims });

describe('two replicas', () => {
  it('[asks 96] the same proof at both: the second is refused, whichever it is', async () => {
    for (const [first, second] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const mine = withProof(await proof());
      expect(await ask(first, mine)).toMatchObject({ effect: 'allow', assurance: 4 });
      const again = await ask(second, mine);
      expect(again).toMatchObject({ effect: 'deny', status: 401 });
      expect(again.headers['www-authenticate']).toContain('error="invalid_dpop_proof"');
    }
  });

  it('[asks 96] at the same moment: one of them is refused', async () => {
    const mine = withProof(await proof());
    const answers = await Promise.all([0, 1, 0, 1, 0, 1].map((which) => ask(which, mine)));
    expect(answers.filter(({ effect }) => effect === 'allow')).toHaveLength(1);
  });
});

describe('a nonce', () => {
  it('is asked for, handed out and taken', async () => {
    const refused = await ask(2, withProof(await proof()));
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toMatch(/^DPoP .*error="use_dpop_nonce"/);
    const nonce = refused.headers['dpop-nonce'];
    expect(nonce).toMatch(/^[\w-]{32}$/);
    expect(await ask(2, withProof(await proof({ nonce })))).toMatchObject({ effect: 'allow', assurance: 4 });
  });
});

describe('a token that is bound to a certificate', () => {
  it('[asks 36] passes with that certificate at assurance 4, and with no other', async () => {
    const authority = createAuthority();
    const [own, other] = ['agent-m', 'agent-x'].map((commonName) => authority.client({ commonName, uris: [] }));
    if (own === undefined || other === undefined) throw new Error('no certificate');
    const bearer = { authorization: `Bearer ${await oidc.certificateToken('agent-m', ['orders:read'], own.pem)}` };
    expect(await ask(0, bearer, { certificate: { pem: own.pem } })).toMatchObject({ effect: 'allow', assurance: 4 });
    for (const more of [{ certificate: { pem: other.pem } }, {}]) {
      const refused = await ask(0, bearer, more);
      expect(refused).toMatchObject({ effect: 'deny', status: 401 });
      expect(refused.headers['www-authenticate']).toMatch(/^Bearer .*error="invalid_token"/);
    }
  });
});

describe('while Redis is away', () => {
  it('a bound token is answered 503, and not sent away for another', async () => {
    await redis.kill();
    await sleep(100);
    expect(await ask(0, withProof(await proof()))).toMatchObject({ effect: 'deny', status: 503 });
  });
});
