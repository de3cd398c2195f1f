import { describe, expect, test } from 'vitest';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { receiveDecide } from '../../../src/endpoints/decide/receive.ts';
import { createPepAuth } from '../../../src/endpoints/pep-auth.ts';
import type { Refused } from '../../../src/endpoints/question.ts';
import { pepOptions, sha256 } from '../fixtures.ts';

const UNFORWARDED = ['client_address', 'client_certificate', 'claims', 'subject', 'fingerprint', 'rate', 'explain'] as const;
const TRUSTS = [...UNFORWARDED, 'forwarded'] as const;
const auth = createPepAuth(
  [
    pepOptions('all', TRUSTS, { tokenSha256: sha256('all') }),
    pepOptions('unforwarded', UNFORWARDED, { tokenSha256: sha256('unforwarded') }),
    pepOptions('bare', [], { tokenSha256: sha256('bare') }),
  ],
  ['default', 'other'],
);
function read(body: unknown, by: 'all' | 'unforwarded' | 'bare' = 'all', explain = false): DecisionRequest | Refused {
  const pep = auth.authenticate({ token: by, certificate: null });
  if (pep === null) throw new Error('unknown');
  return receiveDecide(new TextEncoder().encode(JSON.stringify(body)), { id: 'id', pep, receivedAtMs: 5, deadlineAtMs: 155, explain });
}
function question(body: unknown, by: 'all' | 'unforwarded' | 'bare' = 'all', explain = false): DecisionRequest {
  const received = read(body, by, explain);
  if ('refused' in received) throw new Error(JSON.stringify(received));
  return received;
}

const FULL = {
  request: {
    id: 'req-1',
    method: 'POST',
    scheme: 'https',
    host: 'API.example.com:443',
    path: '/payments/42?x=1',
    headers: { Authorization: 'Bearer abc', 'User-Agent': ['a', 'b'], 'x-forwarded-for': '9.9.9.9', 'x-forwarded-client-cert': 'Hash=aa' },
  },
  source: { ip: '203.0.113.7', port: 40312, forwarded_for: ['198.51.100.1', '203.0.113.7'] },
  token: { claims: { iss: 'https://as.example', sub: 'u1' } },
  certificate: { pem: '-----BEGIN CERTIFICATE-----' },
  tls: { sni: 'API.example.com', ja3: 'A'.repeat(32), ja4: 't13d1516h2_8daaf6152771_b186095e22b6' },
  rate: { count: 120, window_seconds: 60 },
  subject: { type: 'user', id: 'u1' },
  action: { name: 'pay' },
  resource: { type: 'account', id: '42', properties: { owner: 'x' } },
  context: { a: { b: [1] } },
  policy: 'default',
};

test("a certificate in the client's own headers is none, unless the gateway is trusted for what was forwarded to it", () => {
  const headers = { 'x-forwarded-client-cert': `Hash=${'a'.repeat(64)}` };
  const received = question({ request: { method: 'GET', path: '/', headers } }, 'unforwarded');
  expect(received.credentials.certificates).toEqual([]);
  expect(received.flags).toEqual(['untrusted_client_certificate']);
});

test('a policy that nobody configured goes on: the decision and the log say so', () => {
  expect(question({ policy: 'nobody' }).policyName).toBe('nobody');
});

test('what a gateway is not trusted for is not in the question as it came either', () => {
  const received = question({ ...FULL, certificate: { pem: 'pem', uris: ['spiffe://td/a'] } }, 'bare').original?.();
  expect(JSON.stringify([received?.headers, received?.attributes])).not.toMatch(/Hash=aa|203\.0\.113\.7|pem|spiffe/);
});

