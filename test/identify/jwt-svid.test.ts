import { describe, expect, test } from 'vitest';
import type { IdentityOptions, IssuerOptions } from '../../src/identify/options.ts';
import {
  AUDIENCE,
  type Claims,
  createBench,
  createSigningKey,
  ISSUER,
  identityOptions,
  issuerOptions,
  keysAtHand,
  makeToken,
  NOW,
  tokenOf,
} from './fixtures.ts';

const AGENT = 'spiffe://td.example/agent/a';
const SVID: Claims = {
  iss: undefined,
  client_id: undefined,
  scope: undefined,
  iat: undefined,
  jti: undefined,
  sub: AGENT,
  aud: [AUDIENCE],
};
const PLAIN = { typ: undefined };
const key = await createSigningKey('k1');
const stranger = await createSigningKey('k1');
const ofSvids = { ...key.jwk, use: 'jwt-svid' };

async function benchOver(keys: readonly unknown[], domain: Partial<IssuerOptions> = {}, more: Partial<IdentityOptions> = {}) {
  const svids = issuerOptions({ kind: 'jwt_svid', issuer: 'spiffe://td.example', jwksUrl: 'https://td.example/bundle', ...domain });
  const plain = issuerOptions({ jwksUrl: 'https://as.example/jwks' });
  const bench = createBench(identityOptions([svids, plain], more), keysAtHand(keys));
  await bench.identifier.start();
  return bench;
}

const bundle = { keys: [ofSvids] };

describe('a JWT-SVID', () => {
  test('is known by its subject, without iss', async () => {
    const bench = await benchOver(bundle.keys);
    const identity = await bench.identify({ authorization: [`Bearer ${await makeToken(key, SVID, PLAIN)}`] });
    expect(tokenOf(identity)).toMatchObject({ issuer: 'spiffe://td.example', subject: AGENT, clientId: null, expiresAt: NOW + 300 });
    expect(identity.evidence.assurance).toBe(2);
  });

  test('with an iss that is not configured, as SPIRE writes it, is the same', async () => {
    const bench = await benchOver(bundle.keys);
    expect(await bench.judge(await makeToken(key, { ...SVID, iss: 'https://spire.example' }, { typ: 'JWT' }))).toBe('present');
  });

  test('is kept: the second time no signature is checked', async () => {
    const bench = await benchOver(bundle.keys);
    const token = await makeToken(key, SVID, PLAIN);
    await bench.judge(token);
    expect(await bench.judge(token)).toBe('present');
    expect(bench.identifier.status().tokenCache).toMatchObject({ hits: 1, entries: 1 });
  });

  test('gives the client that its SPIFFE id is mapped to', async () => {
    const bench = await benchOver(bundle.keys, {}, { clients: [{ id: 'agent-a', spiffeIds: [AGENT] }] });
    const identity = await bench.identify({ authorization: [`Bearer ${await makeToken(key, SVID, PLAIN)}`] });
    expect(identity.subject).toMatchObject({ client: 'agent-a', id: AGENT });
  });

  test.each<[string, Claims, Claims, string]>([
    ['of another trust domain', { sub: 'spiffe://other.example/a' }, PLAIN, 'invalid claim_missing'],
    ['whose id has no path', { sub: 'spiffe://td.example' }, PLAIN, 'invalid claim_missing'],
    ['whose id is malformed', { sub: 'spiffe://TD.example/a' }, PLAIN, 'invalid claim_missing'],
    ['without a subject', { sub: undefined }, PLAIN, 'invalid claim_missing'],
    ['that names the domain and another subject', { iss: 'spiffe://td.example', sub: 'agent' }, PLAIN, 'invalid claim_invalid'],
    ['for somebody else', { aud: ['api://other'] }, PLAIN, 'invalid audience_mismatch'],
    ['for nobody', { aud: undefined }, PLAIN, 'invalid audience_mismatch'],
    ['without an end', { exp: undefined }, PLAIN, 'invalid claim_missing'],
    ['that has expired', { exp: NOW - 6 }, PLAIN, 'invalid token_expired'],
    ['of the type at+jwt', {}, { typ: 'at+jwt' }, 'invalid type_not_allowed'],
    ['under the name of an issuer that is no trust domain', { iss: ISSUER }, { typ: 'at+jwt' }, 'invalid signature_invalid'],
  ])('%s is refused', async (_, claims, header, code) => {
    // the other issuer's key has the same kid, so that a mix-up of the two would be seen
    const bench = createBench(
      identityOptions([
        issuerOptions({ kind: 'jwt_svid', issuer: 'spiffe://td.example', jwksUrl: 'https://td.example/bundle' }),
        issuerOptions({ jwksUrl: 'https://as.example/jwks' }),
      ]),
      {
        httpFetch: async (url) => {
          const keys = url.startsWith('https://td.') ? bundle.keys : [stranger.jwk];
          return { bytes: Buffer.from(JSON.stringify({ keys })), contentType: null };
        },
      },
    );
    await bench.identifier.start();
    expect(await bench.judge(await makeToken(key, { ...SVID, ...claims }, header))).toBe(code);
  });

  test('by EdDSA is refused, whatever is configured', async () => {
    const edwards = await createSigningKey('k1', 'EdDSA');
    const bench = await benchOver([ofSvids, { ...edwards.jwk, kid: 'k1', use: 'jwt-svid' }]);
    expect(await bench.judge(await makeToken(edwards, SVID, PLAIN))).toBe('invalid algorithm_not_allowed');
  });

  test('by a key of a bundle that is for something else, or has no kid, is refused', async () => {
    for (const jwk of [key.jwk, { ...ofSvids, use: 'x509-svid' }, { ...ofSvids, use: undefined }, { ...ofSvids, kid: undefined }]) {
      const bench = await benchOver([jwk]);
      expect(await bench.judge(await makeToken(key, SVID, PLAIN))).toBe('unavailable keys_unavailable');
    }
  });

  test('by a key of another bundle with the same kid is refused', async () => {
    const bench = await benchOver([{ ...stranger.jwk, use: 'jwt-svid' }]);
    expect(await bench.judge(await makeToken(key, SVID, PLAIN))).toBe('invalid signature_invalid');
  });
});

test.each<[string, Partial<IssuerOptions>]>([
  ['a trust domain with a path', { issuer: 'spiffe://td.example/a' }],
  ['no trust domain', { issuer: 'https://td.example' }],
  ['any audience', { audiences: [], allowAnyAudience: true }],
])('%s is no configuration', (_, options) => {
  const issuer = issuerOptions({ kind: 'jwt_svid', issuer: 'spiffe://td.example', jwksUrl: 'https://td.example/b', ...options });
  expect(() => createBench(identityOptions([issuer]))).toThrow(/configuration/);
});
