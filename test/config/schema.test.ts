import { describe, expect, it } from 'vitest';
import { pathText } from '../../src/config/config-error.ts';
import { outline } from '../../src/config/outline.ts';
import { CONFIG_JSON_SCHEMA, configSchema } from '../../src/config/schema.ts';
import { AGREEMENT_PAIRS } from '../../src/contract/agreement.ts';
import { TRUSTS } from '../../src/contract/pep.ts';
import { isCredentialHeader, plainHeaderName } from '../../src/formats/credential-headers.ts';

const hash = (digit: string) => digit.repeat(64);
const edge = { name: 'edge', tokenSha256: hash('a') };
const issuer = { issuer: 'https://as.example', audiences: ['api'], jwksUrl: 'https://as.example/jwks' };
const withIssuer = (changes: object) => ({ identity: { issuers: [{ ...issuer, ...changes }] } });
const registry = (hashKeys: readonly object[], more: object = {}) => ({ registry: { directory: '/registry', hashKeys, ...more } });
const mtls = { http: { tls: { certFile: '/c', keyFile: '/k', clientCaFile: '/ca' } } };

/** The paths of the problems; empty where the configuration is good. */
function judged(config: object): string[] {
  const parsed = configSchema.safeParse(config);
  return parsed.success ? [] : parsed.error.issues.map((issue) => pathText(issue.path));
}

describe('what is accepted', () => {
  it.each<[string, object]>([
    ['a listener everywhere, with gateways that authenticate', { http: { host: '0.0.0.0' }, grpc: { host: '::' }, peps: [edge] }],
    ['a listener everywhere for anybody, in so many words', { http: { host: '0.0.0.0' }, allowAnonymous: true }],
    ['loopback in its other forms', { http: { host: '127.9.9.9' }, grpc: { host: '::1' }, operations: { host: 'localhost' } }],
    ['operations everywhere: what is secret there has tokens', { operations: { host: '0.0.0.0' } }],
    ['no gateway at all on loopback', { peps: [] }],
    ['all listeners on free ports', { http: { port: 0 }, grpc: { port: 0 }, operations: { port: 0 } }],
    ['a gateway by its certificate', { ...mtls, peps: [{ name: 'edge', certificate: { uri: 'spiffe://td/gw' } }] }],
    ['a gateway by two facts of its certificate', { ...mtls, peps: [{ name: 'a', certificate: { dns: 'a.example', uri: 'x:y' } }] }],
    ['a gateway by token or certificate', { ...mtls, peps: [{ ...edge, certificate: { dns: 'gw.example' } }] }],
    ['an anonymous gateway beside one with a token', { peps: [{ name: 'local', anonymous: true }, edge] }],
    ['policies by name', { peps: [{ ...edge, policies: ['default', 'pay'] }], policies: { pay: { bundle: '/pay' } } }],
    ['keys over http on loopback', withIssuer({ jwksUrl: 'http://127.0.0.1:4000/jwks' })],
    ['keys over http, in so many words', withIssuer({ jwksUrl: 'http://as.example/jwks', allowInsecureHttp: true })],
    ['keys from a file', withIssuer({ jwksUrl: null, jwksFile: '/keys.json' })],
    ['keys by discovery', withIssuer({ jwksUrl: null, discovery: true })],
    [
      'a registry with a hash key in a file and one in the text',
      registry([
        { id: 'a', file: '/k' },
        { id: 'b', secret: 'x'.repeat(32) },
      ]),
    ],
    ['a registry without API keys', registry([])],
    ['any audience, in so many words', withIssuer({ audiences: [], allowAnyAudience: true })],
    ['Redis with a password', { store: { kind: 'redis', url: 'rediss://user:pw@redis:6380/1' } }],
    ['harmless headers', { input: { headers: ['User-Agent', 'x-request-id', 'x_tenant', 'traceparent', 'authority-hint'] } }],
    ['proxies in both families', { network: { trustedProxies: ['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::1', '0.0.0.0/0'] } }],
  ])('%s', (_what, config) => {
    expect(judged(config)).toEqual([]);
  });
});

