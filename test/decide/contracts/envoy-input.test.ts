import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckParts, HttpParts } from '../../support/ext-authz-wire.ts';
import { headerOf } from '../../support/ext-authz-wire.ts';
import { ALLOW, ECHO } from './envoy-policies.ts';
import { activePolicy, type PolicyServer, servePolicy } from './policy.ts';

/* The document as a policy sees it: it gives it back as the body of its refusal. */

let whole: PolicyServer;
let bare: PolicyServer;
let distrusted: PolicyServer;
beforeAll(async () => {
  const options = { contract: 'envoy', entrypoint: ALLOW } as const;
  whole = await servePolicy(await activePolicy(ECHO, { ...options, input: { credentials: true } }));
  bare = await servePolicy(await activePolicy(ECHO, options));
  distrusted = await servePolicy(await activePolicy(ECHO, { ...options, input: { credentials: true } }), []);
});
afterAll(() => Promise.all([whole.close(), bare.close(), distrusted.close()]));

async function seen(parts: CheckParts, server = whole): Promise<Record<string, unknown>> {
  const { check } = await server.ask(parts);
  return JSON.parse(check.denied?.body ?? '');
}
const http = (parts: HttpParts): CheckParts => ({ http: { method: 'GET', path: '/', host: 'api.example', scheme: 'https', ...parts } });
const ofBody = async (type: string, body: string | Uint8Array, more: readonly (readonly [string, string])[] = []) => {
  const { parsed_body: parsed, truncated_body: cut } = await seen(http({ headers: [['content-type', type], ...more], body }));
  return [parsed, cut];
};
/** The code of the refusal of a question that cannot be said in the document. */
const refusal = async (parts: CheckParts) => {
  const { check } = await whole.ask(parts);
  return [check.ok, check.denied?.status, headerOf(check.denied?.headers, 'x-countersign-error')];
};
const INVALID = [null, 400, 'request_invalid'];

it("is the plugin's document, by protobuf's JSON names", async () => {
  const document = await seen({
    http: {
      id: '77',
      method: 'POST',
      path: '/api/v1/products?lang=en&id=1&id=2',
      host: 'API.example:8443',
      scheme: 'http',
      size: 2,
      body: '{}',
      headers: [
        [':path', 'forged'],
        ['Authorization', 'Bearer x'],
        ['content-type', 'application/json'],
        ['x-a', '1'],
        ['X-A', '2'],
        ['x-countersign-subject', 'admin'],
      ],
    },
    sourceIp: '172.17.0.10',
    sourcePort: 36_472,
    principal: 'spiffe://td/client',
    contextExtensions: { team: 'a' },
    filterMetadata: { 'envoy.filters.http.jwt_authn': { jwt: { sub: 'alice', n: 1, yes: true, none: null, list: ['x'] } } },
    sni: 'api.example',
  });
  expect(document).toEqual({
    attributes: {
      source: { address: { socketAddress: { address: '172.17.0.10', portValue: 36_472 } }, principal: 'spiffe://td/client' },
      destination: { address: { socketAddress: { address: '192.0.2.10', portValue: 8443 } } },
      request: {
        time: '2026-09-21T14:13:20.000000005Z',
        http: {
          id: '77',
          method: 'POST',
          path: '/api/v1/products?lang=en&id=1&id=2',
          host: 'API.example:8443',
          scheme: 'http',
          protocol: 'HTTP/2',
          size: '2',
          body: '{}',
          headers: {
            ':authority': 'API.example:8443',
            ':method': 'POST',
            ':path': '/api/v1/products?lang=en&id=1&id=2',
            ':scheme': 'http',
            authorization: 'Bearer x',
            'content-type': 'application/json',
            'x-a': '1,2',
          },
        },
      },
      contextExtensions: { team: 'a' },
      metadataContext: {
        filterMetadata: { 'envoy.filters.http.jwt_authn': { jwt: { sub: 'alice', n: 1, yes: true, none: null, list: ['x'] } } },
      },
      tlsSession: { sni: 'api.example' },
    },
    parsed_path: ['api', 'v1', 'products'],
    parsed_query: { lang: ['en'], id: ['1', '2'] },
    parsed_body: {},
    truncated_body: false,
    version: { ext_authz: 'v3', encoding: 'protojson' },
    // ours, for builtins of time and chance
    id: expect.stringMatching(/^id-/),
    time: { unix_seconds: 1_790_000_000, rfc3339: '2026-09-21T14:13:20.000Z' },
  });
});

