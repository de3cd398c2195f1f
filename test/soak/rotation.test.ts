import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KEY_TIMING } from '../../src/identify/keys.ts';
import { createWorld, jsonObject, type World } from '../gateway/world.ts';
import { createAuthority } from '../support/certificates.ts';
import type { Countersign } from '../support/countersign.ts';
import { createProofKey, makeProof } from '../support/dpop.ts';
import type { Envoy } from '../support/envoy.ts';
import { send } from '../support/http-client.ts';

/* The keys of a real authorization server change in the middle of a load, and its key set hangs or is away while they do. */

const REFRESH_SECONDS = 10;
const MANY = { '10s': 1_000_000, '1m': 1_000_000 };
const SCOPES = ['orders:read'] as const;
const { pem } = createAuthority().client({ commonName: 'agent-m', uris: ['spiffe://td.example/agent-m'] });

let world: World;
let service: Countersign;
let envoy: Envoy;

beforeAll(async () => {
  world = await createWorld();
  const { issuer, audience, jwksUrl } = world.oidc;
  const identity = {
    issuers: [
      {
        issuer,
        audiences: [audience],
        jwksUrl,
        algorithms: ['RS256'],
        types: ['at+jwt'],
        refreshSeconds: REFRESH_SECONDS,
        fetchTimeoutMs: 1000,
      },
    ],
    dpop: { clockSkewSeconds: 0 },
  };
  const limits = { rate: { client: MANY, address: MANY, token: MANY, route: {} } };
  service = await world.service({ identity, decisions: { deadlineMs: 1000 } }, { limits });
  // a machine that is busy must not look like a lost request
  envoy = await world.envoy([service], { timeoutMs: 5000 });
  // a proof of the second in which the process began could have been used before: it is refused
  await sleep(1100);
});
afterAll(() => world.stop());

/** What one question was answered: `allow`, or all that is needed to see why not. */
type Answer = {
  readonly effect: string;
  readonly detail: string;
  readonly code: unknown;
  readonly status: unknown;
  readonly error: unknown;
};

async function decide(headers: Readonly<Record<string, string>>, more: object = {}): Promise<Answer> {
  const request = { method: 'GET', scheme: 'https', host: 'api.example', path: '/orders/42', headers };
  const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide?explain=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request, ...more }),
  });
  const detail = await answer.text();
  const body = jsonObject(detail);
  const token = Object(Object(body['signals'])['token']);
  return { effect: `${body['decision']}`, detail, code: token.code, status: Object(body['response'])['status'], error: body['error'] };
}

const bearer = (token: string): Promise<Answer> => decide({ authorization: `Bearer ${token}` });
const kidOf = (token: string): unknown => jsonObject(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())['kid'];

/** One client: gets a token, uses it a few times, and asks whether that is allowed. */
type Client = () => Promise<{ readonly kid: unknown; readonly answers: readonly Answer[] }>;

const USES = 5;

async function used(token: string, use: (token: string) => Promise<Answer>): ReturnType<Client> {
  const answers: Answer[] = [];
  for (let count = 0; count < USES; count++) answers.push(await use(token));
  return { kid: kidOf(token), answers };
}

async function createClients(): Promise<Readonly<Record<string, Client>>> {
  const key = await createProofKey();
  const htu = 'https://api.example/orders/42';
  const old = await world.oidc.token('agent-b', SCOPES);
  return {
    '/decide, plain': async () => used(await world.oidc.token('agent-a', SCOPES), bearer),
    '/decide, a token from before': () => used(old, bearer),
    '/decide, bound by DPoP': async () =>
      used(await world.oidc.boundToken('agent-a', SCOPES, (to) => makeProof(key, { htm: 'POST', htu: to })), async (token) =>
        decide({ authorization: `DPoP ${token}`, dpop: await makeProof(key, { htu, token }) }),
      ),
    '/decide, bound to a certificate': async () =>
      used(await world.oidc.certificateToken('agent-m', SCOPES, pem), (token) =>
        decide({ authorization: `Bearer ${token}` }, { certificate: { pem } }),
      ),
    'Envoy, plain': async () => used(await world.oidc.token('agent-a', SCOPES), throughEnvoy),
    'Envoy, a token from before': () => used(old, throughEnvoy),
  };
}

async function throughEnvoy(token: string): Promise<Answer> {
  const { status, body } = await send(envoy.port, { path: '/orders/42', headers: ['authorization', `Bearer ${token}`] });
  return { effect: status === 200 ? 'allow' : 'refused', detail: `${status} ${body}`, code: null, status, error: undefined };
}

/** What a load saw: allowed answers by client and key, and every other answer. */
type Load = { readonly allowed: Record<string, Record<string, number>>; readonly lost: string[] };

