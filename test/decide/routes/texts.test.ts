import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTextNumbers, openTexts } from '../../../src/decide/routes/texts.ts';

const texts = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { maxLength: 200 });

it('finds every text that was numbered by its number, and no other', () => {
  fc.assert(
    fc.property(texts, texts, (numbered, asked) => {
      const numbers = createTextNumbers();
      const known = new Map(numbered.map((text) => [text, numbers.numberOf(text)]));
      const packed = openTexts(numbers.pack());
      for (const [text, number] of known) expect([packed.numberOf(text), packed.at(number)]).toEqual([number, text]);
      for (const text of asked) expect(packed.numberOf(text)).toBe(known.get(text) ?? -1);
    }),
  );
});

it('keeps a text that is no Unicode apart from its replacement', () => {
  const numbers = createTextNumbers();
  numbers.numberOf('\ud800');
  const packed = openTexts(numbers.pack());
  expect(packed.numberOf('\ufffd')).toBe(-1);
  expect(packed.at(packed.numberOf('\ud800'))).toBe('\ud800');
});

it('is empty without one', () => {
  expect(openTexts(createTextNumbers().pack()).numberOf('')).toBe(-1);
});
