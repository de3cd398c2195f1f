import { describe, expect, test } from 'vitest';
import { parseFieldDictionary, parseFieldItem, parseFieldList } from '../../src/formats/structured-fields.ts';

describe('a structured field of many members', () => {
  const members = (count: number) => Array.from({ length: count }, () => 'a').join(',');

  test('is read up to 4,096 delimiters and refused above, whatever they are in', () => {
    expect(parseFieldList(members(4097))).toHaveLength(4097);
    expect(parseFieldList(members(4098))).toBeNull();
    expect(parseFieldList(`(${'a '.repeat(4095)})`)).not.toBeNull();
    expect(parseFieldList(`(${'a '.repeat(4096)})`)).toBeNull();
    expect(parseFieldItem(`a${';b'.repeat(4096)}`)).not.toBeNull();
    expect(parseFieldItem(`a${';b'.repeat(4097)}`)).toBeNull();
    expect(parseFieldDictionary(`a${',\tb'.repeat(2049)}`)).toBeNull();
  });

  test('a long one with few members is read', () => {
    expect(parseFieldItem(`:${'AAAA'.repeat(16_000)}:`)).not.toBeNull();
  });
});
