import { hashOfText, sharedInts, sharedZeros, slotsFor } from './hash.ts';

/** Texts by number, each there once. */
export type PackedTexts = {
  /** The UTF-16 code units of all of them, one after the other. */
  readonly units: Uint16Array;
  /** Where each begins in `units`, and at last where the last one ends. */
  readonly starts: Int32Array;
  readonly hashes: Int32Array;
  /** Number of the text and one, by its hash; 0 where nothing is. */
  readonly slots: Int32Array;
};

/** Gives texts their numbers, in the order of their coming. */
export interface TextNumbers {
  numberOf(text: string): number;
  pack(): PackedTexts;
}

/** Nothing has a number at first. */
export function createTextNumbers(): TextNumbers {
  const numbers = new Map<string, number>();
  return {
    numberOf(text) {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, numbers.size);
      return numbers.size - 1;
    },
    pack() {
      const texts = [...numbers.keys()];
      const starts = [0];
      for (const text of texts) starts.push((starts.at(-1) ?? 0) + text.length);
      const units = new Uint16Array(new SharedArrayBuffer((starts.at(-1) ?? 0) * Uint16Array.BYTES_PER_ELEMENT));
      const hashes = sharedInts(texts.map(hashOfText));
      const slots = sharedZeros(slotsFor(texts.length));
      const mask = slots.length - 1;
      texts.forEach((text, number) => {
        const start = starts[number] ?? 0;
        for (let index = 0; index < text.length; index++) units[start + index] = text.charCodeAt(index);
        let slot = (hashes[number] ?? 0) & mask;
        while (slots[slot] !== 0) slot = (slot + 1) & mask;
        slots[slot] = number + 1;
      });
      return { units, starts: sharedInts(starts), hashes, slots };
    },
  };
}

/** Reads packed texts. */
export interface Texts {
  /** -1 where the text has none. */
  numberOf(text: string): number;
  /** The empty text where nothing has the number. */
  at(number: number): string;
}

/** Copies nothing. */
export function openTexts({ units, starts, hashes, slots }: PackedTexts): Texts {
  const mask = slots.length - 1;
  const bytes = Buffer.from(units.buffer, units.byteOffset, units.byteLength);

  function isAt(number: number, text: string): boolean {
    const start = starts[number] ?? 0;
    if ((starts[number + 1] ?? 0) - start !== text.length) return false;
    for (let index = 0; index < text.length; index++) if (units[start + index] !== text.charCodeAt(index)) return false;
    return true;
  }

  return {
    numberOf(text) {
      const hash = hashOfText(text);
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const number = (slots[slot] ?? 0) - 1;
        if (number === -1) return -1;
        if (hashes[number] === hash && isAt(number, text)) return number;
      }
    },
    at: (number) => bytes.toString('utf16le', (starts[number] ?? 0) * 2, (starts[number + 1] ?? 0) * 2),
  };
}
