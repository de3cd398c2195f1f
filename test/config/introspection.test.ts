import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load.ts';
import { maskConfig } from '../../src/config/mask.ts';
import type { Config } from '../../src/config/schema.ts';

const secret = { secret: 's3cret' };
const asked = { mode: 'opaque', endpoint: 'https://as.example/introspect', clientId: 'rs', authentication: secret };
const issuer = { issuer: 'https://as.example', audiences: ['api'], introspection: asked };
const withIntrospection = (changes: object, more: object = {}) => [{ ...issuer, introspection: { ...asked, ...changes }, ...more }];
const withAuthentication = (authentication: object) => withIntrospection({ authentication });

function load(issuers: readonly object[], peps: readonly object[] = []): Config {
  return loadConfig({
    env: { COUNTERSIGN_IDENTITY_ISSUERS: JSON.stringify(issuers), COUNTERSIGN_PEPS: JSON.stringify(peps) },
    cwd: '/base',
  });
}

function problems(issuers: readonly object[]): readonly string[] {
  try {
    load(issuers);
    return [];
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems.map(({ path }) => path.replace('identity.issuers', ''));
    throw thrown;
  }
}

describe('introspection of an issuer', () => {
  it('is off unless it is configured, and then has defaults', () => {
    expect(load([{ ...issuer, jwksUrl: 'https://as.example/jwks', introspection: null }]).identity.issuers[0]?.introspection).toBeNull();
    expect(load([issuer]).identity.issuers[0]?.introspection).toEqual({
      mode: 'opaque',
      endpoint: 'https://as.example/introspect',
      clientId: 'rs',
      authentication: { method: 'client_secret_basic', secret: 's3cret', secretFile: null, keyFile: null, algorithm: null, kid: null },
      opaqueTokens: { peps: [], hosts: [] },
      cacheSeconds: 60,
      inactiveCacheSeconds: 5,
      timeoutMs: 3000,
      concurrencyMax: 64,
      tokenTypeRequired: true,
      signedAnswers: null,
    });
  });

  it('never shows its secret, and takes its files from where the configuration lies', () => {
    const config = load(withIntrospection({}));
    expect(JSON.stringify(maskConfig(config))).not.toContain('s3cret');
    const files = load(withAuthentication({ secretFile: 'secrets/rs' }));
    expect(files.identity.issuers[0]?.introspection?.authentication.secretFile).toBe('/base/secrets/rs');
  });

  it('is accepted with each way to authenticate, and in each mode', () => {
    const key = { method: 'private_key_jwt', keyFile: 'key.pem', algorithm: 'ES256' };
    for (const one of [secret, { ...secret, method: 'client_secret_post' }, { secretFile: 'x' }, key, { ...key, kid: 'k1' }]) {
      expect(problems(withAuthentication(one))).toEqual([]);
    }
    expect(problems(withIntrospection({ mode: 'always' }))).toEqual([]);
    expect(problems(withIntrospection({ mode: 'on_demand' }, { jwksUrl: 'https://as.example/jwks' }))).toEqual([]);
    expect(problems(withIntrospection({ endpoint: null }))).toEqual([]);
    expect(problems(withIntrospection({ endpoint: 'http://127.0.0.1:9000/introspect' }))).toEqual([]);
    expect(problems(withIntrospection({ signedAnswers: 'RS256' }, { discovery: true }))).toEqual([]);
  });

  it.each<[string, readonly object[], string]>([
    ['no secret', withAuthentication({}), '[0].introspection.authentication'],
    ['two secrets', withAuthentication({ ...secret, secretFile: 'x' }), '[0].introspection.authentication'],
    ['a secret and a key', withAuthentication({ ...secret, keyFile: 'x', algorithm: 'ES256' }), '[0].introspection.authentication'],
    ['an assertion without a key', withAuthentication({ method: 'private_key_jwt' }), '[0].introspection.authentication'],
    [
      'an assertion with a secret',
      withAuthentication({ ...secret, method: 'private_key_jwt', keyFile: 'x', algorithm: 'ES256' }),
      '[0].introspection.authentication',
    ],
    [
      'a symmetric algorithm',
      withAuthentication({ method: 'private_key_jwt', keyFile: 'x', algorithm: 'HS256' }),
      '[0].introspection.authentication.algorithm',
    ],
    ['an unknown mode', withIntrospection({ mode: 'sometimes' }), '[0].introspection.mode'],
    ['on demand without keys', withIntrospection({ mode: 'on_demand' }), '[0]'],
    [
      'on demand with a selection of opaque tokens',
      withIntrospection({ mode: 'on_demand', opaqueTokens: { hosts: ['a.example'] } }, { discovery: true }),
      '[0].introspection.opaqueTokens',
    ],
    ['an endpoint over plain http', withIntrospection({ endpoint: 'http://as.example/introspect' }), '[0].introspection.endpoint'],
    ['an endpoint with a password', withIntrospection({ endpoint: 'https://u:p@as.example/' }), '[0].introspection.endpoint'],
    ['an issuer without metadata and endpoint', withIntrospection({ endpoint: null }, { issuer: 'as' }), '[0].introspection.endpoint'],
    [
      'an issuer over plain http whose metadata is needed',
      withIntrospection({ endpoint: null }, { issuer: 'http://as.example' }),
      '[0].introspection.endpoint',
    ],
    ['signed answers without keys', withIntrospection({ signedAnswers: 'RS256' }), '[0].introspection.signedAnswers'],
    [
      'a trust domain',
      withIntrospection({}, { kind: 'jwt_svid', issuer: 'spiffe://example.org', jwksFile: 'x' }),
      '[0].introspection.mode',
    ],
    ['a gateway that is not there', withIntrospection({ opaqueTokens: { peps: ['edge'] } }), '[0].introspection.opaqueTokens.peps[0]'],
    ['a cache of hours', withIntrospection({ cacheSeconds: 7200 }), '[0].introspection.cacheSeconds'],
  ])('is refused with %s', (_what, issuers, path) => {
    expect(problems(issuers)).toEqual([path]);
  });

  it('the gateways that it names are there', () => {
    const token = { name: 'edge', tokenSha256: 'a'.repeat(64) };
    expect(load(withIntrospection({ opaqueTokens: { peps: ['edge'] } }), [token]).identity.issuers).toHaveLength(1);
  });
});

describe('opaque tokens of two issuers', () => {
  const two = (a: object, b: object, mode = 'opaque') => {
    const [first, second] = [
      withIntrospection({ opaqueTokens: a }),
      withIntrospection({ mode, opaqueTokens: b }, { issuer: 'https://b.example', discovery: true }),
    ];
    return problems([...first, ...second]);
  };
  const contested = ['[1].introspection.opaqueTokens'];

  it('are not shown to both: neither may be able to claim what is the other’s', () => {
    expect(two({}, {})).toEqual(contested);
    expect(two({ hosts: ['a.example'] }, {})).toEqual(contested);
    expect(two({ hosts: ['a.example'] }, { hosts: ['b.example', 'a.example'] })).toEqual(contested);
    expect(two({ hosts: ['a.example'] }, { hosts: ['b.example'] })).toEqual([]);
    expect(two({}, {}, 'always')).toEqual(contested);
    expect(two({}, {}, 'on_demand')).toEqual([]);
  });
});