test('everything, from a gateway that is trusted for it', () => {
  const { http, pep, original, ...rest } = question(FULL, 'all', true);
  expect(original?.()).toMatchObject({ id: 'req-1', method: 'POST', host: 'API.example.com:443', target: '/payments/42?x=1', body: null });
  expect(original?.().headers).toEqual([
    ['Authorization', 'Bearer abc'],
    ['User-Agent', 'a'],
    ['User-Agent', 'b'],
    ['x-forwarded-for', '9.9.9.9'],
    ['x-forwarded-client-cert', 'Hash=aa'],
  ]);
  expect(pep.name).toBe('all');
  expect(http).toMatchObject({ method: 'POST', host: 'api.example.com', port: 443, path: '/payments/42', pathRaw: '/payments/42' });
  expect(http?.query.get('x')).toEqual(['1']);
  expect(http?.headers.get('user-agent')).toEqual(['a', 'b']);
  expect(rest).toEqual({
    id: 'id',
    requestId: 'req-1',
    endpoint: 'decide',
    receivedAtMs: 5,
    deadlineAtMs: 155,
    policyName: 'default',
    source: { ip: '203.0.113.7', port: 40312, forwardedFor: ['198.51.100.1', '203.0.113.7'] },
    tls: { sni: 'api.example.com', version: null, ja3: 'a'.repeat(32), ja4: 't13d1516h2_8daaf6152771_b186095e22b6' },
    credentials: {
      authorization: ['Bearer abc'],
      apiKeys: [],
      dpop: [],
      txnToken: [],
      signature: null,
      claims: { iss: 'https://as.example', sub: 'u1' },
      certificates: [
        { form: 'pem', from: 'decide', pem: '-----BEGIN CERTIFICATE-----' },
        { form: 'xfcc', header: 'Hash=aa' },
      ],
      principal: null,
    },
    subject: { type: 'user', id: 'u1', properties: {} },
    action: { name: 'pay', properties: {} },
    resource: { type: 'account', id: '42', properties: { owner: 'x' } },
    context: { a: { b: [1] } },
    pepRate: { count: 120, windowSeconds: 60 },
    flags: [],
    explain: true,
  });
});

test('everything, from a gateway that is trusted for nothing: ignored and flagged, not refused', () => {
  const received = question(FULL, 'bare', true);
  expect(received).toMatchObject({
    source: { ip: null, port: null, forwardedFor: [] },
    tls: { sni: 'api.example.com', ja3: null, ja4: null },
    credentials: { authorization: ['Bearer abc'], claims: null, certificates: [] },
    subject: null,
    action: { name: 'pay' },
    pepRate: null,
    explain: false,
  });
  expect([...received.flags].sort()).toEqual([
    'untrusted_claims',
    'untrusted_client_address',
    'untrusted_client_certificate',
    'untrusted_explain',
    'untrusted_fingerprint',
    'untrusted_rate',
    'untrusted_subject',
  ]);
});

test('nothing at all is a question too: no HTTP request, no address', () => {
  expect(question({})).toMatchObject({
    http: null,
    source: { ip: null, port: null, forwardedFor: [] },
    context: {},
    flags: [],
    policyName: null,
  });
});

test('[asks 64] AuthZEN without context, and with members that we do not know in its objects', () => {
  const received = question({
    subject: { type: 'user', id: 'a', x: 1 },
    action: { name: 'read', y: 2 },
    resource: { type: 'r', id: '1', z: 3 },
  });
  expect(received.subject).toEqual({ type: 'user', id: 'a', properties: {} });
  expect(received.resource).toEqual({ type: 'r', id: '1', properties: {} });
});

describe('the chain', () => {
  const request = { method: 'GET', path: '/', headers: { 'x-forwarded-for': ['1.1.1.1, 2.2.2.2', '3.3.3.3'] } };

  test('comes from the header where source does not give it', () => {
    expect(question({ request, source: { ip: '10.0.0.1' } }).source.forwardedFor).toEqual(['1.1.1.1', '2.2.2.2', '3.3.3.3']);
    expect(question({ request }).source.forwardedFor).toEqual(['1.1.1.1', '2.2.2.2', '3.3.3.3']);
  });

  test('an empty one of source counts as given', () => {
    expect(question({ request, source: { forwarded_for: [] } }).source.forwardedFor).toEqual([]);
  });
});

test('certificate fields: hex in any spelling becomes lower case without colons', () => {
  const certificate = { sha256: `${'AB:'.repeat(31)}CD`, subject: 'CN=a', uris: ['spiffe://td/a'], not_after: 1_800_000_000 };
  expect(question({ certificate }).credentials.certificates).toEqual([
    {
      form: 'fields',
      sha256: `${'ab'.repeat(31)}cd`,
      subject: 'CN=a',
      issuer: null,
      serial: null,
      uris: ['spiffe://td/a'],
      dns: [],
      notAfter: 1_800_000_000,
    },
  ]);
});

test('[asks 20] a fingerprint of the wrong shape is no fingerprint, and flagged once', () => {
  expect(question({ tls: { ja3: 'abc', ja4: 'abc' } })).toMatchObject({ tls: { ja3: null, ja4: null }, flags: ['fingerprint_invalid'] });
});

test('two bearers in one list stay two, for identify to refuse', () => {
  const request = { method: 'GET', path: '/', headers: { authorization: ['Bearer a', 'Bearer b'] } };
  expect(question({ request }).credentials.authorization).toEqual(['Bearer a', 'Bearer b']);
});

