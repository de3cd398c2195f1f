import { describe, expect, test } from 'vitest';
import { readAuthorization } from '../../src/identify/authorization.ts';
import { createBench, createSigningKey, identityOptions, issuerOptions, keysAtHand, makeToken } from './fixtures.ts';

describe('the authorization header', () => {
  test.each([
    [[], 'token_missing'],
    [['Bearer a', 'Bearer b'], 'credentials_multiple'],
    [['Bearer a', 'Bearer a'], 'credentials_multiple'],
    [['Basic YTpi', 'Bearer a'], 'credentials_multiple'],
    [['Bearer a, Bearer b'], 'credentials_multiple'],
    [['Bearer a,Bearer b'], 'credentials_multiple'],
    [['Basic YTpi,Bearer a'], 'credentials_multiple'],
    [['Bearer a, DPoP b'], 'credentials_multiple'],
    [['Basic YTpi'], 'scheme_unsupported'],
    [['DPoP a.b.c', 'Bearer a.b.c'], 'credentials_multiple'],
    [['DPoPa.b.c'], 'scheme_unsupported'],
    [['DPoP'], 'scheme_unsupported'],
    [['Digest username="a", realm="b", uri="/"'], 'scheme_unsupported'],
    [['Bearer'], 'scheme_unsupported'],
    [['Bearerx a'], 'scheme_unsupported'],
    [['a.b.c'], 'scheme_unsupported'],
    [[''], 'scheme_unsupported'],
    [[' Bearer a'], 'scheme_unsupported'],
  ])('%j: %s', (values, code) => {
    expect(readAuthorization(values)).toEqual({ code });
  });

  test.each(['Bearer a.b.c', 'bearer a.b.c', 'BEARER   a.b.c'])('%s is a bearer token', (value) => {
    expect(readAuthorization([value])).toEqual({ scheme: 'Bearer', token: 'a.b.c' });
  });

  test.each(['DPoP a.b.c', 'dpop a.b.c', 'DPOP   a.b.c'])('%s is a token with a proof of possession', (value) => {
    expect(readAuthorization([value])).toEqual({ scheme: 'DPoP', token: 'a.b.c' });
  });

  test('what stands behind the token belongs to it, and makes it malformed', () => {
    expect(readAuthorization(['Bearer a.b.c\n'])).toEqual({ scheme: 'Bearer', token: 'a.b.c\n' });
    expect(readAuthorization(['Bearer a,b'])).toEqual({ scheme: 'Bearer', token: 'a,b' });
  });
});

test('a good token beside another credential is refused, and does not fall back to asserted claims', async () => {
  const key = await createSigningKey('k1');
  const bench = createBench(identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks' })]), keysAtHand([key.jwk]));
  await bench.identifier.start();
  bench.identifier.stop();
  const token = await makeToken(key);
  const claims = { iss: 'https://as.example', sub: 'svc-b' };
  expect(await bench.judge(token)).toBe('present');
  for (const authorization of [[`Bearer ${token}`, 'Basic YTpi'], [`Basic YTpi`], ['Bearer opaque'], [`Bearer ${token}x`]]) {
    const identity = await bench.identify({ authorization, claims });
    expect(identity.signals.token.status).toBe('invalid');
    expect(identity).toMatchObject({
      subject: { type: 'unknown', id: null, client: null },
      tokenKey: null,
      evidence: { assurance: 0, methods: [] },
    });
  }
});
