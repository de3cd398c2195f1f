import { afterAll, describe, expect, test } from 'vitest';
import type { Identity } from '../../../src/contract/identity.ts';
import type { IntrospectionOptions } from '../../../src/identify/introspection/options.ts';
import { makeProof } from '../../support/dpop.ts';
import { client, httpFacts } from '../bound.ts';
import { codeOf, createSigningKey, keysAtHand, makeRequest, makeToken, NOW, type RequestFacts, tokenOf } from '../fixtures.ts';
import { ACTIVE, createIntrospectionBench, type IntrospectionBench } from './fixtures.ts';

const key = await createSigningKey('k1');
const benches: IntrospectionBench[] = [];
afterAll(async () => {
  for (const { identifier, server } of benches) {
    identifier.stop();
    await server.stop();
  }
});

/** Claims of the fixtures' JWTs, as its server has them. */
const SAME = { ...ACTIVE, sub: 'svc-a', scope: 'orders:read orders:write' };

async function bench(mode: IntrospectionOptions['mode'], members: Readonly<Record<string, unknown>> = SAME): Promise<IntrospectionBench> {
  const more = { introspection: { mode }, issuer: { jwksUrl: 'https://as.example/jwks' }, parts: keysAtHand([key.jwk]) };
  const made = await createIntrospectionBench(() => members, more);
  benches.push(made);
  await made.identifier.start();
  return made;
}

/** Identifies, then collects as the path does. */
async function collected(made: IntrospectionBench, facts: RequestFacts): Promise<{ readonly before: Identity; readonly after: Identity }> {
  const request = makeRequest(made.clock, facts);
  const before = await made.identifier.identify(request);
  const enrichment = {
    network: { status: 'absent', code: 'address_missing' },
    rate: { status: 'unavailable', code: 'store_full' },
    device: { status: 'absent', code: 'device_disabled' },
    behaviour: { status: 'absent', code: 'behaviour_disabled' },
  } as const;
  const { identity } = await made.identifier.introspect(request, { identity: before, enrichment });
  return { before, after: identity };
}

const token = await makeToken(key);
const bearer = { authorization: [`Bearer ${token}`] };

describe('always', () => {
  test('a JWT that its server calls active is present, by signature, and was asked about', async () => {
    const { identify, server } = await bench('always');
    expect(tokenOf(await identify(bearer))).toMatchObject({ verifiedBy: 'countersign', introspectedAt: NOW, jtiHash: expect.any(String) });
    const again = await identify(bearer);
    expect(await identify(bearer)).toBe(again);
    expect(server.asked).toHaveLength(1);
  });

  test('one that is not active is refused, though its signature is good', async () => {
    expect(await (await bench('always', { active: false })).judge(token)).toBe('invalid token_inactive');
  });

  test('one whose signature is not good is asked about nowhere', async () => {
    const { judge, server } = await bench('always');
    const other = await createSigningKey('k1');
    expect(await judge(await makeToken(other))).toBe('invalid signature_invalid');
    expect(server.asked).toHaveLength(0);
  });

  test('where the server fails the token is unavailable', async () => {
    const made = await bench('always');
    await made.server.stop();
    expect(await made.judge(token)).toBe('unavailable introspection_unavailable');
  });

  test('an issuer without keys: its JWTs are its server’s word alone', async () => {
    const made = await createIntrospectionBench(() => SAME, { introspection: { mode: 'always' } });
    benches.push(made);
    expect(tokenOf(await made.identify(bearer))).toMatchObject({ verifiedBy: 'introspection', subject: 'svc-a' });
    expect(await made.judge(await makeToken(key, { iss: 'https://other.example' }))).toBe('invalid issuer_unknown');
  });
});

describe('a JWT of an issuer without keys is no other kind of token, though its server calls all of them active', () => {
  test.each([
    ['a transaction token', {}, 'txntoken+jwt', 'invalid type_not_allowed'],
    ['a refresh token', {}, 'refresh+jwt', 'invalid type_not_allowed'],
    ['a token for somebody else', { aud: 'api://other' }, 'at+jwt', 'invalid audience_mismatch'],
    ['a token with an audience of the wrong type', { aud: 7 }, 'at+jwt', 'invalid claim_invalid'],
    ['a token without an audience', { aud: undefined }, 'at+jwt', 'present'],
    ['an access token', {}, 'at+jwt', 'present'],
  ])('%s', async (_what, claims, typ, wanted) => {
    const silent = { ...SAME, aud: undefined };
    const made = await createIntrospectionBench(() => silent, { introspection: { mode: 'always' } });
    benches.push(made);
    expect(await made.judge(await makeToken(key, claims, { typ }))).toBe(wanted);
    expect(made.server.asked).toHaveLength(wanted === 'present' ? 1 : 0);
  });
});

