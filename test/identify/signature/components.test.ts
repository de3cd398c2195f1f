import { describe, expect, test, vi } from 'vitest';
import type { HttpFacts, RequestFlag } from '../../../src/contract/request.ts';
import { signatureBase } from '../../../src/identify/signature/signature-base.ts';
import { parseSignatures } from '../../../src/identify/signature/signature-fields.ts';
import { httpFacts } from '../bound.ts';

/* Values of components: the examples of RFC 9421 section 2, and what is refused. */

type Facts = Partial<HttpFacts> & { readonly flags?: RequestFlag[]; readonly hidden?: Record<string, string[]> };
const ORIGIN = { scheme: 'https', authority: 'www.example.com' };

/** The base's lines without that of the parameters, or the code. */
function linesOf(
  list: string,
  { flags = [], hidden = {}, ...facts }: Facts = {},
  origin: typeof ORIGIN | null = ORIGIN,
): string[] | string {
  const offer = { input: [`sig=(${list});created=1`], signature: ['sig=:AA==:'], hidden: new Map(), body: null };
  const parsed = parseSignatures(offer, 8192, () => true);
  const signature = typeof parsed === 'string' ? parsed : parsed[0];
  if (signature === undefined || typeof signature === 'string') return signature ?? 'none';
  const base = signatureBase(signature, { http: httpFacts(facts), hidden: new Map(Object.entries(hidden)), flags }, origin);
  return typeof base === 'string' ? base : base.toString().split('\n').slice(0, -1);
}

const headers = (fields: Record<string, string[]>): Facts => ({ headers: new Map(Object.entries(fields)) });

describe('fields (RFC 9421 section 2.1)', () => {
  test.each([
    ['lines are joined', '"cache-control"', { 'cache-control': ['max-age=60', '   must-revalidate'] }, 'max-age=60, must-revalidate'],
    [
      'white space around a value goes',
      '"x-ows-header"',
      { 'x-ows-header': ['   Leading and trailing whitespace.   '] },
      'Leading and trailing whitespace.',
    ],
    ['an empty value is one', '"x-empty-header"', { 'x-empty-header': [''] }, ''],
    [
      'a dictionary as it came',
      '"example-dict"',
      { 'example-dict': ['a=1,    b=2;x=1;y=2,   c=(a   b   c)'] },
      'a=1,    b=2;x=1;y=2,   c=(a   b   c)',
    ],
    ['a member', '"example-dict";key="c"', { 'example-dict': ['  a=1, b=2;x=1;y=2, c=(a   b    c), d'] }, '(a b c)'],
    ['a member with parameters', '"example-dict";key="b"', { 'example-dict': ['  a=1, b=2;x=1;y=2, c=(a   b    c), d'] }, '2;x=1;y=2'],
    ['a member that is true', '"example-dict";key="d"', { 'example-dict': ['  a=1, b=2;x=1;y=2, c=(a   b    c), d'] }, '?1'],
    ['a structured field', '"content-digest";sf', { 'content-digest': ['sha-256=:AAAA:  ,   x=(1   2)'] }, 'sha-256=:AAAA:, x=(1 2)'],
    [
      'the bytes of lines',
      '"example-header";bs',
      { 'example-header': ['value, with, lots', 'of, commas'] },
      ':dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:',
    ],
    [
      'the bytes of one line',
      '"example-header";bs',
      { 'example-header': ['value, with, lots, of, commas'] },
      ':dmFsdWUsIHdpdGgsIGxvdHMsIG9mLCBjb21tYXM=:',
    ],
  ])('%s', (_, identifier, fields, value) => {
    expect(linesOf(identifier, headers(fields))).toEqual([`${identifier}: ${value}`]);
  });

  test('a credential is covered by its value, and a signature by another one', () => {
    expect(linesOf('"authorization"', { hidden: { authorization: ['Bearer abc'] } })).toEqual(['"authorization": Bearer abc']);
    expect(linesOf('"signature";key="one"', { hidden: { signature: ['one=:AAAA:, two=:AA==:'] } })).toEqual([
      '"signature";key="one": :AAAA:',
    ]);
  });

  test.each([
    ['a field that is not there', '"x-none"', {}, 'signature_component_missing'],
    ['a member that is not there', '"example-dict";key="z"', headers({ 'example-dict': ['a=1'] }), 'signature_component_missing'],
    ['a member of what is no dictionary', '"date";key="a"', headers({ date: ['Tue, 20 Apr 2021'] }), 'signature_component_invalid'],
    ['a member that is there twice', '"example-dict";key="a"', headers({ 'example-dict': ['a=1, a=2'] }), 'signature_component_invalid'],
    ['a strict dictionary that names something twice', '"priority";sf', headers({ priority: ['u=1, u=2'] }), 'signature_component_invalid'],
    ['a line break in a value', '"x-a"', headers({ 'x-a': ['1\n"@method": GET'] }), 'signature_component_invalid'],
    ['a value beyond ASCII', '"x-a"', headers({ 'x-a': ['caf\u00e9'] }), 'signature_component_invalid'],
    ['a strict field whose type is not known', '"x-a";sf', headers({ 'x-a': ['1'] }), 'signature_component_unsupported'],
    [
      'bytes of lines that did not come as they are',
      '"x-a";bs',
      { ...headers({ 'x-a': ['caf\u00e9'] }), flags: ['header_not_utf8'] },
      'signature_component_unsupported',
    ],
    [
      'lines of which some were cut off',
      '"x-a"',
      { ...headers({ 'x-a': ['1'] }), flags: ['header_values_capped'] },
      'signature_component_unsupported',
    ],
    ['a trailer', '"x-a";tr', headers({ 'x-a': ['1'] }), 'signature_component_unsupported'],
    ['the request of a response', '"x-a";req', headers({ 'x-a': ['1'] }), 'signature_component_unsupported'],
    ['a parameter that is not known', '"x-a";x', headers({ 'x-a': ['1'] }), 'signature_component_unsupported'],
    ['bytes and members at once', '"x-a";bs;key="a"', headers({ 'x-a': ['a=1'] }), 'signature_component_unsupported'],
    ['sf that is false', '"x-a";sf=?0', headers({ 'x-a': ['1'] }), 'signature_component_unsupported'],
    ['a name in upper case', '"X-A"', headers({ 'x-a': ['1'] }), 'signature_component_unsupported'],
    ['a name that is a token', 'x-a', headers({ 'x-a': ['1'] }), 'signature_malformed'],
    ['an identifier twice', '"x-a" "x-a"', headers({ 'x-a': ['1'] }), 'signature_component_repeated'],
    [
      'an identifier twice in another order',
      '"x-a";key="a";sf "x-a";sf;key="a"',
      headers({ 'x-a': ['a=1'] }),
      'signature_component_repeated',
    ],
  ] satisfies [string, string, Facts, string][])('%s is refused', (_, identifier, facts, code) => {
    expect(linesOf(identifier, facts)).toBe(code);
  });
});

