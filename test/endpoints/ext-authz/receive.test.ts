import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Trust } from '../../../src/contract/pep.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { createAuthority } from '../../support/certificates.ts';
import type { CheckParts, HttpParts } from '../../support/ext-authz-wire.ts';
import { type Fixture, PEP_TOKEN, startGrpc, tokenPep } from '../../support/grpc-fixture.ts';

const EVERYTHING: readonly Trust[] = [
  'client_address',
  'forwarded',
  'client_certificate',
  'claims',
  'subject',
  'fingerprint',
  'rate',
  'explain',
];

let trusted: Fixture;
let untrusted: Fixture;
beforeEach(async () => {
  trusted = await startGrpc({ peps: [tokenPep(EVERYTHING, ['default', 'payments'])], policyNames: ['default', 'payments', 'other'] });
  untrusted = await startGrpc({ peps: [tokenPep([])] });
});
afterEach(() => Promise.all([trusted.close(), untrusted.close()]));

async function ask(parts: CheckParts, server = trusted, metadata: Readonly<Record<string, string>> = {}): Promise<DecisionRequest> {
  await server.check(parts, { 'x-countersign-pep-token': PEP_TOKEN, ...metadata });
  const asked = server.asked.at(-1);
  if (asked === undefined) throw new Error('nothing was asked');
  return asked;
}
const http = (parts: HttpParts): CheckParts => ({ http: { method: 'GET', path: '/', host: 'api.example', scheme: 'https', ...parts } });

describe('the HTTP request', () => {
  test('method, scheme, host and port; the path is split from its query and not decoded twice', async () => {
    const asked = await ask(http({ method: 'POST', host: 'API.example:8443', path: '/orders/%7B1%7D?x=/admin&x=2', id: '77' }));
    expect(asked.http).toMatchObject({
      method: 'POST',
      scheme: 'https',
      host: 'api.example',
      port: 8443,
      path: '/orders/{1}',
      pathRaw: '/orders/%7B1%7D',
    });
    expect(asked.http?.query).toEqual(new Map([['x', ['/admin', '2']]]));
    expect([asked.endpoint, asked.requestId, asked.pep.name, asked.policyName]).toEqual(['ext_authz', '77', 'edge', null]);
    expect([asked.action, asked.resource, asked.subject, asked.pepRate, asked.explain]).toEqual([null, null, null, null, false]);
    expect([asked.id, asked.receivedAtMs]).toEqual(['id-1', 1_790_000_000_000]);
  });

  test('pseudo-headers are dropped in both forms', async () => {
    const pseudo = [':path', ':method', ':authority', ':scheme'] as const;
    const map = await ask(http({ headers: [...pseudo.map((name) => [name, 'x'] as const), ['accept', '*/*']] }));
    const list = await ask(
      http({ headerMap: [...pseudo.map((name) => [name, Buffer.from('x')] as const), ['accept', Buffer.from('*/*')]] }),
    );
    expect([...(map.http?.headers ?? [])]).toEqual([['accept', ['*/*']]]);
    expect(list.http?.headers).toEqual(map.http?.headers);
  });

  test('header_map keeps values apart and bytes as they are', async () => {
    const asked = await ask(
      http({
        headerMap: [
          ['x-dup', Buffer.from('a')],
          ['x-dup', Buffer.from('b')],
          ['x-name', Buffer.from('café')],
          ['x-latin', Buffer.from([0x63, 0x61, 0x66, 0xe9])],
          ['authorization', Buffer.from('Bearer one')],
          ['authorization', Buffer.from('Bearer two')],
        ],
      }),
    );
    expect(asked.http?.headers.get('x-dup')).toEqual(['a', 'b']);
    expect(asked.http?.headers.get('x-name')).toEqual(['café']);
    expect(asked.http?.headers.get('x-latin')).toEqual(['café']);
    expect(asked.flags).toContain('header_not_utf8');
    expect(asked.credentials.authorization).toEqual(['Bearer one', 'Bearer two']);
  });

  test('names of Object.prototype are names like any other', async () => {
    const asked = await ask({
      ...http({
        headers: [
          ['__proto__', 'x'],
          ['constructor', 'y'],
        ],
      }),
      contextExtensions: JSON.parse('{"__proto__":"z"}'),
    });
    expect(asked.http?.headers.get('constructor')).toEqual(['y']);
    expect(JSON.stringify(asked.context)).toBe('{"extensions":{"__proto__":"z"}}');
  });

  test('credentials do not stay among the headers', async () => {
    const asked = await ask(
      http({
        headers: [
          ['authorization', 'Bearer secret'],
          ['cookie', 'secret'],
          ['x-countersign-pep-token', 'secret'],
        ],
      }),
    );
    expect(asked.credentials.authorization).toEqual(['Bearer secret']);
    expect(JSON.stringify([...(asked.http?.headers ?? [])])).not.toContain('secret');
  });

  test('the id that correlates is x-request-id, by which the access log of Envoy goes', async () => {
    expect((await ask(http({ id: '77', headers: [['x-request-id', 'r-1']] }))).requestId).toBe('r-1');
    expect((await ask(http({}))).requestId).toBeNull();
  });
});