const bound = await makeToken(key, { cnf: { jkt: client.jkt } });

describe('a bound JWT of an issuer without keys', () => {
  const keyless = async (members: Readonly<Record<string, unknown>>) => {
    const made = await createIntrospectionBench(() => members, { introspection: { mode: 'always' } });
    benches.push(made);
    return made;
  };

  test('is none that anybody may bear, though its server does not say so', async () => {
    const made = await keyless(SAME);
    for (let use = 0; use < 2; use++) {
      const plain = await made.identify({ authorization: [`Bearer ${bound}`], http: httpFacts() });
      expect(codeOf(plain)).toBe('invalid token_binding_mismatch');
    }
    const dpop = [await makeProof(client, { token: bound, iat: NOW })];
    const proven = await made.identify({ authorization: [`DPoP ${bound}`], dpop, http: httpFacts() });
    expect(proven.evidence).toMatchObject({ assurance: 4, binding: 'matched' });
    expect(tokenOf(proven).binding).toBe('matched');
  });

  test('that says who acts says so, though its server does not', async () => {
    const acted = await makeToken(key, { act: { sub: 'agent', scope: 'orders:read' } });
    const { identify } = await keyless(SAME);
    expect(tokenOf(await identify({ authorization: [`Bearer ${acted}`] }))).toMatchObject({
      actor: { subject: 'agent' },
      delegation: { depth: 1, widened: true, widenedScopes: ['orders:write'] },
    });
    expect(await (await keyless({ ...SAME, act: { sub: 'other' } })).judge(acted)).toBe('invalid introspection_mismatch');
    expect(await (await keyless(SAME)).judge(await makeToken(key, { act: { sub: 7 } }))).toBe('invalid claim_invalid');
  });

  test('and another key in the answer is a contradiction, as is a confirmation that is none', async () => {
    const other = await makeToken(key, { cnf: { jkt: 'A'.repeat(43) } });
    expect(await (await keyless({ ...SAME, cnf: { jkt: client.jkt } })).judge(other)).toBe('invalid introspection_mismatch');
    expect(await (await keyless(SAME)).judge(await makeToken(key, { cnf: { jkt: 'short' } }))).toBe('invalid claim_invalid');
  });
});

describe('what a JWT and its server say is joined', () => {
  test.each([
    ['another subject', { sub: 'bob' }, 'invalid introspection_mismatch'],
    ['another client', { client_id: 'svc-b' }, 'invalid introspection_mismatch'],
    ['another issuer', { iss: 'https://other.example' }, 'invalid introspection_mismatch'],
    ['a key that the JWT does not name', { cnf: { jkt: client.jkt } }, 'invalid introspection_mismatch'],
    ['no subject', { sub: undefined }, 'present'],
  ])('%s', async (_what, members, wanted) => {
    expect(await (await bench('always', { ...SAME, ...members })).judge(token)).toBe(wanted);
  });

  test.each([
    [
      'who acts, where the server alone says it',
      {},
      { act: { sub: 'agent' } },
      { actor: { subject: 'agent', depth: 1 }, delegation: { depth: 1 } },
    ],
    ['who acts, where the JWT alone says it', { act: { sub: 'agent' } }, {}, { actor: { subject: 'agent' }, delegation: { depth: 1 } }],
    [
      'who acts, where both do',
      { act: { sub: 'agent' } },
      { act: { sub: 'agent' } },
      { actor: { subject: 'agent' }, delegation: { depth: 1 } },
    ],
    ['the client, where the server alone names it', { client_id: undefined }, {}, { clientId: 'svc-a' }],
    ['the subject, where the server alone names it', { sub: undefined }, {}, { subject: 'svc-a' }],
    ['the id, where the server alone gives one', { jti: undefined }, { jti: 'j-9' }, { jtiHash: expect.any(String) }],
  ])('%s', async (_what, claims, members, wanted) => {
    const { identify } = await bench('always', { ...SAME, ...members });
    expect(tokenOf(await identify({ authorization: [`Bearer ${await makeToken(key, claims)}`] }))).toMatchObject(wanted);
  });

  test.each([
    ['another actor', { act: { sub: 'agent' } }, { act: { sub: 'other' } }],
    ['an actor before it', { act: { sub: 'agent' } }, { act: { sub: 'agent', act: { sub: 'first' } } }],
    ['another client of the actor', { act: { sub: 'agent', client_id: 'y' } }, { act: { sub: 'agent', client_id: 'x' } }],
  ])('%s is a contradiction', async (_what, claims, members) => {
    const made = await bench('always', { ...SAME, ...members });
    expect(await made.judge(await makeToken(key, claims))).toBe('invalid introspection_mismatch');
  });

  test('never to more than either of them says', async () => {
    const narrowed = { ...SAME, scope: 'orders:read orders:admin', exp: NOW + 60, acr: 'gold', auth_time: NOW - 30 };
    expect(tokenOf(await (await bench('always', narrowed)).identify(bearer))).toMatchObject({
      scopes: ['orders:read'],
      expiresAt: NOW + 60,
      acr: 'gold',
      authTime: NOW - 30,
    });
    const silent = { active: true, token_type: 'Bearer' };
    expect(tokenOf(await (await bench('always', silent)).identify(bearer))).toMatchObject({
      scopes: ['orders:read', 'orders:write'],
      expiresAt: NOW + 300,
    });
  });
});

