import { describe, expect, test } from 'vitest';
import type { Pep, Trust } from '../../src/contract/pep.ts';
import { type RawHttp, receiveHttpFacts } from '../../src/endpoints/request-facts.ts';

const pep = (...trusts: Trust[]): Pep => ({
  name: 'edge',
  trusts: new Set(trusts),
  policies: ['default'],
  certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
  forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
});
const noBody = { bytes: null, truncated: false, size: null };
const raw = (more: Partial<RawHttp> = {}): RawHttp => ({
  method: 'GET',
  scheme: 'https',
  authority: 'api.example.com',
  target: '/a',
  headers: [],
  body: noBody,
  ...more,
});
const receive = (more: Partial<RawHttp>, by: Pep = pep('client_address', 'client_certificate')) => receiveHttpFacts(raw(more), by);
const withBody = (text: string, contentType: string | null, more: { truncated?: boolean; size?: number | null } = {}) =>
  receive({
    headers: contentType === null ? [] : [['content-type', contentType]],
    body: { bytes: new TextEncoder().encode(text), truncated: false, size: null, ...more },
  }).http.body;

describe('headers', () => {
  test('names in lower case, values in order, pseudo-headers and credentials left out', () => {
    const { http, authorization, flags } = receive({
      headers: [
        [':path', '/other'],
        ['User-Agent', 'x/1'],
        ['Accept', 'a'],
        ['accept', 'b'],
        ['Authorization', 'Bearer one'],
        ['authorization', 'Bearer two'],
        ['Cookie', 'c=1'],
        ['Proxy-Authorization', 'p'],
        ['X-Api-Key', 'k'],
        ['DPoP', 'd'],
        ['X-Countersign-Pep-Token', 't'],
        ['X-Countersign-Subject', 'forged'],
        ['host', 'api.example.com'],
      ],
    });
    expect([...http.headers]).toEqual([
      ['user-agent', ['x/1']],
      ['accept', ['a', 'b']],
    ]);
    expect(authorization).toEqual(['Bearer one', 'Bearer two']);
    expect(flags).toEqual([]);
  });

  test('[asks 15] look-alike spellings are never the trusted name, are flagged, and a credential stays out in any spelling', () => {
    const { http, authorization, certificate, forwardedFor, flags } = receive({
      headers: [
        ['x_forwarded_for', '10.0.0.1'],
        ['x.forwarded.client.cert', 'Hash=aa'],
        ['x_forwarded_client_cert', 'Hash=aa'],
        ['x_api_key', 'secret'],
        ['x_countersign_subject', 'forged'],
        ['x_client_cert', 'pem'],
      ],
    });
    expect([...http.headers.keys()]).toEqual(['x_forwarded_for']);
    expect({ authorization, certificate, forwardedFor, flags }).toEqual({
      authorization: [],
      certificate: null,
      forwardedFor: [],
      flags: ['header_underscore', 'untrusted_client_certificate'],
    });
  });

  test('transaction tokens are credentials, in the order they came; what looks like one is dropped', () => {
    const { http, txnToken, flags } = receive({
      headers: [
        ['Txn-Token', 'a.b.c'],
        ['txn_token', 'forged'],
        ['txn-token', 'd.e.f'],
        ['accept', 'v'],
      ],
    });
    expect(txnToken).toEqual(['a.b.c', 'd.e.f']);
    expect([...http.headers.keys()]).toEqual(['accept']);
    expect(flags).toEqual(['header_underscore']);
  });

  test('[asks 83] whatever names a secret stays out of the facts', () => {
    const names = [
      'X-Custom-Token',
      'my-api-key',
      'x_amz_security_token',
      'Set-Cookie',
      'x-vault.secret',
      'authorization ',
      'x-csrf-token',
      '',
    ];
    const { http, authorization, flags } = receive({ headers: names.map((name): [string, string] => [name, 'canary']) });
    expect([...http.headers]).toEqual([]);
    expect(authorization).toEqual([]);
    expect(flags).toEqual(['header_underscore']);
    expect([
      ...receive({
        headers: [
          ['x-tokenized', 'v'],
          ['accept', 'v'],
        ],
      }).http.headers.keys(),
    ]).toEqual(['x-tokenized', 'accept']);
  });

  test('caps: 100 names, 16 values each', () => {
    const many = Array.from({ length: 120 }, (_, index): [string, string] => [`h${index}`, 'v']);
    const values = Array.from({ length: 20 }, (): [string, string] => ['h0', 'v']);
    const { http, flags } = receive({ headers: [...many, ...values] });
    expect(http.headers.size).toBe(100);
    expect(http.headers.get('h0')).toHaveLength(16);
    expect(flags).toEqual(['headers_capped', 'header_values_capped']);
  });

  test('a credential behind 100 other headers is still one', () => {
    const many = Array.from({ length: 120 }, (_, index): [string, string] => [`h${index}`, 'v']);
    expect(receive({ headers: [...many, ['authorization', 'Bearer x']] }).authorization).toEqual(['Bearer x']);
  });
});

