import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/contract/json.ts';
import { compileAttributes } from '../../../src/enrich/sources/attributes.ts';
import type { AttributeOptions } from '../../../src/enrich/sources/options.ts';

const pick = (answer: JsonValue, type: AttributeOptions['type'] = 'string', optional = false) =>
  compileAttributes({ x: { pointer: '/x', type, optional } })?.({ x: answer });

describe('attributes', () => {
  test.each([
    ['string', 'a'],
    ['string', ''],
    ['string', 'é'.repeat(512)],
    ['number', -1.5],
    ['boolean', false],
    ['strings', []],
    ['strings', Array.from({ length: 64 }, () => 'x')],
  ] as const)('%s %j', (type, value) => {
    expect(pick(value, type)).toEqual({ x: value });
  });

  test.each([
    ['string', 1],
    ['string', ['a']],
    ['string', {}],
    ['number', '1'],
    ['number', true],
    ['boolean', 'true'],
    ['boolean', 0],
    ['strings', 'a'],
    ['strings', ['a', 1]],
    ['strings', ['a', null]],
    ['strings', { 0: 'a', length: 1 }],
  ] as const)('are never made fit: %s %j', (type, value) => {
    expect(pick(value, type)).toBe('attribute_type');
  });

  test.each([
    ['string', 'x'.repeat(1025)],
    ['string', 'é'.repeat(513)],
    ['strings', Array.from({ length: 65 }, () => 'x')],
    ['strings', ['x'.repeat(1025)]],
  ] as const)('are never cut short: %s', (type, value) => {
    expect(pick(value, type)).toBe('attribute_too_large');
  });

  test('that are missing or null make the answer useless, unless they are optional', () => {
    const several = compileAttributes({
      a: { pointer: '/a', type: 'string', optional: true },
      b: { pointer: '/b/0', type: 'number', optional: false },
    });
    expect(several?.({ b: [7] })).toEqual({ a: null, b: 7 });
    expect(several?.({ a: null, b: [7], c: 'not asked for' })).toEqual({ a: null, b: 7 });
    expect(several?.({ a: 'x' })).toBe('attribute_missing');
    expect(several?.({ a: 'x', b: [null] })).toBe('attribute_missing');
    expect(several?.([])).toBe('attribute_missing');
    expect(several?.({ a: 1, b: [7] })).toBe('attribute_type');
  });
});