describe('derived components (RFC 9421 section 2.2)', () => {
  const target: Facts = { method: 'POST', pathRaw: '/path', queryRaw: 'param=value&foo=bar&baz=bat%2Dman' };
  test.each([
    ['"@method"', target, 'POST'],
    ['"@method"', { method: 'poST' }, 'poST'],
    ['"@target-uri"', target, 'https://www.example.com/path?param=value&foo=bar&baz=bat%2Dman'],
    ['"@authority"', target, 'www.example.com'],
    ['"@scheme"', target, 'https'],
    ['"@request-target"', target, '/path?param=value&foo=bar&baz=bat%2Dman'],
    ['"@request-target"', { pathRaw: '*' }, '*'],
    ['"@path"', target, '/path'],
    ['"@path"', { pathRaw: '' }, '/'],
    ['"@path"', { pathRaw: '/a/../%2e/b' }, '/a/../%2e/b'],
    ['"@query"', target, '?param=value&foo=bar&baz=bat%2Dman'],
    ['"@query"', { queryRaw: 'queryString' }, '?queryString'],
    ['"@query"', { queryRaw: '' }, '?'],
    ['"@query"', { queryRaw: null }, '?'],
    ['"@target-uri"', { pathRaw: '/a', queryRaw: '' }, 'https://www.example.com/a?'],
    ['"@query-param";name="baz"', { queryRaw: 'param=value&foo=bar&baz=batman&qux=' }, 'batman'],
    ['"@query-param";name="qux"', { queryRaw: 'param=value&foo=bar&baz=batman&qux=' }, ''],
    ['"@query-param";name="var"', { queryRaw: 'var=this%20is%20a%20big%0Amultiline%20value' }, 'this%20is%20a%20big%0Amultiline%20value'],
    ['"@query-param";name="bar"', { queryRaw: 'bar=with+plus+whitespace' }, 'with%20plus%20whitespace'],
    ['"@query-param";name="fa%C3%A7ade%22%3A%20"', { queryRaw: 'fa%C3%A7ade%22%3A%20=something' }, 'something'],
    ['"@query-param";name="a"', { queryRaw: "a=!'()~*-._%2b" }, '%21%27%28%29%7E*-._%2B'],
    ['"@query-param";name="a"', { queryRaw: 'b=1;a=2&a=%EF%BB%BFx' }, '%EF%BB%BFx'],
  ] satisfies [string, Facts, string][])('%s of %j', (identifier, facts, value) => {
    expect(linesOf(identifier, facts)).toEqual([`${identifier}: ${value}`]);
  });

  test.each([
    ['a status', '"@status"', {}, 'signature_component_unsupported'],
    ['one that is not known', '"@client"', {}, 'signature_component_unsupported'],
    ['the parameters themselves', '"@signature-params"', {}, 'signature_component_unsupported'],
    ['a parameter without a name', '"@query-param"', {}, 'signature_component_unsupported'],
    ['a name for what has none', '"@path";name="a"', {}, 'signature_component_unsupported'],
    ['a derived one as a structured field', '"@path";sf', {}, 'signature_component_unsupported'],
    ['a query parameter that is not there', '"@query-param";name="b"', { queryRaw: 'a=1' }, 'signature_component_missing'],
    ['a query parameter that is there twice', '"@query-param";name="a"', { queryRaw: 'a=1&a=2' }, 'signature_component_invalid'],
    [
      'a query parameter that is there twice, encoded otherwise',
      '"@query-param";name="a"',
      { queryRaw: 'a=1&%61=2' },
      'signature_component_invalid',
    ],
    ['a query parameter that is no text', '"@query-param";name="a"', { queryRaw: 'a=%FF' }, 'signature_component_invalid'],
    ['a name that is not encoded as it should be', '"@query-param";name="a b"', { queryRaw: 'a%20b=1' }, 'signature_component_missing'],
    ['a method that is none', '"@method"', { method: '' }, 'signature_component_invalid'],
    ['a target that was cut', '"@path"', { flags: ['path_too_long'] }, 'signature_component_unsupported'],
    ['a target with a fragment', '"@query"', { flags: ['path_fragment'] }, 'signature_component_unsupported'],
    ['the whole target in absolute form', '"@request-target"', { flags: ['path_absolute_form'] }, 'signature_component_unsupported'],
    ['a path that is none', '"@path"', { pathRaw: '*' }, 'signature_component_unsupported'],
    ['a path beyond ASCII', '"@path"', { pathRaw: '/caf\u00e9' }, 'signature_component_invalid'],
  ] satisfies [string, string, Facts, string][])('%s is refused', (_, identifier, facts, code) => {
    expect(linesOf(identifier, facts)).toBe(code);
  });

  test.each(['"@authority"', '"@scheme"', '"@target-uri"'])('%s is not known without an origin', (identifier) => {
    expect(linesOf(identifier, {}, null)).toBe('public_origin_unknown');
  });
});