it('without `credentials` the headers are those that any policy sees; with it they are whole', async () => {
  const headers: [string, string][] = [
    ['authorization', 'Bearer x'],
    ['cookie', 'a=1'],
    ['cookie', 'b=2'],
    ['x-api-key', 'k'],
    ['accept', '*/*'],
  ];
  const of = async (server: PolicyServer) => {
    const document = await seen(http({ headers }), server);
    return JSON.parse(JSON.stringify(document)).attributes.request.http.headers;
  };
  const pseudo = { ':authority': 'api.example', ':method': 'GET', ':path': '/', ':scheme': 'https' };
  expect(await of(bare)).toEqual({ ...pseudo, accept: '*/*' });
  expect(await of(whole)).toEqual({ ...pseudo, accept: '*/*', authorization: 'Bearer x', cookie: 'a=1; b=2', 'x-api-key': 'k' });
});

it('what a gateway is not trusted for is not there', async () => {
  const parts: CheckParts = {
    ...http({
      headers: [
        ['x-forwarded-client-cert', 'Hash=aa'],
        ['ssl-client-cert', 'x'],
        ['accept', '*/*'],
      ],
    }),
    sourceIp: '172.17.0.10',
    principal: 'spiffe://td/client',
    certificate: 'pem',
    filterMetadata: { claims: { sub: 'alice' } },
  };
  expect(JSON.stringify(await seen(parts, distrusted))).not.toMatch(/172\.17|spiffe|pem|Hash|alice|ssl-client/);
  // even a trusted gateway has one header for it
  const trusted = await seen(parts);
  expect(trusted).toMatchObject({
    attributes: { source: { principal: 'spiffe://td/client' }, request: { http: { headers: { 'x-forwarded-client-cert': 'Hash=aa' } } } },
  });
  expect(JSON.stringify(trusted)).not.toContain('ssl-client');
});

describe('parsed_path and parsed_query', () => {
  it.each<[string, readonly string[], object]>([
    ['/', [''], {}],
    ['/a/b/', ['a', 'b', ''], {}],
    ['/a//b', ['a', '', 'b'], {}],
    ['//a/b', ['a', 'b'], {}],
    ['/a/../b', ['a', '..', 'b'], {}],
    ['/a%2Fb/%7Bc%7D', ['a', 'b', '{c}'], {}],
    ['/a+b', ['a+b'], {}],
    ['/a?', ['a'], {}],
    ['/a?x', ['a'], { x: [''] }],
    ['/a?x=1&x=&y=a+b%20c&&z=%C3%A9', ['a'], { x: ['1', ''], y: ['a b c'], z: ['é'] }],
    ['/a?x=%zz&y=1;z=2&w=3', ['a'], { w: ['3'] }],
    ['/a?next=/b?c', ['a'], { next: ['/b?c'] }],
    ['http://other.example/a?x=1', ['a'], { x: ['1'] }],
    ['*', ['*'], {}],
    ['/a?__proto__=1', ['a'], JSON.parse('{"__proto__":["1"]}')],
  ])('%s', async (path, segments, query) => {
    const { parsed_path, parsed_query } = await seen(http({ path }));
    expect(parsed_path).toEqual(segments);
    // by entries, so that `__proto__` counts as the member that it is
    expect(Object.entries(parsed_query ?? {}).sort()).toEqual(Object.entries(query).sort());
  });

  it.each(['/a%', '/a%zz', `/${'a/'.repeat(300)}`, `/?${'a=1&'.repeat(1100)}`, `/${'a'.repeat(9000)}`])(
    '%.20s cannot be said',
    async (path) => {
      expect(await refusal(http({ path }))).toEqual(INVALID);
    },
  );

  it('headers that the border cut cannot be decided on', async () => {
    const headers = Array.from({ length: 101 }, (_, index): [string, string] => [`x-${index}`, '1']);
    expect(await refusal(http({ headers }))).toEqual(INVALID);
  });
});