test('proofs are credentials, in the order they came, and no header that a policy sees', () => {
  const request = { method: 'GET', path: '/', headers: { DPoP: ['a.b.c', 'd.e.f'], accept: 'x' } };
  const received = question({ request });
  expect(received.credentials.dpop).toEqual(['a.b.c', 'd.e.f']);
  expect([...(received.http?.headers.keys() ?? [])]).toEqual(['accept']);
});

test('names of Object.prototype are ordinary names', () => {
  const body = '{"context":{"__proto__":{"x":1},"toString":2},"request":{"method":"GET","path":"/","headers":{"constructor":"c"}}}';
  const pep = auth.authenticate({ token: 'all', certificate: null });
  if (pep === null) throw new Error('unknown');
  const received = receiveDecide(new TextEncoder().encode(body), { id: 'id', pep, receivedAtMs: 0, deadlineAtMs: 0, explain: false });
  if ('refused' in received) throw new Error(received.refused);
  expect(Object.keys(received.context)).toEqual(['__proto__', 'toString']);
  expect(received.http?.headers.get('constructor')).toEqual(['c']);
});

describe("the client's body", () => {
  const bodyOf = (more: object) =>
    question({ request: { method: 'POST', path: '/', headers: { 'content-type': 'application/json' }, ...more } }).http?.body;

  test('is read as one that comes through a gateway', () => {
    expect(bodyOf({ body: '{"a":"é"}' })).toMatchObject({ status: 'parsed', size: 10, json: { a: 'é' } });
    expect(bodyOf({ body: '{"a":1,"a":2}' })).toMatchObject({ status: 'unparsed', reason: 'invalid_json', json: null });
    expect(bodyOf({ body: '{}', headers: {} })).toMatchObject({ status: 'unparsed', reason: 'no_content_type' });
    expect(bodyOf({ body: `"${'x'.repeat(65_536)}"` })).toMatchObject({ status: 'unparsed', reason: 'too_large' });
  });

  test('is told from one that was cut, and from none', () => {
    expect(bodyOf({ body: '{}', body_truncated: true })).toMatchObject({ status: 'truncated', json: null });
    expect(bodyOf({ body_truncated: true })).toMatchObject({ status: 'truncated' });
    expect(bodyOf({ body: '' })).toMatchObject({ status: 'absent' });
    expect(bodyOf({})).toMatchObject({ status: 'absent' });
    expect(read({ request: { method: 'POST', path: '/', body: {} } })).toEqual({ refused: 'request_invalid', field: 'request.body' });
  });

  test('is there for policies that see the request as it came', () => {
    const { original } = question({ request: { method: 'POST', path: '/', body: 'a=1', body_truncated: true } });
    expect(original?.()).toMatchObject({ body: { bytes: Buffer.from('a=1'), packed: false }, bodyCut: true });
  });
});

describe('refused', () => {
  test.each<[unknown, string, string | undefined]>([
    [{ request: { path: '/' } }, 'request_invalid', 'request.method'],
    [{ request: { method: 'GET' } }, 'request_invalid', 'request.path'],
    [{ request: { method: 'GET', path: '/', headers: { a: 1 } } }, 'request_invalid', 'request.headers.a'],
    [{ request: { method: 'GET', path: '/', headers: { 'authorization ': 'x' } } }, 'request_invalid', 'request.headers.authorization '],
    [{ request: { method: 'GET', path: '/', heades: {} } }, 'request_invalid', 'request.heades'],
    [{ source: { forwardedFor: [] } }, 'request_invalid', 'source.forwardedFor'],
    [{ source: { port: 70_000 } }, 'request_invalid', 'source.port'],
    [{ token: { claims: [] } }, 'request_invalid', 'token.claims'],
    [{ certificate: {} }, 'request_invalid', 'certificate'],
    [{ certificate: { sha256: 'zz' } }, 'request_invalid', 'certificate.sha256'],
    [{ rate: { count: -1, window_seconds: 1 } }, 'request_invalid', 'rate.count'],
    [{ subject: { type: 'user' } }, 'request_invalid', 'subject.id'],
    [{ context: null }, 'request_invalid', 'context'],
    [{ policy: 'other' }, 'policy_not_allowed', 'policy'],
    [{ context: { a: 'é'.repeat(8192) } }, 'context_too_large', 'context'],
  ])('%j', (body, refused, field) => {
    expect(read(body)).toEqual({ refused, field });
  });

  test('a context of exactly 16 KiB and 8 levels is taken', () => {
    const sized = { a: 'x'.repeat(16_384 - '{"a":""}'.length) };
    expect(question({ context: sized, policy: 'default' }).context).toEqual(sized);
    expect(question({ context: { a: [[[[[[[1]]]]]]] } }).context).toEqual({ a: [[[[[[[1]]]]]]] });
  });
});