describe('what a stranger can make us do', () => {
  const members = (count: number, one: (at: number) => string): string => Array.from({ length: count }, (_, at) => one(at)).join(' ');

  test('a long query is taken apart once, however many of its parameters are covered', () => {
    const parse = vi.spyOn(globalThis, 'URLSearchParams');
    const covered = members(64, (at) => `"@query-param";name="a${at}"`);
    const lines = linesOf(covered, { queryRaw: Array.from({ length: 3000 }, (_, at) => `a${at}=1`).join('&') });
    expect(lines).toHaveLength(64);
    expect(parse).toHaveBeenCalledTimes(1);
    parse.mockRestore();
  });

  test('a long field is taken apart once, however many of its members are covered', () => {
    const field = [Array.from({ length: 1000 }, (_, at) => `a${at}`).join(',')];
    const read = vi.spyOn(field, 'map');
    expect(
      linesOf(
        members(64, (at) => `"x-long";key="a${at}"`),
        headers({ 'x-long': field }),
      ),
    ).toHaveLength(64);
    expect(read).toHaveBeenCalledTimes(1);
  });

  // by an expression this took minutes
  test('blanks within a line cost no more than other characters', () => {
    const value = `a${' '.repeat(500_000)}b`;
    expect(linesOf('"x-blanks"', headers({ 'x-blanks': [` \t${value}\t `] }))).toEqual([`"x-blanks": ${value}`]);
  });

  test('a parameter whose name is no UTF-8 cannot be covered: another one would do as well', () => {
    expect(linesOf('"@query-param";name="%EF%BF%BD"', { queryRaw: '%ff=1' })).toBe('signature_component_missing');
    expect(linesOf('"@query-param";name="%EF%BF%BD"', { queryRaw: '%ff=1&%fe=2' })).toBe('signature_component_missing');
  });
});
