import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/contract/json.ts';
import { parseJsonPointer, resolveJsonPointer } from '../../src/formats/json-pointer.ts';

/** RFC 6901 section 5. */
const DOCUMENT: JsonValue = JSON.parse(
  '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8,"__proto__":{"x":9}}',
);

const at = (pointer: string, document: JsonValue = DOCUMENT): JsonValue | undefined =>
  resolveJsonPointer(document, parseJsonPointer(pointer) ?? ['not a pointer']);

describe('JSON Pointer', () => {
  test.each([
    ['', DOCUMENT],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('of the RFC: %j', (pointer, value) => {
    expect(at(pointer)).toEqual(value);
  });

  test.each(['foo', '/~', '/~2', '/a~', '#/foo', ' /foo', '/\ud800', '/a'.repeat(17)])('is none: %j', (text) => {
    expect(parseJsonPointer(text)).toBeNull();
  });

  test.each([
    '/foo/-',
    '/foo/2',
    '/foo/00',
    '/foo/01',
    '/foo/-1',
    '/foo/1e0',
    '/foo/length',
    '/foo/0/0',
    '/nothing',
    '/foo/ 0',
    '/toString',
    '/constructor/name',
  ])('leads nowhere: %j', (pointer) => {
    expect(at(pointer)).toBeUndefined();
  });

  test('~01 is ~1 and no slash; names of prototypes are names like others', () => {
    expect(at('/a~01b', { 'a~1b': true, 'a/b': false })).toBe(true);
    expect(at('/__proto__/x')).toBe(9);
    expect(at('/__proto__/toString')).toBeUndefined();
  });

  test('null and false are values', () => {
    expect(at('/a', { a: null })).toBeNull();
    expect(at('/a', { a: false })).toBe(false);
    expect(at('/a/b', { a: null })).toBeUndefined();
  });
});
