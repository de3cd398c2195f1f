import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Trust } from '../../../src/contract/pep.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { receiveCheck } from '../../../src/endpoints/ext-authz/receive.ts';
import { type AskedBy, type Refused, receiveHttpCheck } from '../../../src/endpoints/ext-authz-http/receive.ts';
import { createPepAuth, type PepOptions } from '../../../src/endpoints/pep-auth.ts';
import { encodeCheck } from '../../support/ext-authz-wire.ts';
import { pepOptions, sha256 } from '../fixtures.ts';

const TRUSTS: readonly Trust[] = ['client_address', 'client_certificate', 'fingerprint'];
/** What the recipe's Envoy says of a request by itself. */
const FACTS = ['x-original-proto', 'https', 'x-original-remote-addr', '203.0.113.7'];

function read(lines: readonly string[], asked: Partial<AskedBy> = {}, pepped: Partial<PepOptions> = {}): DecisionRequest | Refused {
  const options = pepOptions('edge', TRUSTS, { tokenSha256: sha256('t'), ...pepped });
  const pep = createPepAuth([options], ['default']).authenticate({ token: 't', certificate: null });
  if (pep === null) throw new Error('unknown');
  const base = { id: 'id', pep, receivedAtMs: 5, nowMs: 100, deadlineMs: 150, method: 'GET', target: '/envoy/a', body: null };
  return receiveHttpCheck({ ...base, lines: ['host', 'API.example.com:443', 'content-length', '0', ...lines], ...asked });
}

function question(...parameters: Parameters<typeof read>): DecisionRequest {
  const received = read(...parameters);
  if ('refused' in received) throw new Error(JSON.stringify(received));
  return received;
}

test("the request is the client's, and nothing of the question's own is in it", () => {
  const own = ['connection', 'keep-alive', 'x-envoy-internal', 'true', 'x-countersign-pep-token', 't', 'X-Countersign-Subject', 'forged'];
  const asked = question(
    [...FACTS, ...own, 'Authorization', 'Bearer a.b.c', 'User-Agent', 'x', 'X-Request-Id', 'r1', 'x-original-sni', 'A.b'],
    {
      target: '/envoy/orders/42?x=1',
    },
  );
  expect(asked.http).toMatchObject({
    method: 'GET',
    scheme: 'https',
    host: 'api.example.com',
    port: 443,
    path: '/orders/42',
    queryRaw: 'x=1',
  });
  expect(asked.http?.body).toMatchObject({ status: 'absent', size: null });
  expect(asked.source).toEqual({ ip: '203.0.113.7', port: null, forwardedFor: [] });
  expect(asked.credentials.authorization).toEqual(['Bearer a.b.c']);
  expect([asked.endpoint, asked.requestId, asked.tls.sni, asked.policyName]).toEqual(['ext_authz_http', 'r1', 'A.b', null]);
  expect(asked.flags).toEqual([]);
  expect([...(asked.http?.headers.keys() ?? [])]).toEqual(['user-agent', 'x-request-id']);
});

test.each([
  ['/envoy/', '/', '/'],
  ['/envoy//a', '/a', '//a'],
  ['/envoy/envoy/a', '/envoy/a', '/envoy/a'],
  ['/envoy/../a', '/a', '/../a'],
  ['/envoy/%2e%2e/decide', '/decide', '/%2e%2e/decide'],
  ['/envoy/a%252fb', '/a%2fb', '/a%252fb'],
  ['/envoy/caf\u00c3\u00a9', '/café', '/café'],
])('%s is %s: the prefix goes, and the rest is read once', (target, path, pathRaw) => {
  expect(question(FACTS, { target }).http).toMatchObject({ path, pathRaw });
});

