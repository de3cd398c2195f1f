import { describe, expect, test } from 'vitest';
import { JSON_LIMITS, parseJsonBody } from '../../src/endpoints/json-body.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => parseJsonBody(bytes(text), JSON_LIMITS);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const names = (count: number) => `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join(',')}}`;

describe('parseJsonBody refuses what JSON.parse takes', () => {
  test.each([
    ['a duplicate name', '{"a":1,"a":2}', 'body_duplicate_key', 'a'],
    ['a duplicate in another spelling', '{"a":1,"\\u0061":2}', 'body_duplicate_key', 'a'],
    ['a duplicate behind a nested object', '{"a":{"a":1},"b":[{"a":1}],"a":2}', 'body_duplicate_key', 'a'],
    ['a duplicate of an escaped quote', '{"\\"":1,"\\u0022":2}', 'body_duplicate_key', undefined],
    ['a duplicate __proto__', '{"__proto__":1,"__proto__":2}', 'body_duplicate_key', '__proto__'],
    ['a duplicate among many', `{${names(40).slice(1, -1)},"k3":1}`, 'body_duplicate_key', 'k3'],
    ['33 levels', nested(33), 'body_too_deep', undefined],
    ['500,000 levels', '['.repeat(500_000), 'body_too_deep', undefined],
    ['10,001 names', names(10_001), 'body_too_many_keys', undefined],
    ['10,001 names in many objects', `[${Array.from({ length: 10_001 }, () => '{"a":1}').join(',')}]`, 'body_too_many_keys', undefined],
    ['a lone high surrogate', '{"a":"\\ud800"}', 'body_lone_surrogate', undefined],
    ['a lone low surrogate', '["\\udc00"]', 'body_lone_surrogate', undefined],
    ['a lone surrogate in a name', '{"\\uD800":1}', 'body_lone_surrogate', undefined],
    ['two high surrogates', '["\\ud83d\\ud83d\\ude00"]', 'body_lone_surrogate', undefined],
    ['a number beyond a double', '{"exp":1e400}', 'body_invalid_json', undefined],
    ['a negative one', '[-1E999]', 'body_invalid_json', undefined],
    ['a long one', `[${'9'.repeat(400)}]`, 'body_invalid_json', undefined],
    ['a BOM', '\ufeff{}', 'body_invalid_json', undefined],
    ['nothing', '', 'body_empty', undefined],
    ['blanks', '  ', 'body_invalid_json', undefined],
    ['a second value', '{} {}', 'body_invalid_json', undefined],
    ['a closing bracket too many', '{}}', 'body_invalid_json', undefined],
    ['crossed brackets', '{"a":[}]', 'body_invalid_json', undefined],
    ['an open string', '{"a', 'body_invalid_json', undefined],
    ['an escape at the end', '"\\', 'body_invalid_json', undefined],
    ['a comment', '{/*a*/}', 'body_invalid_json', undefined],
    ['a bad escape in a name', '{"\\x":1}', 'body_invalid_json', undefined],
  ])('%s', (_, text, code, field) => {
    const parsed = parse(text);
    expect(parsed).toEqual(field === undefined ? { ok: false, code } : { ok: false, code, field });
  });

  test.each([
    ['a cut sequence', [0x22, 0xc3, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['latin1', [0x22, 0xe9, 0x22]],
  ])('bytes: %s', (_, raw) => {
    expect(parseJsonBody(Uint8Array.from(raw), JSON_LIMITS)).toEqual({ ok: false, code: 'body_invalid_utf8' });
  });

  test('the name of a duplicate is shown only where it is a plain word', () => {
    expect(parse('{"a b":1,"a b":2}')).toEqual({ ok: false, code: 'body_duplicate_key' });
  });
});

describe('parseJsonBody takes', () => {
  test.each([
    nested(32),
    names(10_000),
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
    '["\\ud83d\\ude00","\\\\ud800","\\"","\\\\","\\/","😀"]',
    '{"__proto__":{"x":1},"toString":2}',
    '[1e308,-0.5E-400,0,9007199254740993,123456]',
    ' \n\t{"\\u0000":"\\u0000", "":""} ',
    `{${names(40).slice(1, -1)},"n":{${names(40).slice(1, -1)}}}`,
    `[${names(20)},${names(20)}]`,
  ])('%#', (text) => {
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test('a part of a larger buffer', () => {
    const whole = bytes('xx{"a":1}yy');
    expect(parseJsonBody(whole.subarray(2, 9), JSON_LIMITS)).toEqual({ ok: true, value: { a: 1 } });
  });
});