describe('parsed_body', () => {
  it.each<[string, string, unknown]>([
    ['application/json', '{"firstname": "foo", "n": [1, null, true]}', { firstname: 'foo', n: [1, null, true] }],
    ['Application/JSON; charset=utf-8', '"foo"', 'foo'],
    ['application/json', 'null', null],
    ['application/json', '', null],
    ['application/x-www-form-urlencoded', 'a=1&a=2&b=x+y&c', { a: ['1', '2'], b: ['x y'], c: [''] }],
    ['application/x-www-form-urlencoded', '', null],
    ['text/plain', '{"a":1}', null],
    ['application/grpc', 'x', null],
    ['multipart/form-data', 'x', null],
    [
      'multipart/form-data; boundary=foo',
      '--foo\nContent-Disposition: form-data; name="a"\nContent-Type: text/plain\n\nbar\n--foo--\n',
      { a: ['bar'] },
    ],
    [
      'multipart/form-data; boundary="f o"',
      'preamble\r\n--f o\r\nContent-Disposition: form-data; name="a"; filename="x.txt"\r\n\r\n1\r\n--f oo\r\n\r\n--f o\r\ncontent-disposition: form-data; name=a\r\ncontent-type: application/json;\r\n\r\n{"n": "bar"}\r\n--f o\r\nContent-Disposition: attachment\r\n\r\nx\r\n--f o\r\nContent-Disposition: form-data; name="\\"é\\""\r\n\r\né\r\n--f o--',
      { a: ['1\r\n--f oo\r\n', { n: 'bar' }], '"é"': ['é'] },
    ],
  ])('%s %.30j', async (type, body, parsed) => {
    expect(await ofBody(type, body)).toEqual([parsed, false]);
  });

  it('[asks 1] a body without a content type is there and not parsed', async () => {
    expect(await seen(http({ body: '{"a":1}' }))).toMatchObject({
      parsed_body: null,
      attributes: { request: { http: { body: '{"a":1}' } } },
    });
  });

  it('packed bytes are parsed too, and are there in base64', async () => {
    const rawBody = Buffer.from('{"a":1}');
    const document = await seen(http({ headers: [['content-type', 'application/json']], rawBody }));
    expect(document).toMatchObject({ parsed_body: { a: 1 }, attributes: { request: { http: { rawBody: rawBody.toString('base64') } } } });
    expect(JSON.stringify(document)).not.toContain('"body"');
  });

  it.each<[string, string]>([
    ['application/json', '{"a":'],
    ['application/json', '["a": 1]'],
    ['application/json', '{"a":1,"a":2}'],
    ['application/x-www-form-urlencoded', 'a=%zz'],
    ['multipart/form-data; boundary=foo', 'no part'],
    ['multipart/form-data; boundary=foo', '--foo\nContent-Disposition: form-data; name="a"\n\nbar'],
    ['multipart/form-data; boundary=foo', '--foo\nContent-Disposition: form-data; name="a"\nContent-Type: application/json\n\n{\n--foo--'],
    ['multipart/form-data; boundary=foo', `${'--foo\nContent-Disposition: form-data; name="a"\n\nx\n'.repeat(300)}--foo--`],
  ])('%s %.30j does not hold to its type: refused', async (type, body) => {
    expect(await refusal(http({ headers: [['content-type', type]], body }))).toEqual(INVALID);
  });

  it('a length that is no number is refused', async () => {
    expect(
      await refusal(
        http({
          headers: [
            ['content-type', 'application/json'],
            ['content-length', 'x'],
          ],
          body: '{}',
        }),
      ),
    ).toEqual(INVALID);
  });
});

describe('[asks 17] truncated_body', () => {
  it.each(['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=foo'])(
    '%s: fewer bytes than were announced',
    async (type) => {
      expect(await ofBody(type, 'true', [['content-length', '1000']])).toEqual([null, true]);
    },
  );

  it('Envoy says that it cut the body', async () => {
    expect(await ofBody('application/json', '{"a":1}', [['x-envoy-auth-partial-body', 'true']])).toEqual([null, true]);
  });

  it('a body beyond what any policy gets counts as cut', async () => {
    const { check } = await whole.ask(http({ headers: [['content-type', 'application/json']], body: `"${'x'.repeat(65_536)}"` }));
    const document = JSON.parse(check.denied?.body ?? '');
    expect([document.parsed_body, document.truncated_body, 'body' in document.attributes.request.http]).toEqual([null, true, false]);
  });
});

it('the logged document shows names, and no value that a client could hide a secret in', async () => {
  const { input } = await whole.ask({
    http: {
      method: 'POST',
      path: '/a;s=canary/b?k=canary',
      host: 'api.example',
      scheme: 'https',
      headers: [
        ['authorization', 'canary'],
        ['x-odd', 'canary'],
        ['referer', 'https://x/?canary'],
        ['content-type', 'application/x-www-form-urlencoded'],
        ['user-agent', 'curl/8'],
      ],
      body: 'pin=canary',
    },
    filterMetadata: { jwt: { sub: 'canary' } },
  });
  expect(JSON.stringify(input)).not.toContain('canary');
  expect(input).toMatchObject({
    parsed_path: ['a***', 'b'],
    parsed_query: { k: ['***'] },
    parsed_body: { pin: ['***'] },
    attributes: { request: { http: { method: 'POST', headers: { 'user-agent': 'curl/8', 'x-odd': '***' }, body: '***' } } },
  });
});