describe("Envoy's own words", () => {
  test.each(['x-original-proto', 'x-original-remote-addr', 'x-original-content-length', 'x-original-transfer-encoding', 'x-original-sni'])(
    '%s counts once, by this name alone',
    (name) => {
      expect(read([...FACTS, name, 'a', name.toUpperCase(), 'b'])).toEqual({ refused: 'request_invalid', field: name });
      for (const spelt of [name.replaceAll('-', '_'), name.replaceAll('-', '.')]) {
        const asked = question([...FACTS, spelt, '6.6.6.6']);
        expect(asked.flags).toEqual(['header_underscore']);
        expect([asked.http?.scheme, asked.source.ip, asked.tls.sni, asked.http?.body.status]).toEqual([
          'https',
          '203.0.113.7',
          null,
          'absent',
        ]);
        expect(asked.http?.headers.has(spelt)).toBe(false);
      }
    },
  );

  test.each(['x-countersign_subject', 'X.Countersign.Subject', 'x_countersign_pep_token'])(
    '%s looks like one of ours: it says nothing, and the upstream is told to drop every spelling',
    (name) => {
      const asked = question([...FACTS, name, 'forged']);
      expect(asked.flags).toEqual(['header_underscore']);
      expect(asked.http?.headers.size).toBe(0);
    },
  );

  test('without them the scheme is x-forwarded-proto, and the peer the last of a chain that has it', () => {
    const lines = ['x-forwarded-proto', 'https', 'x-forwarded-for', '198.51.100.1, 203.0.113.9'];
    const asked = question(lines, {}, { forwardedFor: { header: 'x-forwarded-for', appendsPeer: true, hops: null } });
    expect(asked.http?.scheme).toBe('https');
    expect(asked.source).toEqual({ ip: null, port: null, forwardedFor: ['198.51.100.1', '203.0.113.9'] });
    expect(question(['x-forwarded-proto', 'http', ...FACTS]).http?.scheme).toBe('https');
  });

  test('a gateway that is not trusted says nothing of address and certificate, and is flagged', () => {
    const asked = question([...FACTS, 'x-forwarded-for', '1.2.3.4', 'x-forwarded-client-cert', 'Hash=ab'], {}, { trusts: [] });
    expect([asked.source.ip, asked.source.forwardedFor, asked.credentials.certificates]).toEqual([null, [], []]);
    expect(asked.flags).toEqual(expect.arrayContaining(['untrusted_client_address', 'untrusted_client_certificate']));
  });

  test('the certificate and the fingerprint by the configured headers', () => {
    const pepped: Partial<PepOptions> = {
      certificateHeader: { name: 'x-client-cert', form: 'pem_escaped', chainName: null },
      fingerprintHeaders: { ja3: null, ja4: 'x-tls-ja4' },
    };
    const ja4 = 't13d1516h2_8daaf6152771_b186095e22b6';
    const asked = question([...FACTS, 'x-client-cert', 'PEM', 'x-tls-ja4', ja4], {}, pepped);
    expect(asked.credentials.certificates).toEqual([{ form: 'pem_escaped', header: 'PEM', chain: null }]);
    expect(asked.tls.ja4).toBe(ja4);
    expect(question([...FACTS, 'x-client-cert', ''], {}, pepped).credentials.certificates).toEqual([]);
  });

  test.each([
    ['1000', 250],
    ['100', 190],
    ['5', 100],
    ['x', 250],
  ])('waiting %s ms leaves until %d', (value, deadlineAtMs) => {
    expect(question([...FACTS, 'x-envoy-expected-rq-timeout-ms', value]).deadlineAtMs).toBe(deadlineAtMs);
    expect(question(FACTS).deadlineAtMs).toBe(250);
  });

  test('two Host lines that differ are a conflict', () => {
    expect(question([...FACTS, 'host', 'other.example']).flags).toContain('host_conflict');
  });
});