describe('what is refused', () => {
  it.each<[string, object, string[]]>([
    [
      'a listener off loopback with the anonymous default',
      { http: { host: '0.0.0.0' }, grpc: { host: '10.0.0.1' } },
      ['http.host', 'grpc.host'],
    ],
    ['a listener off loopback without gateways', { grpc: { host: '::' }, peps: [] }, ['grpc.host']],
    [
      '… although another key of the listener is wrong',
      { http: { host: '0.0.0.0', zone: 1, port: 'x' } },
      ['http.port', 'http', 'http.host'],
    ],
    ['a hash key from nowhere', registry([{ id: 'a' }]), ['registry.hashKeys[0]']],
    ['a hash key from both', registry([{ id: 'a', file: '/k', secret: 'x'.repeat(32) }]), ['registry.hashKeys[0]']],
    ['a hash key that is short', registry([{ id: 'a', secret: 'x'.repeat(31) }]), ['registry.hashKeys[0].secret']],
    ['a hash key with a space', registry([{ id: 'a', secret: `${'x'.repeat(32)} x` }]), ['registry.hashKeys[0].secret']],
    [
      'two hash keys of one id',
      registry([
        { id: 'a', file: '/k' },
        { id: 'a', file: '/l' },
      ]),
      ['registry.hashKeys[1].id'],
    ],
    ['a registry without a folder', { registry: {} }, ['registry.directory']],
    ['a name that may be anywhere', { http: { host: 'gateway.internal' } }, ['http.host']],
    ['two listeners at one address', { http: { port: 9090 } }, ['operations.port']],
    [
      'a port that is none',
      { http: { port: 65_536 }, grpc: { port: -1 }, operations: { port: 1.5 } },
      ['http.port', 'grpc.port', 'operations.port'],
    ],
    ['an address in brackets', { http: { host: '[::1]' } }, ['http.host']],
    ['a gateway without any credential', { peps: [{ name: 'edge' }] }, ['peps[0]']],
    ['an anonymous gateway with a token', { peps: [{ ...edge, anonymous: true }] }, ['peps[0]']],
    [
      'two anonymous gateways',
      {
        peps: [
          { name: 'a', anonymous: true },
          { name: 'b', anonymous: true },
        ],
      },
      ['peps[1].anonymous'],
    ],
    ['a name twice', { peps: [edge, { name: 'edge', tokenSha256: hash('b') }] }, ['peps[1].name']],
    ['a token twice, in another case', { peps: [edge, { name: 'b', tokenSha256: hash('A') }] }, ['peps[1].tokenSha256']],
    [
      'a certificate twice',
      {
        ...mtls,
        peps: [
          { name: 'a', certificate: { dns: 'gw.example' } },
          { name: 'b', certificate: { dns: 'gw.example' } },
        ],
      },
      ['peps[1].certificate'],
    ],
    ['a certificate rule that nobody can meet', { peps: [{ name: 'a', certificate: { dns: 'gw.example' } }] }, ['peps[0].certificate']],
    ['a certificate rule without content', { ...mtls, peps: [{ name: 'a', certificate: {} }] }, ['peps[0].certificate']],
    ['a wildcard', { ...mtls, peps: [{ name: 'a', certificate: { dns: '*.example' } }] }, ['peps[0].certificate.dns']],
    ['a hash of the wrong length', { peps: [{ name: 'a', tokenSha256: 'abc' }] }, ['peps[0].tokenSha256']],
    [
      'the hash of nothing',
      { peps: [{ name: 'a', tokenSha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' }] },
      ['peps[0].tokenSha256'],
    ],
    ['reports without the trust', { peps: [{ ...edge, feedbackFor: ['edge'] }] }, ['peps[0].feedbackFor']],
    ['reports for nobody', { peps: [{ ...edge, trusts: ['feedback'], feedbackFor: ['other'] }] }, ['peps[0].feedbackFor']],
    ['an unknown trust', { peps: [{ ...edge, trusts: ['all'] }] }, ['peps[0].trusts[0]']],
    ['a policy that is not there', { peps: [{ ...edge, policies: ['pay'] }] }, ['peps[0].policies[0]']],
    ['a second default', { policies: { default: { bundle: '/x' } } }, ['policies.default']],
    ['a named policy without its bundle', { policies: { pay: {} } }, ['policies.pay.bundle']],
    ['a policy name that is no label', { policies: { 'Pay Now': { bundle: '/x' } } }, ['policies["Pay Now"]']],
    [
      'a credential as the chain of addresses',
      { peps: [{ ...edge, forwardedFor: { header: 'Cookie' } }] },
      ['peps[0].forwardedFor.header'],
    ],
    [
      'an operator token that a gateway has too',
      { peps: [edge], operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: hash('a') }] } },
      ['operations.tokens[0].tokenSha256'],
    ],
    ['[asks 33] an issuer without audiences', withIssuer({ audiences: [] }), ['identity.issuers[0].audiences']],
    ['audiences that do not count', withIssuer({ allowAnyAudience: true }), ['identity.issuers[0].audiences']],
    ['no source of keys', withIssuer({ jwksUrl: null }), ['identity.issuers[0]']],
    ['two sources of keys', withIssuer({ jwksFile: '/keys' }), ['identity.issuers[0]']],
    ['keys over http', withIssuer({ jwksUrl: 'http://as.example/jwks' }), ['identity.issuers[0].jwksUrl']],
    [
      'keys over http from what only looks like loopback',
      withIssuer({ jwksUrl: 'http://127.0.0.1.example/jwks' }),
      ['identity.issuers[0].jwksUrl'],
    ],
    ['keys from a URL with a password', withIssuer({ jwksUrl: 'https://u:p@as.example/jwks' }), ['identity.issuers[0].jwksUrl']],
    ['discovery over http', withIssuer({ issuer: 'http://as.example', jwksUrl: null, discovery: true }), ['identity.issuers[0].issuer']],
    ['discovery of what is no URL', withIssuer({ issuer: 'as', jwksUrl: null, discovery: true }), ['identity.issuers[0].issuer']],
    [
      'a shared secret',
      withIssuer({ algorithms: ['HS256', 'none', 'RS256'] }),
      ['identity.issuers[0].algorithms[0]', 'identity.issuers[0].algorithms[1]'],
    ],
    ['no algorithm', withIssuer({ algorithms: [] }), ['identity.issuers[0].algorithms']],
    ['an issuer twice', { identity: { issuers: [issuer, issuer] } }, ['identity.issuers[1].issuer']],
    ['transaction tokens as access tokens', withIssuer({ types: ['at+jwt', 'txntoken+jwt'] }), ['identity.issuers[0].types']],
    [
      'a transaction token service for any audience',
      withIssuer({ kind: 'txn_token', audiences: [], allowAnyAudience: true }),
      ['identity.issuers[0].kind'],
    ],
    [
      'a transaction token service twice',
      { identity: { issuers: ['a', 'b'].map((domain) => ({ ...issuer, kind: 'txn_token', audiences: [domain] })) } },
      ['identity.issuers[1].issuer'],
    ],
    ['nothing that is wrong in a server of both kinds', { identity: { issuers: [issuer, { ...issuer, kind: 'txn_token' }] } }, []],
    [
      'two transaction token services of one trust domain',
      { identity: { issuers: ['https://a', 'https://b'].map((name) => ({ ...issuer, kind: 'txn_token', issuer: name })) } },
      ['identity.issuers[1].audiences'],
    ],
    [
      'comparisons by names that are none',
      {
        identity: {
          agreement: {
            rules: ['claim:', 'spiffe_path_segment:0', '.*', 'A', 'subject'].map((left) => ({
              pair: 'token_certificate',
              left,
              right: 'uri',
            })),
          },
        },
      },
      [0, 1, 2, 3].map((i) => `identity.agreement.rules[${i}].left`),
    ],
    [
      'a comparison of what is no pair',
      { identity: { agreement: { rules: [{ pair: 'token_token', left: 'subject', right: 'uri' }], withoutBuiltIn: ['certificate'] } } },
      ['identity.agreement.rules[0].pair', 'identity.agreement.withoutBuiltIn[0]'],
    ],
    [
      'the header of transaction tokens for certificates',
      { peps: [{ ...edge, certificateHeader: { name: 'txn-token', form: 'rfc9440' } }] },
      ['peps[0].certificateHeader.name'],
    ],
    [
      'a SPIFFE id of two clients',
      { identity: { clients: ['a', 'b'].map((id) => ({ id, spiffeIds: ['spiffe://td/x'] })) } },
      ['identity.clients[1].spiffeIds'],
    ],
    [
      'public origins that are no origins, or not in the form that they are compared in',
      {
        identity: {
          publicOrigins: [
            'https://api.example',
            'https://api.example/',
            'https://API.example',
            'https://api.example:443',
            'api.example',
            'ftp://a',
          ],
        },
      },
      [1, 2, 3, 4, 5].map((i) => `identity.publicOrigins[${i}]`),
    ],
    ['a proof by a shared secret', { identity: { dpop: { algorithms: ['HS256'] } } }, ['identity.dpop.algorithms[0]']],
    ['a short secret of nonces', { identity: { dpop: { nonce: { secret: 'short' } } } }, ['identity.dpop.nonce.secret']],
    ['a cache beyond five minutes', { identity: { tokenCache: { ttlSeconds: 301 } } }, ['identity.tokenCache.ttlSeconds']],
    [
      'bad blocks',
      { network: { trustedProxies: ['10.0.0.0/33', '10.0.0', 'x', '::/129', '1.2.3.4/08'] } },
      [0, 1, 2, 3, 4].map((i) => `network.trustedProxies[${i}]`),
    ],
    ['a Redis without its URL', { store: { kind: 'redis' } }, ['store.url']],
    ['a URL for the memory store', { store: { kind: 'memory', url: 'redis://h' } }, ['store']],
    ['a realm that could break out of its quotes', { challenge: { realm: 'a", error="x' } }, ['challenge.realm']],
    ['a drain without end', { drain: { noticeMs: 60_001, boundMs: 0 } }, ['drain.noticeMs', 'drain.boundMs']],
    [
      'an endless number',
      { drain: { boundMs: Number.POSITIVE_INFINITY }, policy: { slowMs: Number.NaN } },
      ['policy.slowMs', 'drain.boundMs'],
    ],
    ['a contract that does not exist', { policy: { contract: 'cedar' } }, ['policy.contract']],
    ['a bundle URL by plain http', { policy: { bundle: 'http://bundles.example/x.tar.gz' } }, ['policy.bundle']],
  ])('%s', (_what, config, paths) => {
    expect(judged(config)).toEqual(paths);
  });

  it.each([
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'x-api-key',
    'X_API_KEY',
    'x.api.key',
    'api-key',
    'dpop',
    'x-countersign-pep-token',
    'x-forwarded-client-cert',
    'client-cert',
    'x-custom-token',
    'x-amz-security-token',
    'x-client-secret',
    'my_password',
  ])('a policy that reads the header %s', (header) => {
    expect(judged({ input: { headers: ['accept', header] } })).toEqual(['input.headers[1]']);
    expect(isCredentialHeader(plainHeaderName(header))).toBe(true);
  });
});