describe('on demand', () => {
  test('nobody is asked until a policy collects it; then the token says when', async () => {
    const made = await bench('on_demand');
    const { before, after } = await collected(made, bearer);
    expect(tokenOf(before).introspectedAt).toBeUndefined();
    expect(tokenOf(after)).toEqual({ ...tokenOf(before), introspectedAt: NOW });
    expect(after.tokenKey).toBe(before.tokenKey);
    expect(after.evidence).toEqual(before.evidence);
    expect(made.server.asked).toHaveLength(1);
  });

  test('a token that is not active any more is refused, and names nobody', async () => {
    const { after } = await collected(await bench('on_demand', { active: false }), bearer);
    expect(codeOf(after)).toBe('invalid token_inactive');
    expect(after.subject).toMatchObject({ type: 'unknown', id: null, client: null });
    expect(after.evidence).toMatchObject({ methods: [], assurance: 0 });
    expect(after.tokenKey).toBeNull();
  });

  test('a server that fails makes it unavailable', async () => {
    const made = await bench('on_demand');
    await made.server.stop();
    expect(codeOf((await collected(made, bearer)).after)).toBe('unavailable introspection_unavailable');
  });

  test('a proof of possession is judged once: its use is not a replay of itself', async () => {
    const made = await bench('on_demand', { ...SAME, token_type: 'DPoP', cnf: { jkt: client.jkt } });
    const bound = await makeToken(key, { cnf: { jkt: client.jkt } });
    const proof = await makeProof(client, { token: bound, iat: NOW });
    const { before, after } = await collected(made, { authorization: [`DPoP ${bound}`], dpop: [proof], http: httpFacts() });
    expect(before.evidence).toMatchObject({ assurance: 4, binding: 'matched', methods: ['token', 'dpop'] });
    expect(after.evidence).toEqual(before.evidence);
    expect(after.signals.binding).toEqual(before.signals.binding);
    expect(tokenOf(after)).toMatchObject({ binding: 'matched', introspectedAt: NOW });
  });

  test('an issuer whose server is not asked about tokens: unavailable, never as if it had been', async () => {
    const made = await createIntrospectionBench(undefined, {
      issuer: { introspection: null, jwksUrl: 'https://as.example/jwks' },
      parts: keysAtHand([key.jwk]),
    });
    benches.push(made);
    await made.identifier.start();
    expect(codeOf((await collected(made, bearer)).after)).toBe('unavailable introspection_not_configured');
  });

  test('claims that the gateway asserts cannot be asked about', async () => {
    const { after } = await collected(await bench('on_demand'), { claims: { sub: 'alice' } });
    expect(codeOf(after)).toBe('unavailable introspection_not_configured');
  });

  test('without a token there is nothing to ask', async () => {
    const made = await bench('on_demand');
    const { before, after } = await collected(made, {});
    expect(after).toBe(before);
    expect(made.server.asked).toHaveLength(0);
  });

  test('opaque tokens are not its business', async () => {
    const made = await bench('on_demand');
    expect(await made.judge('opaque')).toBe('invalid token_malformed');
    expect(made.server.asked).toHaveLength(0);
  });
});
