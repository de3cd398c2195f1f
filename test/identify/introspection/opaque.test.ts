import { afterAll, describe, expect, test } from 'vitest';
import { createKey } from '../../support/registry.ts';
import { type Claims, createSigningKey, keysAtHand, makeToken, NOW, tokenOf } from '../fixtures.ts';
import { ACTIVE, createIntrospectionBench, type IntrospectionBench, introspectionOptions } from './fixtures.ts';

const benches: IntrospectionBench[] = [];
async function bench(...given: Parameters<typeof createIntrospectionBench>): Promise<IntrospectionBench> {
  const made = await createIntrospectionBench(...given);
  benches.push(made);
  return made;
}
afterAll(() => Promise.all(benches.map(({ server }) => server.stop())));

describe('an opaque token', () => {
  test('that its server calls active is present, with what the server says of it, at level 2', async () => {
    const { identify, server } = await bench();
    const identity = await identify({ authorization: ['Bearer good'] });
    expect(tokenOf(identity)).toMatchObject({
      issuer: 'https://as.example',
      subject: 'alice',
      clientId: 'svc-a',
      scopes: ['orders:read'],
      audience: ['api://orders'],
      expiresAt: NOW + 300,
      binding: 'none',
      verifiedBy: 'introspection',
      introspectedAt: NOW,
    });
    expect(identity.subject).toMatchObject({ type: 'user', id: 'alice', asserted: false, client: 'svc-a' });
    expect(identity.evidence).toMatchObject({ methods: ['token'], assurance: 2, binding: 'none' });
    expect(identity.tokenKey).toMatch(/^[\w-]{43}$/);
    const [question] = server.asked;
    expect(Object.fromEntries(question?.form ?? [])).toEqual({ token: 'good', token_type_hint: 'access_token' });
    expect(question?.authorization).toBe(`Basic ${Buffer.from('rs:s3cret').toString('base64')}`);
  });

  test('is asked about with the secret in the form, where the server wants it there', async () => {
    const { authentication } = introspectionOptions();
    const { judge, server } = await bench(undefined, {
      introspection: { authentication: { ...authentication, method: 'client_secret_post' } },
    });
    expect(await judge('good')).toBe('present');
    expect(Object.fromEntries(server.asked[0]?.form ?? [])).toMatchObject({ token: 'good', client_id: 'rs', client_secret: 's3cret' });
    expect(server.asked[0]?.authorization).toBeNull();
  });

  test('that is not active is refused, and its answer serves for a while', async () => {
    const { judge, server, clock } = await bench();
    expect(await judge('bad')).toBe('invalid token_inactive');
    expect(await judge('bad')).toBe('invalid token_inactive');
    expect(server.asked).toHaveLength(1);
    server.answer = () => ACTIVE;
    clock.wallSeconds += 6;
    expect(await judge('bad')).toBe('present');
  });

  test('is known from then on: at once, as the very same identity', async () => {
    const { identifier, identify, server } = await bench();
    const first = await identify({ authorization: ['Bearer good'] });
    expect(await identify({ authorization: ['Bearer good'] })).toBe(first);
    expect(server.asked).toHaveLength(1);
    expect(identifier.status().introspection).toEqual({
      servers: [
        {
          issuer: 'https://as.example',
          state: 'ready',
          inFlight: 0,
          answers: { active: 1, inactive: 0, failed: 0 },
          shed: 0,
          lastError: null,
        },
      ],
      cache: { hits: 1, misses: 1, entries: 1 },
    });
  });

  test('of which a hundred requests ask at once costs one question', async () => {
    const { judge, server } = await bench();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => judge('good')));
    expect(new Set(outcomes)).toEqual(new Set(['present']));
    expect(server.asked).toHaveLength(1);
  });

  test('is asked about again after cacheSeconds, and then a revoked one is refused', async () => {
    const { judge, server, clock } = await bench();
    expect(await judge('good')).toBe('present');
    server.answer = () => ({ active: false });
    clock.wallSeconds += 59;
    expect(await judge('good')).toBe('present');
    clock.wallSeconds += 1;
    expect(await judge('good')).toBe('invalid token_inactive');
    expect(server.asked).toHaveLength(2);
  });

  test('[asks 40] without a cache a revoked one is refused at once, also where its answer was on its way', async () => {
    const { judge, server } = await bench(undefined, { introspection: { cacheSeconds: 0, inactiveCacheSeconds: 5 } });
    expect(await judge('good')).toBe('present');
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    const [early, late] = [judge('good'), judge('good')];
    server.answer = () => ({ active: false });
    open();
    expect([await early, await late]).toEqual(['invalid token_inactive', 'invalid token_inactive']);
    expect(await judge('good')).toBe('invalid token_inactive');
  });

  test('[asks 32] is never kept past exp, and expiry is judged at each use', async () => {
    const { judge, clock, server } = await bench({ good: { ...ACTIVE, exp: NOW + 2 } }, { issuer: { clockSkewSeconds: 0 } });
    expect(await judge('good')).toBe('present');
    clock.wallSeconds += 1;
    expect(await judge('good')).toBe('present');
    expect(server.asked).toHaveLength(1);
    clock.wallSeconds += 2;
    expect(await judge('good')).toBe('invalid token_expired');
    expect(server.asked).toHaveLength(2);
  });

  test('without exp is bounded by the cache alone', async () => {
    const { exp: _exp, ...endless } = ACTIVE;
    const { judge, identify, clock, server } = await bench({ good: endless });
    expect(tokenOf(await identify({ authorization: ['Bearer good'] })).expiresAt).toBeNull();
    clock.wallSeconds += 61;
    expect(await judge('good')).toBe('present');
    expect(server.asked).toHaveLength(2);
  });

  test.each<[string, Claims, string]>([
    ['not yet valid', { nbf: NOW + 60 }, 'invalid token_not_yet_valid'],
    ['issued in the future', { iat: NOW + 60 }, 'invalid token_issued_in_future'],
    ['for another audience', { aud: 'api://other' }, 'invalid audience_mismatch'],
    ['for several audiences, ours among them', { aud: ['api://other', 'api://orders'] }, 'present'],
    ['without an audience', { aud: undefined }, 'present'],
    ['of another issuer', { iss: 'https://other.example' }, 'invalid introspection_mismatch'],
    ['without an issuer', { iss: undefined }, 'present'],
    ['with members of the wrong type', { scope: ['orders:read'] }, 'invalid claim_invalid'],
    ['with a confirmation that nothing can meet', { cnf: { jkt: 'short' } }, 'invalid claim_invalid'],
    ['of the type DPoP without a key', { token_type: 'DPoP' }, 'invalid token_unbound'],
    ['of another type', { token_type: 'mac' }, 'invalid type_not_allowed'],
    ['of no type, like the refresh tokens of oidc-provider', { token_type: undefined }, 'invalid type_not_allowed'],
    ['of the use refresh_token (Hydra)', { token_use: 'refresh_token' }, 'invalid type_not_allowed'],
    ['of the use access_token (Hydra)', { token_type: undefined, token_use: 'access_token' }, 'present'],
    ['of the type Refresh (Keycloak)', { typ: 'Refresh' }, 'invalid type_not_allowed'],
    ...[
      'Offline',
      'ID',
      'refresh_token',
      'Refresh Token',
      'rt+jwt',
      'application/refresh+jwt',
      'id_token',
      'Serialized-ID',
      'logout+jwt',
      'txntoken+jwt',
      'dpop+jwt',
    ].map((typ): [string, Claims, string] => [`of the typ ${typ}`, { typ }, 'invalid type_not_allowed']),
    ...['Bearer', 'DPoP', 'JWT', 'at+jwt', 'access_token', 'identity-provider-token'].map((typ): [string, Claims, string] => [
      `of the typ ${typ}`,
      { typ },
      'present',
    ]),
    ['of a typ that is no text', { typ: ['Refresh'] }, 'invalid claim_invalid'],
    ['with too many actors', { act: { sub: 'a', act: { sub: 'b' } } }, 'invalid actor_chain_too_deep'],
  ])('%s', async (_what, members, wanted) => {
    const { judge } = await bench({ good: { ...ACTIVE, ...members } }, { options: { actorDepthMax: 1 } });
    expect(await judge('good')).toBe(wanted);
  });

  test('without a type passes where the configuration says so', async () => {
    const { judge } = await bench({ good: { ...ACTIVE, token_type: undefined } }, { introspection: { tokenTypeRequired: false } });
    expect(await judge('good')).toBe('present');
  });

  test.each(['a b', 'a"b', 'a,b', 'ü', 'a=b', '='])('that no token can be, %s, is not sent anywhere', async (text) => {
    const { judge, server } = await bench();
    expect(await judge(text)).toMatch(/^invalid (token_malformed|credentials_multiple)$/);
    expect(server.asked).toHaveLength(0);
  });

  test('that is an API key of ours by the wrong scheme is not sent anywhere, also with a typo', async () => {
    const { judge, server } = await bench();
    const { text } = createKey('agent-a');
    expect(await judge(text)).toBe('invalid token_malformed');
    expect(await judge(`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`)).toBe('invalid token_malformed');
    expect(server.asked).toHaveLength(0);
    expect(await judge('csk_of-the-server')).toBe('invalid token_inactive');
  });

  test('that is too long is not sent anywhere', async () => {
    const { judge, server } = await bench();
    expect(await judge('x'.repeat(16_385))).toBe('invalid token_too_large');
    expect(server.asked).toHaveLength(0);
  });

  test('never gives way to claims that the gateway asserts', async () => {
    const { judge } = await bench();
    expect(await judge('bad', { claims: { sub: 'root' } })).toBe('invalid token_inactive');
  });

  test('[asks 29] its scopes are there for each request to be judged: the cache says nothing of what a route needs', async () => {
    const { identify, server } = await bench();
    const scopes = async () => tokenOf(await identify({ authorization: ['Bearer good'] })).scopes;
    expect(await scopes()).toEqual(['orders:read']);
    expect(await scopes()).toEqual(['orders:read']);
    expect(server.asked).toHaveLength(1);
  });

  test('[asks 31] ten thousand tokens that share beginning and end each have their own subject, cold and cached', async () => {
    const { identify, server } = await bench(({ token }) => ({ ...ACTIVE, sub: token.slice(64, 72) }), {
      introspection: { concurrencyMax: 10_000 },
    });
    const [prefix, suffix] = ['p'.repeat(64), 's'.repeat(64)];
    const numbers = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(8, '0'));
    const subjects = async (): Promise<(string | null)[]> => {
      const all: (string | null)[] = [];
      for (let at = 0; at < numbers.length; at += 100) {
        const some = numbers.slice(at, at + 100).map((number) => identify({ authorization: [`Bearer ${prefix}${number}${suffix}`] }));
        for (const identity of await Promise.all(some)) all.push(tokenOf(identity).subject);
      }
      return all;
    };
    expect(await subjects()).toEqual(numbers);
    expect(await subjects()).toEqual(numbers);
    expect(server.asked).toHaveLength(10_000);
  });
});

describe('a JWT beside opaque tokens', () => {
  test('is verified by its signature and asked about nowhere, also where it is refused', async () => {
    const key = await createSigningKey('k1');
    const { judge, server, identifier } = await bench({}, { issuer: { jwksUrl: 'https://as.example/jwks' }, parts: keysAtHand([key.jwk]) });
    await identifier.start();
    identifier.stop();
    const token = await makeToken(key);
    expect(await judge(token)).toBe('present');
    expect(await judge(token.slice(0, -4))).toMatch(/^invalid/);
    expect(await judge(await makeToken(key, { iss: 'https://other.example' }))).toBe('invalid issuer_unknown');
    expect(await judge('eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d')).toBe('invalid token_encrypted');
    expect(server.asked).toHaveLength(0);
  });
});