describe('trust', () => {
  const headers: [string, string][] = [
    ['X-Forwarded-For', '203.0.113.7, 10.0.0.1'],
    ['x-forwarded-for', ' 10.0.0.2 ,'],
    ['x-forwarded-client-cert', 'Hash=aa'],
    ['x-forwarded-client-cert', 'Hash=bb'],
  ];

  test('the chain and XFCC, lines in order, where the gateway is trusted', () => {
    const received = receive({ headers });
    expect(received.forwardedFor).toEqual(['203.0.113.7', '10.0.0.1', '10.0.0.2', '']);
    expect(received.certificate).toEqual({ form: 'xfcc', header: 'Hash=aa,Hash=bb' });
    expect(received.flags).toEqual([]);
  });

  test('[asks 14] [asks 19] ignored and flagged where it is not', () => {
    const received = receive({ headers }, pep());
    expect(received.forwardedFor).toEqual([]);
    expect(received.certificate).toBeNull();
    expect([...received.flags].sort()).toEqual(['untrusted_client_address', 'untrusted_client_certificate']);
  });
});

describe('host', () => {
  test.each<[string, Partial<RawHttp>, string, number | null, string[]]>([
    ['authority', { authority: 'API.example.com:8443' }, 'api.example.com', 8443, []],
    ['host header', { authority: null, headers: [['Host', 'b.example']] }, 'b.example', null, []],
    ['the same twice', { headers: [['host', 'API.example.com']] }, 'api.example.com', null, []],
    ['another Host header', { headers: [['host', 'other.example']] }, 'api.example.com', null, ['host_conflict']],
    ['absolute form elsewhere', { target: 'http://other.example/a' }, 'api.example.com', null, ['path_absolute_form', 'host_conflict']],
    ['absolute form here', { target: 'http://api.example.com/a' }, 'api.example.com', null, ['path_absolute_form']],
    ['invalid', { authority: 'a@b' }, '', null, ['host_invalid']],
    ['none', { authority: null }, '', null, []],
  ])('%s', (_, more, host, port, flags) => {
    const received = receive(more);
    expect({ host: received.http.host, port: received.http.port, flags: received.flags }).toEqual({ host, port, flags });
    expect(received.http.pathAmbiguous).toBe(flags.includes('host_conflict') || flags.includes('host_invalid'));
  });
});

test('a method that is no token is flagged and empty; letter case is kept, since methods have one', () => {
  expect(receive({ method: 'GE T' })).toMatchObject({ http: { method: '' }, flags: ['method_invalid'] });
  expect(receive({ method: 'get' }).http.method).toBe('get');
});

test('an unknown scheme is empty', () => {
  expect(receive({ scheme: null }).http.scheme).toBe('');
  expect(receive({ scheme: 'HTTPS' }).http.scheme).toBe('https');
  expect(receive({ scheme: 'a b' }).http.scheme).toBe('');
});

describe('body', () => {
  test.each([
    ['absent', receive({}).http.body, { status: 'absent', reason: null, size: null, json: null }],
    ['empty', withBody('', null), { status: 'absent', reason: null, size: 0 }],
    ['parsed', withBody('{"a":1}', 'application/json; charset=utf-8'), { status: 'parsed', reason: null, json: { a: 1 }, size: 7 }],
    ['json suffix', withBody('[]', 'application/problem+json'), { status: 'parsed', json: [] }],
    ['[asks 1] no content type', withBody('{"a":1}', null), { status: 'unparsed', reason: 'no_content_type', json: null, size: 7 }],
    ['text', withBody('{"a":1}', 'text/plain'), { status: 'unparsed', reason: 'content_type', json: null }],
    ['invalid', withBody('{"a":1,"a":2}', 'application/json'), { status: 'unparsed', reason: 'invalid_json', json: null }],
    ['too large', withBody(`"${'a'.repeat(65_536)}"`, 'application/json'), { status: 'unparsed', reason: 'too_large', size: 65_538 }],
    [
      '[asks 17] cut',
      withBody('{"a":', 'application/json', { truncated: true, size: 9000 }),
      { status: 'truncated', json: null, size: 9000 },
    ],
  ])('%s', (_, body, expected) => {
    expect(body).toMatchObject(expected);
  });

  test('a body that the gateway kept for itself is not the same as none', () => {
    expect(receive({ headers: [['content-length', '12']] }).http.body).toMatchObject({ status: 'unparsed', reason: null, size: 12 });
  });
});
