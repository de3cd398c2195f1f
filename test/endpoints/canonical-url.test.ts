import { describe, expect, test } from 'vitest';
import { canonicalHost, canonicalTarget } from '../../src/endpoints/canonical-url.ts';

type Row = [target: string, path: string, ambiguous: boolean, flags: string[]];

const ROWS: Row[] = [
  ['/', '/', false, []],
  ['', '/', false, []],
  ['*', '*', false, []],
  ['/payments/42?x=1', '/payments/42', false, []],
  ['/a/', '/a', false, []],
  ['/a%2Eb/%7Euser', '/a.b/~user', false, []],
  ['/.well-known/x', '/.well-known/x', false, []],
  ['/caf%C3%A9', '/café', false, []],
  ['/a/../b', '/b', false, ['path_dot_segments']],
  ['/a/./b', '/a/b', false, ['path_dot_segments']],
  ['/../../etc', '/etc', false, ['path_dot_segments']],
  ['/a//b', '/a/b', false, ['path_double_slash']],
  ['/a;v=1/b', '/a;v=1/b', false, ['path_parameters']],
  ['//evil/admin', '/evil/admin', true, ['path_double_slash']],
  ['/a//../b', '/b', true, ['path_dot_segments', 'path_double_slash']],
  ['/public/..;/admin', '/public/..;/admin', true, ['path_parameters']],
  ['/public/..%3B/admin', '/public/..;/admin', true, ['path_parameters']],
  ['/public/;/admin', '/public/;/admin', true, ['path_parameters']],
  ['/a/%2e%2e/b', '/b', true, ['path_encoded_dot', 'path_dot_segments']],
  ['/a/.%2E/b', '/b', true, ['path_encoded_dot', 'path_dot_segments']],
  ['/a%2fb', '/a/b', true, ['path_encoded_slash']],
  ['/public%2F..%2Fadmin', '/admin', true, ['path_encoded_slash', 'path_dot_segments']],
  ['/a%5c..%5cb', '/a\\..\\b', true, ['path_encoded_backslash']],
  ['/a\\b', '/a\\b', true, ['path_backslash']],
  ['/a%252e', '/a%2e', true, ['path_double_encoded']],
  ['/a%25%32%65', '/a%2e', true, ['path_double_encoded']],
  ['/100%25', '/100%', false, []],
  ['/a%00.json', '/a\0.json', true, ['path_nul']],
  ['/a%0d%0ab', '/a\r\nb', true, ['path_control']],
  ['/ad\tmin', '/ad\tmin', true, ['path_control']],
  ['/%c0%ae%c0%ae/x', '/\ufffd\ufffd\ufffd\ufffd/x', true, ['path_invalid_utf8']],
  ['/%ed%a0%80', '/\ufffd\ufffd\ufffd', true, ['path_invalid_utf8']],
  ['/a\ud800', '/a\ufffd', true, ['path_invalid_utf8']],
  ['/%zz', '/%zz', true, ['path_invalid_encoding']],
  ['/%u002e', '/%u002e', true, ['path_invalid_encoding']],
  ['/a%', '/a%', true, ['path_invalid_encoding']],
  ['/a#/../admin', '/a', true, ['path_fragment']],
  ['http://other.example/x?y', '/x', false, ['path_absolute_form']],
  ['http://other.example', '/', false, ['path_absolute_form']],
  ['admin', '/admin', true, ['path_form_unknown']],
  [`/${'a'.repeat(8190)}😀`, `/${'a'.repeat(8190)}\ufffd`, true, ['path_too_long']],
  [`/${'a'.repeat(9000)}`, `/${'a'.repeat(8191)}`, true, ['path_too_long']],
  ['/x?a=%zz', '/x', false, ['query_invalid_encoding']],
  ['/x?a=1&a=2', '/x', false, ['query_duplicate_key']],
];

describe('canonicalTarget', () => {
  test.each(ROWS)('%s', (target, path, ambiguous, flags) => {
    const read = canonicalTarget(target);
    expect({ path: read.path, ambiguous: read.ambiguous, flags: [...read.flags].sort() }).toEqual({ path, ambiguous, flags: flags.sort() });
  });

  test('the raw path stays as it came, without its query', () => {
    expect(canonicalTarget('/a/%2E%2e/b?q=/c').pathRaw).toBe('/a/%2E%2e/b');
  });

  test('query: decoded once, plus is a space, order kept, names without value are empty', () => {
    const { query } = canonicalTarget('/x?a=1%2B1&b=x+y&a=&c&__proto__=z&%3D=%26');
    expect([...query]).toEqual([
      ['a', ['1+1', '']],
      ['b', ['x y']],
      ['c', ['']],
      ['__proto__', ['z']],
      ['=', ['&']],
    ]);
  });

  test('caps: 64 pairs, 64 segments; what was cut is told', () => {
    const query = Array.from({ length: 70 }, (_, index) => `k${index}=v`).join('&');
    const long = canonicalTarget(`${'/s'.repeat(70)}?${query}`);
    expect(long.query.size).toBe(64);
    expect(long.segments).toHaveLength(64);
    expect(long.flags).toEqual(['query_capped', 'segments_capped']);
    expect(long.ambiguous).toBe(true);
  });

  test('[asks 12] an encoded path matches as its decoded form, and a query never is a path', () => {
    expect(canonicalTarget('/orders/%7B1%7D?x=/admin')).toMatchObject({
      path: '/orders/{1}',
      segments: ['orders', '{1}'],
      ambiguous: false,
    });
  });

  test('[asks 99] variants with and without a trailing slash are one path', () => {
    expect(canonicalTarget('/mcp/').path).toBe(canonicalTarget('/mcp').path);
  });
});

describe('canonicalHost', () => {
  test.each([
    ['API.Example.com.', 'api.example.com', null],
    ['api.example.com:8443', 'api.example.com', 8443],
    ['api.example.com:', 'api.example.com', null],
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['[2001:DB8:0:0::1]:443', '[2001:db8::1]', 443],
    ['my_service', 'my_service', null],
    ['', '', null],
  ])('%s', (authority, host, port) => {
    expect(canonicalHost(authority)).toEqual({ host, port, flags: [] });
  });

  test.each(['user@host', 'a b', 'host:99999', 'host:8o', 'a..b', '.', 'ho%73t', 'höst', '[::1', '[::1]x', '[zz]', 'a,b', 'x'.repeat(300)])(
    '%s is refused',
    (authority) => {
      expect(canonicalHost(authority)).toEqual({ host: '', port: null, flags: ['host_invalid'] });
    },
  );
});
