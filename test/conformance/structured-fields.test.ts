import { type BareItem, DisplayString, type InnerList, type Item, type Parameters, Token } from 'structured-headers';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bytesOf, fieldText, parseFieldDictionary, parseFieldItem, parseFieldList } from '../../src/formats/structured-fields.ts';
import { vectorCases } from '../support/vectors.ts';

const schema = z.object({
  id: z.string(),
  raw: z.array(z.string()),
  header_type: z.enum(['item', 'list', 'dictionary']),
  expected: z.unknown().optional(),
  must_fail: z.boolean().optional(),
  can_fail: z.boolean().optional(),
});

const FILES = ['binary', 'boolean', 'dictionary', 'examples', 'item', 'key-generated', 'list', 'listlist', 'number', 'param-dict'];

describe.each([...FILES, 'param-list', 'param-listlist', 'string', 'token'])('structured fields: %s', (file) => {
  const cases = vectorCases('structured-fields', `${file}.json`, schema);
  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, one) => {
    const parsed = parse(fieldText(one.raw), one.header_type);
    if (one.must_fail === true) expect(parsed).toBeNull();
    else if (one.can_fail !== true || parsed !== null) expect(parsed).toEqual(one.expected);
  });
});

/** In the form of the vectors. */
function parse(text: string, type: 'item' | 'list' | 'dictionary'): unknown {
  if (type === 'list') return parseFieldList(text)?.map(member) ?? null;
  if (type === 'item') {
    const found = parseFieldItem(text);
    return found === null ? null : member(found);
  }
  const found = parseFieldDictionary(text);
  return found === null ? null : [...found].map(([key, value]) => [key, member(value)]);
}

function member([value, parameters]: Item | InnerList): unknown {
  return [Array.isArray(value) ? value.map(member) : bare(value), named(parameters)];
}

function named(parameters: Parameters): unknown {
  return [...parameters].map(([key, value]) => [key, bare(value)]);
}

function bare(value: BareItem): unknown {
  const bytes = bytesOf(value);
  if (bytes !== null) return { __type: 'binary', value: base32(bytes) };
  if (value instanceof Token) return { __type: 'token', value: value.toString() };
  if (value instanceof DisplayString) return { __type: 'displaystring', value: value.toString() };
  // JSON has no negative zero
  if (value === 0) return 0;
  return value instanceof Date ? { __type: 'date', value: value.getTime() / 1000 } : value;
}

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{1,5}/g) ?? []).map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five.padEnd(5, '0'), 2)]);
  return letters.join('').padEnd(Math.ceil(letters.length / 8) * 8, '=');
}
