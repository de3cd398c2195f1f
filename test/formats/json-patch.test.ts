import { expect, test } from 'vitest';
import type { JsonValue } from '../../src/contract/json.ts';
import { applyJsonPatch } from '../../src/formats/json-patch.ts';

// RFC 6902 appendix A, and what its section 4 says beside
test.each<[string, JsonValue, JsonValue, JsonValue]>([
  ['A.1', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
  ['A.2', { foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
  ['A.3', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  ['A.4', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
  ['A.5', { baz: 'qux', foo: 'bar' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo', foo: 'bar' }],
  [
    'A.6',
    { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
    [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
  ],
  [
    'A.7',
    { foo: ['all', 'grass', 'cows', 'eat'] },
    [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
    { foo: ['all', 'cows', 'eat', 'grass'] },
  ],
  [
    'A.8',
    { baz: 'qux', foo: ['a', 2, 'c'] },
    [
      { op: 'test', path: '/baz', value: 'qux' },
      { op: 'test', path: '/foo/1', value: 2 },
    ],
    { baz: 'qux', foo: ['a', 2, 'c'] },
  ],
  ['A.10', { foo: 'bar' }, [{ op: 'add', path: '/child', value: { grandchild: {} } }], { foo: 'bar', child: { grandchild: {} } }],
  ['A.11', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], { foo: 'bar', baz: 'qux' }],
  ['A.14', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
  ['A.16', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }], { foo: ['bar', ['abc', 'def']] }],
  ['the whole', { a: 1 }, [{ op: 'replace', path: '', value: [1] }], [1]],
  ['copy', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
  ['onto itself', { a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
  ['null is a value', { a: null }, [{ op: 'replace', path: '/a', value: null }], { a: null }],
  ['no operation', { a: 1 }, [], { a: 1 }],
])('%s', (_name, document, patch, patched) => {
  const before = structuredClone(document);
  expect(applyJsonPatch(document, patch)).toEqual({ ok: true, value: patched });
  expect(document).toEqual(before);
});

test.each<[string, JsonValue, JsonValue, string, number | null]>([
  ['A.9', { baz: 'qux' }, [{ op: 'test', path: '/baz', value: 'bar' }], 'test_failed', 0],
  ['A.12', { foo: 'bar' }, [{ op: 'add', path: '/baz/bat', value: 'qux' }], 'target_missing', 0],
  ['A.15', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: '10' }], 'test_failed', 0],
  ['what is not there', { a: 1 }, [{ op: 'remove', path: '/b' }], 'target_missing', 0],
  ['what is not there', { a: 1 }, [{ op: 'replace', path: '/b', value: 1 }], 'target_missing', 0],
  ['behind the end', { a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }], 'target_missing', 0],
  ['a leading zero', { a: [1, 2] }, [{ op: 'remove', path: '/a/01' }], 'target_missing', 0],
  ['into itself', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/a/b' }], 'invalid', 0],
  ['no value', { a: 1 }, [{ op: 'add', path: '/b' }], 'invalid', 0],
  ['an unknown word', { a: 1 }, [{ op: 'merge', path: '/a', value: 1 }], 'invalid', 0],
  ['no pointer', { a: 1 }, [{ op: 'add', path: 'a', value: 1 }], 'invalid', 0],
  ['the second', { a: 1 }, [{ op: 'add', path: '/b', value: 1 }, 7], 'invalid', 1],
  ['no list', { a: 1 }, { op: 'add', path: '/b', value: 1 }, 'invalid', null],
  ['the whole taken away', { a: 1 }, [{ op: 'remove', path: '' }], 'invalid', 0],
  ['an inherited name', {}, [{ op: 'test', path: '/toString', value: 1 }], 'test_failed', 0],
])('refused: %s %#', (_name, document, patch, problem, operation) => {
  expect(applyJsonPatch(document, patch)).toEqual({ ok: false, problem, operation });
});

test('a thousand operations at most', () => {
  const one = { op: 'test', path: '/a', value: 1 };
  expect(applyJsonPatch({ a: 1 }, Array(1000).fill(one)).ok).toBe(true);
  expect(applyJsonPatch({ a: 1 }, Array(1001).fill(one)).ok).toBe(false);
});

test('copies that double the whole each time end, and those of a large part do not', () => {
  const doubling = Array.from({ length: 40 }, (_, index) => ({ op: 'copy', from: '', path: `/k${index}` }));
  expect(applyJsonPatch({ a: ['text'] }, doubling)).toMatchObject({ ok: false, problem: 'too_large' });
  const large = { a: Array.from({ length: 100_000 }, (_, index) => `192.0.2.${index}`) };
  expect(applyJsonPatch(large, [{ op: 'copy', from: '/a', path: '/b' }])).toMatchObject({ ok: true });
});
