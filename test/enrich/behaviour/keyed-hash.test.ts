import { expect, test } from 'vitest';
import { KeyedHash } from '../../../src/enrich/behaviour/keyed-hash.ts';

/** `vectors_hsip64` of https://github.com/veorq/SipHash: input bytes 0, 1, 2, …, key bytes 0 to 7; those of even lengths, since texts are read two bytes a unit. */
const VECTORS = [
  [0, '218d1f59b9b83cc8'],
  [2, '064f39ef7c50eb57'],
  [4, 'd5e78a175be52ea1'],
  [6, 'ce3e91358aa2bc25'],
  [8, 'edfee820bce4858c'],
  [10, '95b0469f06a6f2ee'],
  [12, '7bc71f9faef5c799'],
  [14, '3bb1a870eae8e658'],
  [16, '7336aad25f7bf3b5'],
] as const;

const hex = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
};

test.each(VECTORS)('%i bytes', (length, wanted) => {
  const hash = new KeyedHash([0x03020100, 0x07060504]);
  const text = Buffer.from(Array.from({ length }, (_, index) => index)).toString('utf16le');
  hash.text('', text);
  expect(hex(hash.low) + hex(hash.high)).toBe(wanted);
  const middle = text.length >> 1;
  hash.text(text.slice(0, middle), text.slice(middle));
  expect(hex(hash.low) + hex(hash.high)).toBe(wanted);
});

test('a number is its four bytes', () => {
  const hash = new KeyedHash([0x03020100, 0x07060504]);
  hash.number(0x03020100);
  expect(hex(hash.low) + hex(hash.high)).toBe('d5e78a175be52ea1');
});

test('another key is another hash', () => {
  const [one, other] = [new KeyedHash([1, 2]), new KeyedHash([1, 3])];
  one.text('a', 'b');
  other.text('a', 'b');
  expect([one.high, one.low]).not.toEqual([other.high, other.low]);
});
