import { expect, test } from 'vitest';
import type { AgreementPair } from '../../src/contract/agreement.ts';
import { createAuthority } from '../support/certificates.ts';
import { createKey, HASH_KEYS } from '../support/registry.ts';
import { createBench, createSigningKey, identityOptions, issuerOptions, keysAtHand, makeToken, type RequestFacts } from './fixtures.ts';
import { createTestRegistry } from './registries.ts';

/* A piece of evidence that contradicts another one, by whatever pair, lifts nothing: stolen sets of evidence are what levels are for. */

const signer = await createSigningKey('k1');
const authority = createAuthority();
const certificateOf = (path: string): RequestFacts => ({
  certificates: [{ form: 'pem', from: 'decide', pem: authority.client({ commonName: 'x', uris: [`spiffe://td.example${path}`] }).pem }],
});
const key = createKey('billing');
const registry = createTestRegistry();
registry.declare({
  clients: [
    { clientId: 'billing', type: 'service' },
    { clientId: 'pinned', type: 'service', fingerprints: [`sha256:${'00'.repeat(32)}`] },
  ],
  keys: [key.entry],
});
const rules = [
  { pair: 'certificate_api_key', left: 'spiffe_path_last', right: 'client_id', ignoreCase: false },
  { pair: 'certificate_txn_token', left: 'spiffe_path_last', right: 'requesting_workload', ignoreCase: false },
] as const;
const issuers = [
  issuerOptions({ jwksUrl: 'https://as.example/jwks' }),
  issuerOptions({ kind: 'txn_token', issuer: 'https://tts.example', audiences: ['td.example'], jwksUrl: 'https://tts.example/jwks' }),
];
const bench = createBench(identityOptions(issuers, { agreement: { rules, withoutBuiltIn: [] } }), {
  ...keysAtHand([signer.jwk]),
  registry: { registry, hashKeys: HASH_KEYS, addressOf: () => null },
});
await bench.identifier.start();
bench.identifier.stop();
const now = Math.floor(Date.now() / 1000);
bench.clock.wallSeconds = now;

const times = { iat: now, exp: now + 300 };
const bearer = async (claims: object): Promise<RequestFacts> => ({
  authorization: [`Bearer ${await makeToken(signer, { ...times, ...claims })}`],
});
const txn = { iss: undefined, aud: 'td.example', ...times, txn: 't', scope: 's', sub: 'svc-a', req_wl: 'shipping' };

test.each<[AgreementPair, RequestFacts, number, string | null]>([
  ['certificate_api_key', { apiKeys: [key.text], ...certificateOf('/agent/shipping') }, 1, null],
  ['client_certificate', { ...(await bearer({ client_id: 'pinned' })), ...certificateOf('/agent/pinned') }, 2, 'pinned'],
  [
    'certificate_txn_token',
    {
      ...(await bearer({ client_id: 'billing' })),
      ...certificateOf('/agent/billing'),
      txnToken: [await makeToken(signer, txn, { typ: 'txntoken+jwt' })],
    },
    2,
    'billing',
  ],
])('%s', async (pair, facts, assurance, client) => {
  const { evidence, subject } = await bench.identify(facts);
  expect(evidence.agreement.conflicts).toEqual([pair]);
  expect(evidence.assurance).toBe(assurance);
  expect(subject.client).toBe(client);
});

test('the same key with a certificate that does not contradict it is level 3', async () => {
  expect((await bench.identify({ apiKeys: [key.text], ...certificateOf('/agent/billing') })).evidence.assurance).toBe(3);
});
