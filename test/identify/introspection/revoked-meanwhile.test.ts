import { createHash } from 'node:crypto';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Facts } from '../../../src/contract/collect.ts';
import type { SignatureValue } from '../../../src/contract/signature.ts';
import { createAuthority } from '../../support/certificates.ts';
import { HASH_KEYS } from '../../support/registry.ts';
import { createSigningKey, keysAtHand, makeRequest, makeToken } from '../fixtures.ts';
import { createTestRegistry } from '../registries.ts';
import { ACTIVE, createIntrospectionBench } from './fixtures.ts';

/* [asks 40] What is revoked while the authorization server is asked does not come back with its answer. */

const AGENT = 'spiffe://td.example/agent/a';
const key = await createSigningKey('k1');
const made = createAuthority().client({ commonName: 'a', uris: [AGENT] });
const registry = createTestRegistry();
registry.declare({ clients: [{ clientId: 'agent-a', type: 'agent', spiffeIds: [AGENT] }] });
const now = Math.floor(Date.now() / 1000);
const cnf = { 'x5t#S256': createHash('sha256').update(made.der).digest('base64url') };
const members = { ...ACTIVE, sub: 'svc-a', iat: now, exp: now + 300 };
const bench = await createIntrospectionBench(() => members, {
  introspection: { mode: 'on_demand', cacheSeconds: 0 },
  issuer: { jwksUrl: 'https://as.example/jwks' },
  parts: { ...keysAtHand([key.jwk]), registry: { registry, hashKeys: HASH_KEYS, addressOf: () => null } },
});
bench.clock.wallSeconds = now;
await bench.identifier.start();
beforeEach(() => registry.revoke());
afterAll(async () => {
  bench.identifier.stop();
  await bench.server.stop();
});

const enrichment: Facts['enrichment'] = {
  network: { status: 'absent', code: 'address_missing' },
  rate: { status: 'unavailable', code: 'store_full' },
  device: { status: 'absent', code: 'device_disabled' },
  behaviour: { status: 'absent', code: 'behaviour_disabled' },
};
const signature: SignatureValue = {
  profile: 'rfc9421',
  keySet: 'partners',
  label: 'sig1',
  keyId: 'k1',
  agent: null,
  agentListed: false,
  tag: null,
  algorithm: 'ed25519',
  createdAt: now,
  expiresAt: null,
  covered: [],
  nonce: false,
  digest: 'none',
  clientId: 'partner-a',
};

async function identityOf(claims: object) {
  const token = await makeToken(key, { iat: now, exp: now + 300, client_id: undefined, ...claims });
  const request = makeRequest(bench.clock, {
    authorization: [`Bearer ${token}`],
    certificates: [{ form: 'pem', from: 'decide', pem: made.pem }],
  });
  return { request, identity: await bench.identifier.identify(request) };
}

test('the certificate that a token is bound to: the token is not proven any more', async () => {
  const { request, identity } = await identityOf({ cnf });
  expect(identity.evidence).toMatchObject({ assurance: 4, binding: 'matched' });
  const asked = bench.identifier.introspect(request, { identity, enrichment });
  registry.revoke({ certificateSha256: createHash('sha256').update(made.der).digest('hex') });
  const { signals, evidence } = (await asked).identity;
  expect(signals).toMatchObject({
    token: { status: 'invalid', code: 'token_binding_mismatch' },
    certificate: { status: 'invalid', code: 'certificate_denied' },
    binding: { status: 'invalid', code: 'certificate_mismatch' },
  });
  expect(evidence).toMatchObject({ assurance: 0, binding: 'mismatched', methods: [] });
});

test('the client whose key signed the request', async () => {
  const { request, identity } = await identityOf({});
  const signed = { ...identity, signals: { ...identity.signals, signature: { status: 'present', value: signature } as const } };
  const asked = bench.identifier.introspect(request, { identity: signed, enrichment });
  registry.revoke({ client: 'partner-a' });
  expect((await asked).identity.signals.signature).toEqual({ status: 'invalid', code: 'client_revoked' });
});