describe('the body', () => {
  const json: readonly [string, string] = ['content-type', 'application/json'];

  test('body and raw_body are the same', async () => {
    const text = await ask(http({ headers: [json], body: '{"a":1}', size: 7 }));
    const bytes = await ask(http({ headers: [json], rawBody: Buffer.from('{"a":1}'), size: 7 }));
    expect(text.http?.body).toMatchObject({ status: 'parsed', json: { a: 1 }, size: 7 });
    expect(bytes.http?.body).toEqual(text.http?.body);
  });

  test('[asks 1] a body without content-type is not the same as none', async () => {
    expect((await ask(http({ body: '{"a":1}' }))).http?.body).toMatchObject({ status: 'unparsed', reason: 'no_content_type' });
    expect((await ask(http({ size: 0 }))).http?.body).toMatchObject({ status: 'absent', size: 0 });
  });

  test('[asks 17] Envoy says that it cut the body', async () => {
    const cut = await ask(http({ headers: [json, ['x-envoy-auth-partial-body', 'true']], body: '{"a":1', size: -1 }));
    expect(cut.http?.body).toMatchObject({ status: 'truncated', json: null });
    const whole = await ask(http({ headers: [json, ['x-envoy-auth-partial-body', 'false']], body: '{"a":1}' }));
    expect(whole.http?.body).toMatchObject({ status: 'parsed', json: { a: 1 } });
    expect(whole.http?.headers.has('x-envoy-auth-partial-body')).toBe(false);
    const twice = {
      headerMap: [
        ['x-envoy-auth-partial-body', Buffer.from('false')],
        ['x-envoy-auth-partial-body', Buffer.from('true')],
      ],
    } as const;
    expect((await ask(http({ ...twice, body: '{' }))).http?.body.status).toBe('truncated');
  });

  test('a body that is no UTF-8 is no broken message', async () => {
    const asked = await ask(http({ headers: [json], body: Buffer.from([0x22, 0xff, 0x22]) }));
    expect(asked.http?.body).toMatchObject({ status: 'unparsed', reason: 'invalid_json' });
  });

  test('a size of 64 bits does not wrap', async () => {
    expect((await ask(http({ size: 4_294_967_297 }))).http?.body.size).toBe(4_294_967_297);
    expect((await ask(http({ size: -1 }))).http?.body.size).toBeNull();
  });
});

