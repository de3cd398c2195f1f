import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProofKey, makeProof, type ProofKeyPair } from '../support/dpop.ts';
import type { Envoy } from '../support/envoy.ts';
import { send } from '../support/http-client.ts';
import { createWorld, type World } from './world.ts';

/* Tokens that a real authorization server bound to a client's key, through a real Envoy. */

let world: World;
let envoy: Envoy;
let replica: Envoy;
let client: ProofKeyPair;
let token: string;

beforeAll(async () => {
  world = await createWorld();
  const identity = { ...Object(world.config()['identity']), dpop: { clockSkewSeconds: 0 } };
  envoy = await world.envoy([await world.service({ identity })]);
  replica = await world.envoy([await world.service({ identity })]);
  client = await createProofKey();
  token = await world.oidc.boundToken('agent-a', ['orders:read'], (htu) => makeProof(client, { htm: 'POST', htu }));
  // a proof of the second in which the process began could have been used before: it is refused
  await sleep(1100);
});
afterAll(() => world.stop());

const proofFor = (to: Envoy, key: ProofKeyPair = client) =>
  makeProof(key, { htm: 'GET', htu: `http://127.0.0.1:${to.port}/orders/42`, token });

function ask(to: Envoy, scheme: 'DPoP' | 'Bearer', proofs: readonly string[], path = '/orders/42?page=1') {
  return send(to.port, { path, headers: ['authorization', `${scheme} ${token}`, ...proofs.flatMap((proof) => ['dpop', proof])] });
}

describe('a token that is bound by DPoP', () => {
  it('[asks 34] passes with a proof whose htu has no query, at assurance 4', async () => {
    expect((await ask(envoy, 'DPoP', [await proofFor(envoy)])).status).toBe(200);
    expect(world.upstream.requests.at(-1)?.headers).toMatchObject({ 'x-countersign-assurance': '4', 'x-countersign-client-id': 'agent-a' });
  });

  it('as plain Bearer is refused, with a challenge for DPoP', async () => {
    const answer = await ask(envoy, 'Bearer', []);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^DPoP .*algs="/);
  });

  it('[asks 37] is refused with the proof of another key, with none, and with two', async () => {
    const other = await createProofKey();
    const before = world.upstream.requests.length;
    const proofs = [[await proofFor(envoy, other)], [], [await proofFor(envoy), await proofFor(envoy)]];
    for (const these of proofs) expect((await ask(envoy, 'DPoP', these)).status).toBe(401);
    expect(world.upstream.requests).toHaveLength(before);
  });

  it('is refused where the proof was made for another path, another method, or another host', async () => {
    const proof = await proofFor(envoy);
    expect((await ask(envoy, 'DPoP', [proof], '/orders/43')).status).toBe(401);
    expect((await ask(replica, 'DPoP', [proof])).status).toBe(401);
  });

  it('a proof serves once', async () => {
    const proof = await proofFor(envoy);
    expect((await ask(envoy, 'DPoP', [proof])).status).toBe(200);
    const again = await ask(envoy, 'DPoP', [proof]);
    expect(again.status).toBe(401);
    expect(again.headers['www-authenticate']).toContain('error="invalid_dpop_proof"');
  });
});