describe('the schema itself', () => {
  const entries = outline(CONFIG_JSON_SCHEMA);

  it('explains every key', () => {
    expect(entries.filter((entry) => (entry.node.description ?? '').length < 10).map((entry) => entry.path.join('.'))).toEqual([]);
    expect(entries.length).toBeGreaterThan(90);
  });

  it('names the trusts of the contract', () => {
    const trusts = entries.find((entry) => entry.path.join('.') === 'peps.[].trusts');
    expect(trusts?.node.items?.enum).toEqual(TRUSTS);
  });

  it('names the pairs of evidence of the contract', () => {
    const left = entries.find((entry) => entry.path.join('.') === 'identity.agreement.withoutBuiltIn');
    expect(left?.node.items?.enum).toEqual(AGREEMENT_PAIRS);
    const pair = entries.find((entry) => entry.path.join('.') === 'identity.agreement.rules.[].pair');
    expect(pair?.node.enum).toEqual(AGREEMENT_PAIRS);
  });

  it('marks every path and every secret', () => {
    const marked = (mark: 'x-path' | 'x-secret') => JSON.stringify(CONFIG_JSON_SCHEMA).split(`"${mark}"`).length - 1;
    // two listeners with three files; jwksFile of issuers and signature profiles, databases in both forms, the sink; bundles, revocation lists, refused
    // certificates; folder and hash keys of the registry; folder of the state; bundle, opaBin, and five files for signatures and the bundle server of policy and policies, bundle and key file of their candidates; lists, and what is accepted of them; headers and CAs of sources; four files of the decision log's collector and the key of its hashes; keys of assertions; headers of traces
    expect(marked('x-path')).toBe(6 + 5 + 3 + 2 + 4 + 2 + 2 + 2 + 1 + 2 * 7 + 5 + 1 + 1);
    // the tokens (two) of gateways and of operators, the secret of nonces, hash keys of the registry, the URL of the store, keys of canaries of policy and policies, URLs and headers of sources, the URL of the decision log's collector, keys of assertions, headers of traces
    expect(marked('x-secret')).toBe(1 + 8 + 2 + 2 + 1 + 1 + 1);
  });
});
