import { describe, expect, test } from 'vitest';
import { createIdentifier } from '../../src/identify/identifier.ts';
import type { IdentityOptions, IssuerOptions } from '../../src/identify/options.ts';
import {
  AUDIENCE,
  type Bench,
  CLAIMS,
  type Claims,
  createBench,
  createParts,
  createSigningKey,
  createTestClock,
  ISSUER,
  identityOptions,
  issuerOptions,
  keysAtHand,
  makeToken,
  NOW,
  tokenOf,
} from './fixtures.ts';

const key = await createSigningKey('k1');

async function bench(issuer: Partial<IssuerOptions> = {}, more: Partial<IdentityOptions> = {}): Promise<Bench> {
  const made = createBench(
    identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks', ...issuer })], more),
    keysAtHand([key.jwk]),
  );
  await made.identifier.start();
  made.identifier.stop();
  return made;
}

const strict = await bench();
const judge = async (claims: Claims, header: Claims = {}, made = strict) => made.judge(await makeToken(key, claims, header));

describe('what a verified token says', () => {
  test('all of its claims in the form of the contract', async () => {
    const claims = {
      azp: 'other',
      acr: 'urn:mfa',
      amr: ['pwd', 'otp'],
      auth_time: NOW - 60,
      nbf: NOW - 10,
      cnf: { kid: 'x' },
      act: { sub: 'agent-c', act: { sub: 'agent-b', act: { sub: 'agent-a' } } },
      authorization_details: [{ type: 'payment', amount: 5, actions: ['initiate'] }],
      roles: ['reader', { value: 'writer', primary: true }],
      groups: 'staff',
      may_act: { sub: 'admin' },
    };
    const token = await makeToken(key, claims);
    const identity = await strict.identify({ authorization: [`Bearer ${token}`] });
    expect(tokenOf(identity)).toEqual({
      issuer: ISSUER,
      subject: 'svc-a',
      clientId: 'svc-a',
      audience: [AUDIENCE],
      scopes: ['orders:read', 'orders:write'],
      expiresAt: NOW + 300,
      issuedAt: NOW - 10,
      notBefore: NOW - 10,
      acr: 'urn:mfa',
      amr: ['pwd', 'otp'],
      authTime: NOW - 60,
      jtiHash: expect.stringMatching(/^[\w-]{43}$/),
      binding: 'unchecked',
      actor: {
        subject: 'agent-c',
        issuer: null,
        clientId: null,
        depth: 3,
        chain: ['agent-c', 'agent-b', 'agent-a'].map((subject) => ({ subject, issuer: null, clientId: null, scopes: null })),
        flags: [],
      },
      delegation: { depth: 3, actorIdentified: true, widened: null, widenedScopes: [], complete: false },
      authorizationDetails: [
        { type: 'payment', amount: 5, actions: ['initiate'], locations: null, datatypes: null, privileges: null, identifier: null },
      ],
      roles: ['reader', 'writer'],
      groups: ['staff'],
      entitlements: [],
      claims: { ...CLAIMS, ...claims },
      verifiedBy: 'countersign',
      keysFetchedAt: NOW,
    });
    expect(identity).toMatchObject({
      subject: { type: 'client', id: 'svc-a', asserted: false, client: 'svc-a' },
      evidence: { methods: ['token'], assurance: 2, agreement: { client: 'single' } },
    });
    expect(identity.tokenKey).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(identity)).not.toContain(token.split('.')[2]);
  });

  test('scp instead of scope, as text or list', async () => {
    const scopesOf = async (scp: unknown) =>
      tokenOf(await strict.identify({ authorization: [`Bearer ${await makeToken(key, { scope: undefined, scp })}`] })).scopes;
    expect(await scopesOf(['a', 'b', 'a'])).toEqual(['a', 'b']);
    expect(await scopesOf('a  b')).toEqual(['a', 'b']);
  });
});