describe('what the gateway vouches for', () => {
  const certificate = createAuthority().client({ commonName: 'agent', uris: ['spiffe://td.test/agent/a'] });
  const offered: CheckParts = {
    sourceIp: '203.0.113.7',
    principal: 'spiffe://td.test/agent/a',
    certificate: encodeURIComponent(certificate.pem),
    filterMetadata: { 'envoy.filters.http.jwt_authn': { jwt_payload: { iss: 'https://as.example', sub: 'agent', scope: 'a b' } } },
    sni: 'api.example',
    ...http({ headers: [['x-forwarded-for', '198.51.100.1, 198.51.100.2']] }),
  };

  test('from a trusted gateway it is taken', async () => {
    const asked = await ask(offered);
    expect(asked.source).toEqual({ ip: '203.0.113.7', port: 40_312, forwardedFor: ['198.51.100.1', '198.51.100.2'] });
    expect(asked.credentials.certificates).toEqual([{ form: 'pem', from: 'ext_authz', pem: certificate.pem }]);
    expect(asked.credentials.principal).toBe('spiffe://td.test/agent/a');
    expect(asked.credentials.claims).toEqual({ iss: 'https://as.example', sub: 'agent', scope: 'a b' });
    expect(asked.tls.sni).toBe('api.example');
    expect(asked.flags).toEqual([]);
  });

  test('from any other it is ignored, and said so', async () => {
    const asked = await ask(offered, untrusted);
    expect(asked.source).toEqual({ ip: null, port: null, forwardedFor: [] });
    expect(asked.credentials).toMatchObject({ certificates: [], principal: null, claims: null });
    expect([...asked.flags].sort()).toEqual(['untrusted_claims', 'untrusted_client_address', 'untrusted_client_certificate']);
  });

  test('the headers of the RPC itself say nothing about the client', async () => {
    const asked = await ask(http({}), trusted, {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-client-cert': 'URI=spiffe://td.test/evil',
      authorization: 'Bearer evil',
      'x-request-id': 'evil',
    });
    expect(asked.source).toEqual({ ip: null, port: null, forwardedFor: [] });
    expect(asked.credentials).toMatchObject({ authorization: [], certificates: [], claims: null });
    expect(asked.requestId).toBeNull();
  });

  test('XFCC is a second offer beside the certificate', async () => {
    const asked = await ask({ ...offered, ...http({ headers: [['x-forwarded-client-cert', 'Hash=ab']] }) });
    expect(asked.credentials.certificates).toEqual([
      { form: 'pem', from: 'ext_authz', pem: certificate.pem },
      { form: 'xfcc', header: 'Hash=ab' },
    ]);
    expect((await ask(http({ headers: [['x-forwarded-client-cert', 'Hash=ab']] }), untrusted)).credentials.certificates).toEqual([]);
  });

  test('a certificate that does not decode stays offered, so that it is malformed and not missing', async () => {
    expect((await ask({ certificate: '%E0%A4%A' })).credentials.certificates).toEqual([
      { form: 'pem', from: 'ext_authz', pem: '%E0%A4%A' },
    ]);
    expect((await ask({ certificate: 'a+b%2Bc%0A' })).credentials.certificates).toEqual([
      { form: 'pem', from: 'ext_authz', pem: 'a+b+c\n' },
    ]);
  });

  test('claims: the one member that looks like claims, and none where two do', async () => {
    const claims = async (metadata: NonNullable<CheckParts['filterMetadata']>[string]) =>
      (await ask({ filterMetadata: { 'envoy.filters.http.jwt_authn': metadata } })).credentials.claims;
    const payload = { iss: 'a', n: 1.5, yes: true, no: null, list: [1, 'x', { y: false }], nan: Number.NaN };
    expect(await claims({ header: { alg: 'RS256' }, jwt_payload: payload })).toEqual({ ...payload, nan: null });
    expect(await claims({ iss: 'flat' })).toEqual({ iss: 'flat' });
    expect(await claims({ one: { iss: 'a' }, two: { iss: 'b' } })).toBeNull();
    expect(await claims({ failed_status: { code: 3, message: 'expired' } })).toBeNull();
    expect(await claims({})).toBeNull();
    expect((await ask({ filterMetadata: { other: { iss: 'a' } } }, untrusted)).flags).not.toContain('untrusted_claims');
  });

  test('claims under a configured namespace and key', async () => {
    const server = await startGrpc({ peps: [tokenPep(['claims'])], claimsMetadata: { namespace: 'own', key: 'k' } });
    const asked = await ask(
      { filterMetadata: { own: { k: { any: 1 }, other: { iss: 'x' } }, 'envoy.filters.http.jwt_authn': { p: { iss: 'y' } } } },
      server,
    );
    expect(asked.credentials.claims).toEqual({ any: 1 });
    expect((await ask({ filterMetadata: { own: { toString: { iss: 'x' } } } }, server)).credentials.claims).toBeNull();
    await server.close();
  });
});

describe('context_extensions', () => {
  test('policy asks for a policy, the rest is context', async () => {
    const asked = await ask({ contextExtensions: { policy: 'payments', tenant: 'a', zone: 'b' } });
    expect(asked.policyName).toBe('payments');
    expect(asked.context).toEqual({ extensions: { tenant: 'a', zone: 'b' } });
    expect((await ask({})).context).toEqual({});
  });

  test('a path never selects a policy', async () => {
    expect((await ask(http({ path: '/payments?policy=payments', headers: [['policy', 'payments']] }))).policyName).toBeNull();
  });

  test("another gateway's policy and a flood of extensions are refused", async () => {
    const metadata = { 'x-countersign-pep-token': PEP_TOKEN };
    expect((await trusted.check({ contextExtensions: { policy: 'other' } }, metadata)).denied?.status).toBe(403);
    expect((await trusted.check({ contextExtensions: { a: 'x'.repeat(20_000) } }, metadata)).denied?.status).toBe(400);
    expect(trusted.asked).toEqual([]);
  });

  test('a policy that nobody configured, and one without a name, go on: the decision and the log say so', async () => {
    expect((await ask({ contextExtensions: { policy: 'nobody' } })).policyName).toBe('nobody');
    expect((await ask({ contextExtensions: { policy: '' } })).policyName).toBe('');
  });
});