describe('bodies', () => {
  const json = ['content-type', 'application/json'];
  const bytes = Buffer.from('{"a":1}');
  const long = ['x-original-content-length', '7'];
  const partial = (cut: boolean) => ['x-envoy-auth-partial-body', String(cut)];
  test.each<[string, readonly string[], Partial<AskedBy>, string, number | null]>([
    ['whole', [...json, ...long, ...partial(false)], { body: bytes }, 'parsed', 7],
    ['whole, without a length', [...json, ...partial(false)], { body: bytes }, 'parsed', 7],
    ['cut', [...json, 'x-original-content-length', '70', ...partial(true)], { body: bytes }, 'truncated', 70],
    ['one copy of the mark says cut', [...json, ...partial(false), ...partial(true)], { body: bytes }, 'truncated', 7],
    ['without a type', [...long, ...partial(false)], { body: bytes }, 'unparsed', 7],
    ['handed on by no mark', [...json], { body: bytes }, 'parsed', 7],
    ['not handed on', [...json, ...long], { method: 'POST' }, 'unparsed', 7],
    ['not handed on, in chunks', [...json, 'x-original-transfer-encoding', 'chunked'], { method: 'POST' }, 'truncated', null],
    ['in chunks, with a mark alone', ['x-original-transfer-encoding', 'chunked', ...partial(false)], { method: 'POST' }, 'truncated', null],
    ['nobody says, by a method with bodies', json, { method: 'POST' }, 'truncated', null],
    ['a type on a GET', json, {}, 'absent', null],
    ['none', ['x-original-content-length', '0'], { method: 'POST' }, 'absent', 0],
  ])('%s', (_, lines, asked, status, size) => {
    expect(question([...FACTS, ...lines], asked).http?.body).toMatchObject({ status, size });
  });

  test.each<[readonly string[], string]>([
    [json, 'GET'],
    [[], 'POST'],
  ])('without the recipe %j by %s counts as cut', (lines, method) => {
    expect(question(lines, { method }).http?.body.status).toBe('truncated');
    expect(question([], {}).http?.body.status).toBe('absent');
  });

  test('the original holds what a policy of opa-envoy-plugin reads', () => {
    const asked = question([...FACTS, ...json, ...long, ...partial(false), 'x-countersign-pep-token', 't'], {
      body: bytes,
      method: 'POST',
    });
    const original = asked.original?.();
    expect(original).toMatchObject({
      method: 'POST',
      scheme: 'https',
      host: 'API.example.com:443',
      target: '/a',
      size: '7',
      bodyCut: false,
    });
    expect(original?.attributes).toEqual({ source: { address: { socketAddress: { address: '203.0.113.7' } } } });
    expect(JSON.stringify(original?.headers)).not.toMatch(/pep-token|x-original|partial/);
    expect(Buffer.from(original?.body?.bytes ?? []).toString()).toBe('{"a":1}');
  });
});

test('the original is that of ext_authz over gRPC for the same request', () => {
  const body = '{"a":1}';
  const client: [string, string][] = [
    ['authorization', 'Bearer a.b.c'],
    ['content-type', 'application/json'],
    ['x-dup', 'a'],
    ['x-countersign-subject', 'forged'],
  ];
  const pep = createPepAuth([pepOptions('edge', TRUSTS, { anonymous: true })], ['default']).authenticate({
    token: null,
    certificate: null,
  });
  if (pep === null) throw new Error('unknown');
  const http = { method: 'POST', scheme: 'https', host: 'api.example.com', path: '/a?x=1' };
  const headers = [
    ...client,
    ['content-length', '7'] as const,
    [':path', '/a?x=1'] as const,
    ['x-envoy-auth-partial-body', 'false'] as const,
  ];
  const message = encodeCheck({ sourceIp: '203.0.113.7', http: { ...http, headers, size: 7, body } });
  const byGrpc = receiveCheck(message, { id: 'id', pep, receivedAtMs: 5, deadlineAtMs: 155 }, { namespace: 'x', key: null });
  if (!byGrpc.ok) throw new Error(byGrpc.code);
  const lines = [...FACTS, ...client.flat(), 'x-original-content-length', '7', 'x-envoy-auth-partial-body', 'false'];
  const asked = {
    method: 'POST',
    target: '/envoy/a?x=1',
    body: Buffer.from(body),
    lines: ['host', 'api.example.com', 'content-length', '7', ...lines],
  };
  const documentOf = (request: DecisionRequest) => {
    const {
      headers: all = [],
      body: sent = null,
      attributes = {},
      id: _id,
      time: _time,
      protocol: _protocol,
      ...rest
    } = request.original?.() ?? {};
    const { address } = Object(attributes['source']);
    const kept = all.filter(([name]) => !name.startsWith(':') && name !== 'x-envoy-auth-partial-body').sort();
    return { ...rest, headers: kept, body: Buffer.from(sent?.bytes ?? []).toString(), address: address.socketAddress.address };
  };
  expect(documentOf(question([], asked))).toEqual(documentOf(byGrpc.request));
  const { http: facts, credentials, flags, source } = question([], asked);
  expect({ facts, credentials, flags, ip: source.ip }).toEqual({
    ...{ facts: byGrpc.request.http, credentials: byGrpc.request.credentials, flags: byGrpc.request.flags },
    ip: byGrpc.request.source.ip,
  });
});

test('no bytes make it throw', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('x-original-proto', 'x-client-cert', 'host', 'Xx', ''),
  );
  const run = fc.property(fc.array(text, { maxLength: 20 }), text, (lines, target) => {
    expect(() => read(lines, { target: `/envoy/${target}` })).not.toThrow();
  });
  fc.assert(run, { numRuns: 200 });
});