describe('each refusal has its own code', () => {
  test.each<[string, Claims, Claims?]>([
    ['issuer_unknown', { iss: 'https://other.example' }],
    ['claim_missing', { iss: undefined }],
    ['claim_missing', { exp: undefined }],
    ['token_expired', { exp: NOW - 5 }],
    ['token_not_yet_valid', { nbf: NOW + 6 }],
    ['token_issued_in_future', { iat: NOW + 6 }],
    ['type_not_allowed', {}, { typ: 'logout+jwt' }],
    ['type_not_allowed', {}, { typ: 'application/x/at+jwt' }],
    ['critical_header_unknown', {}, { b64: true }],
    ['token_encrypted', {}, { enc: 'A256GCM' }],
    ['kid_unknown', {}, { kid: 'k2' }],
  ])('%s', async (code, claims, header) => {
    const made = await bench({}, { keyWaitMs: 1 });
    expect(await judge(claims, header, made)).toBe(`invalid ${code}`);
  });

  test.each<[string, Claims]>([
    ['sub', { sub: 7 }],
    ['jti', { jti: ['j'] }],
    ['client_id', { client_id: {} }],
    ['azp', { azp: 1 }],
    ['acr', { acr: 1 }],
    ['amr', { amr: 'pwd' }],
    ['amr item', { amr: [1] }],
    ['auth_time', { auth_time: 'now' }],
    ['scope', { scope: ['a'] }],
    ['scp', { scp: [1] }],
    ['aud item', { aud: [AUDIENCE, 7] }],
    ['aud', { aud: { 0: AUDIENCE } }],
    ['iat', { iat: '1' }],
    ['exp in milliseconds', { exp: NOW * 1000 }],
    ['cnf', { cnf: 'x' }],
    ['cnf.jkt', { cnf: { jkt: 'x' } }],
    ['cnf.x5t#S256', { cnf: { 'x5t#S256': 7 } }],
    ['act', { act: 'agent' }],
    ['nested act', { act: { sub: 'a', act: 'b' } }],
    ['act.sub', { act: { sub: 1 } }],
    ['scope of an inner act', { act: { sub: 'a', act: { sub: 'b', scope: ['x'] } } }],
    ['authorization_details', { authorization_details: [{ amount: 5 }] }],
    ['too many scopes', { scope: Array.from({ length: 257 }, (_, n) => `s${n}`).join(' ') }],
    ['too many audiences', { aud: Array.from({ length: 65 }, () => AUDIENCE) }],
  ])('claim_invalid: %s', async (_, claims) => {
    expect(await judge(claims)).toBe('invalid claim_invalid');
  });

  test('token_too_large, before anything is read', async () => {
    expect(await strict.judge('x'.repeat(16_385))).toBe('invalid token_too_large');
  });

  test('token_too_old and a missing iat, where an age is configured', async () => {
    const made = await bench({ ageMaxSeconds: 60 });
    expect(await judge({ iat: NOW - 65 }, {}, made)).toBe('present');
    expect(await judge({ iat: NOW - 66 }, {}, made)).toBe('invalid token_too_old');
    expect(await judge({ iat: undefined }, {}, made)).toBe('invalid claim_missing');
  });

  test.each(['opaque-reference-token', 'ab.cd', '', '.', '..', 'a.b.c.d'])('token_malformed: %j is no JWT', async (token) => {
    expect(await strict.judge(token)).toBe('invalid token_malformed');
  });

  test('algorithm_not_allowed for a key of ours but a list without it', async () => {
    expect(await judge({}, {}, await bench({ algorithms: ['RS256'] }))).toBe('invalid algorithm_not_allowed');
  });

  test('key_algorithm_mismatch: the kid names a key of another algorithm', async () => {
    const rsa = await createSigningKey('k1', 'RS256');
    expect(await strict.judge(await makeToken(rsa))).toBe('invalid key_algorithm_mismatch');
  });
});

describe('audience', () => {
  test('[asks 28] an empty aud is a mismatch', async () => {
    expect(await judge({ aud: [] })).toBe('invalid audience_mismatch');
    expect(await judge({ aud: '' })).toBe('invalid audience_mismatch');
    expect(await judge({ aud: undefined })).toBe('invalid audience_mismatch');
  });

  test('[asks 33] a string and a list are judged alike', async () => {
    expect(await judge({ aud: 'other' })).toBe('invalid audience_mismatch');
    expect(await judge({ aud: ['other'] })).toBe('invalid audience_mismatch');
    expect(await judge({ aud: ['other', AUDIENCE] })).toBe('present');
  });

  test('[asks 33] an empty list of audiences must be meant', async () => {
    const create = (issuer: Partial<IssuerOptions>) =>
      createIdentifier(identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks', ...issuer })]), createParts(createTestClock()));
    expect(() => create({ audiences: [] })).toThrow(
      expect.objectContaining({ code: 'config_invalid', field: 'identity.issuers.audiences' }),
    );
    expect(() => create({ algorithms: ['HS256'] })).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(await judge({ aud: undefined }, {}, await bench({ audiences: [], allowAnyAudience: true }))).toBe('present');
  });
});

describe('type', () => {
  test('of any case, with and without application/, and none where jwt is allowed', async () => {
    for (const typ of ['AT+JWT', 'application/at+jwt', 'JWT', undefined]) expect(await judge({}, { typ })).toBe('present');
    const only = await bench({ types: ['at+jwt'] });
    expect(await judge({}, { typ: undefined }, only)).toBe('invalid type_not_allowed');
    expect(await judge({}, { typ: 'JWT' }, only)).toBe('invalid type_not_allowed');
  });
});

describe('actors', () => {
  const chain = (depth: number): Claims => (depth === 1 ? { sub: 'a1' } : { sub: `a${depth}`, act: chain(depth - 1) });

  test('[asks 44] the outermost one is current, the chain has a bound', async () => {
    const actorOf = async (act: Claims) =>
      tokenOf(await strict.identify({ authorization: [`Bearer ${await makeToken(key, { act })}`] })).actor;
    expect(await actorOf(chain(3))).toMatchObject({ subject: 'a3', depth: 3, chain: ['a3', 'a2', 'a1'].map((subject) => ({ subject })) });
    expect(await actorOf(chain(8))).toMatchObject({ subject: 'a8', depth: 8, flags: [] });
    expect(await judge({ act: chain(9) })).toBe('invalid actor_chain_too_deep');
    expect(await judge({ act: chain(20) })).toBe('invalid actor_chain_too_deep');
    expect(await actorOf({ iss: 'x' })).toMatchObject({ subject: null, issuer: 'x', depth: 1, flags: ['subject_missing'] });
  });
});
