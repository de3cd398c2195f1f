import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/contract/json.ts';
import { maskEvent, parseMaskRules } from '../../src/record/mask-event.ts';

const event: JsonObject = {
  input: { subject: { id: 'agent-7' }, list: ['a', { b: 1 }, 'c'], 'odd/name': 1, text: 'x' },
  result: { effect: 'deny', address: '203.0.113.7' },
};

function mask(said: unknown, on: JsonObject = event) {
  const rules = parseMaskRules(said);
  if (rules === null) throw new Error('no rules');
  return maskEvent(on, rules);
}

describe('the rules of a mask', () => {
  it.each<[string, JsonValue]>([
    ['no list', { '/input': true }],
    ['a place that may not be masked', ['/labels/id']],
    ['a text that is no pointer', ['input/subject']],
    ['an empty one', ['']],
    ['an unknown operation', [{ op: 'hide', path: '/input' }]],
    ['an object without a path', [{ op: 'remove' }]],
    ['an object without an operation', [{ path: '/input' }]],
    ['a number', [1]],
    ['a broken escape', ['/input/%zz']],
    ['one bad among good ones', ['/input/text', 7]],
  ])('are not read from %s', (_what, said) => {
    expect(parseMaskRules(said)).toBeNull();
  });
});

describe('a mask', () => {
  it('leaves what it was given as it was', () => {
    const before = structuredClone(event);
    mask(['/input/subject/id', { op: 'upsert', path: '/input/list/1/b', value: 2 }]);
    expect(event).toEqual(before);
  });

  it.each<[string, JsonValue, JsonObject]>([
    ['a member', ['/input/subject/id'], { event: { input: { subject: {} } }, erased: ['/input/subject/id'], masked: [] }],
    ['an item of a list', ['/input/list/1'], { event: { input: { list: ['a', 'c'] } }, erased: ['/input/list/1'], masked: [] }],
    ['the whole input', ['/input'], { event: { result: { effect: 'deny' } }, erased: ['/input'], masked: [] }],
    ['what is escaped', ['/input/odd~1name'], { erased: ['/input/odd~1name'], masked: [] }],
    [
      'nothing that is not there',
      ['/input/none/x', '/input/text/x', '/input/list/3', '/nd_builtin_cache'],
      { event, erased: [], masked: [] },
    ],
    [
      'a value for another',
      [{ op: 'upsert', path: '/input/subject/id', value: { kind: 'agent' } }],
      { event: { input: { subject: { id: { kind: 'agent' } } } }, erased: [], masked: ['/input/subject/id'] },
    ],
    [
      'a value where there was none',
      [{ op: 'upsert', path: '/input/new/deep', value: 1 }],
      { event: { input: { new: { deep: 1 } } }, masked: ['/input/new/deep'] },
    ],
    ['no item that is not there', [{ op: 'upsert', path: '/input/list/9', value: 1 }], { event, masked: [] }],
    ['no member of a text', [{ op: 'upsert', path: '/input/text/x', value: 1 }], { event, masked: [] }],
  ])('takes or puts %s', (_what, said, expected) => {
    expect(mask(said)).toMatchObject(expected);
  });

  it('takes members away and does not hide them', () => {
    expect(mask(['/input/subject', '/input']).event).toEqual({ result: event['result'] });
    expect(Object.keys(Object(mask(['/result/address']).event['result']))).toEqual(['effect']);
  });

  it('cannot reach the prototype', () => {
    const { event: shown } = mask([{ op: 'upsert', path: '/input/__proto__/polluted', value: 1 }]);
    expect([Object.getPrototypeOf(shown['input']), Object.hasOwn(Object.prototype, 'polluted')]).toEqual([Object.prototype, false]);
  });

  it('makes no input where none is kept', () => {
    expect(mask([{ op: 'upsert', path: '/input/x', value: 1 }], { result: {} })).toEqual({ event: { result: {} }, erased: [], masked: [] });
  });
});