/** Every client asks again and again while `meanwhile` runs; the load of `only` where that is given. */
async function underLoad(meanwhile: () => Promise<void>, only: (client: string) => boolean = () => true): Promise<Load> {
  const load: Load = { allowed: {}, lost: [] };
  let over = false;
  const clients = Object.entries(await createClients()).filter(([name]) => only(name));
  const loops = clients.map(async ([name, client]) => {
    const counts: Record<string, number> = {};
    load.allowed[name] = counts;
    while (!over) {
      const { kid, answers } = await client();
      for (const { effect, detail } of answers) {
        if (effect === 'allow') counts[`${kid}`] = (counts[`${kid}`] ?? 0) + 1;
        else load.lost.push(`${name}, ${kid}: ${detail}`);
      }
      await sleep(20);
    }
  });
  try {
    await Promise.race([meanwhile(), Promise.all(loops)]);
  } finally {
    over = true;
  }
  await Promise.all(loops);
  return load;
}

describe('keys that are rotated in the middle of a load', { timeout: 90_000 }, () => {
  it('lose no request as long as old and new key overlap by one refresh interval', async () => {
    const { allowed, lost } = await underLoad(async () => {
      await sleep(1000);
      world.oidc.rotate('rs-2', 'rs-1');
      await sleep(REFRESH_SECONDS * 1000 + 1000);
    });
    expect(lost).toEqual([]);
    for (const [client, kids] of Object.entries(allowed)) {
      const expected = client.includes('before') ? ['rs-1'] : ['rs-1', 'rs-2'];
      expect(Object.keys(kids).sort(), client).toEqual(expected);
      // many of them, so that some fell into the moment of the change
      for (const kid of expected) expect(kids[kid], `${client} ${kid}`).toBeGreaterThan(USES);
    }
  });

  it('the old one refuses its tokens once it is out of the set and the set was fetched again', async () => {
    world.oidc.rotate('rs-2', 'rs-1');
    const fresh = await world.oidc.token('agent-a', SCOPES);
    world.oidc.rotate('rs-1', 'rs-2');
    const old = await world.oidc.token('agent-a', SCOPES);
    expect([kidOf(fresh), kidOf(old)]).toEqual(['rs-2', 'rs-1']);
    expect([(await bearer(fresh)).effect, (await bearer(old)).effect]).toEqual(['allow', 'allow']);
    world.oidc.rotate('rs-2');
    await vi.waitFor(async () => expect(await bearer(old)).toMatchObject({ effect: 'deny', code: 'kid_unknown' }), {
      timeout: REFRESH_SECONDS * 1000 + 5000,
      interval: 250,
    });
    expect((await bearer(fresh)).effect).toBe('allow');
  });
});

describe('a key set that cannot be had while keys are rotated', { timeout: 90_000 }, () => {
  // a kid that a fetch did not bring (above) makes unknown kids `kid_unknown` for this long, without a fetch
  beforeAll(() => sleep(KEY_TIMING.cooldownMs + 500));

  it.each([
    ['[asks 26] hangs', 'hangs', 'rs-3'],
    ['[asks 25] is away', 'away', 'rs-4'],
  ] as const)('%s: known keys are unaffected, an unknown one is unavailable until it is back', async (_, state, kid) => {
    const before = await world.oidc.token('agent-a', SCOPES);
    const known = `${kidOf(before)}`;
    expect((await bearer(before)).effect).toBe('allow');
    // nothing of the new key is to be seen, not even by a refresh that happens to fall here
    await world.oidc.keys('hangs');
    const again = await world.oidc.token('agent-b', SCOPES);
    world.oidc.rotate(kid, known);
    const next = await world.oidc.token('agent-a', SCOPES);
    expect([kidOf(again), kidOf(next)]).toEqual([known, kid]);
    await world.oidc.keys(state);

    // asked one after the other, and each answered by the policy: a deadline that was missed would be an error
    const unknown: Answer[] = [];
    const others: Answer[] = [];
    for (let round = 0; round < 10; round++) {
      const [refused, ...allowed] = await Promise.all([bearer(next), bearer(before), bearer(again), throughEnvoy(before)]);
      unknown.push(refused);
      others.push(...allowed);
      await sleep(100);
    }
    expect(others.filter(({ effect }) => effect !== 'allow')).toEqual([]);
    for (const answer of unknown) expect(answer).toMatchObject({ effect: 'deny', code: 'keys_unavailable', status: 503, error: undefined });

    await world.oidc.keys('served');
    await vi.waitFor(async () => expect((await bearer(next)).effect).toBe('allow'), { timeout: 30_000, interval: 100 });
    expect((await bearer(before)).effect).toBe('allow');
  });
});
