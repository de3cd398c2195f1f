import { ASNS_KNOWN, CLIENT_SHAPE, COUNTRIES_KNOWN, EVENTS, HOUR } from '../behaviour/client-record.ts';
import { DEVICE_SHAPE } from '../device/device-record.ts';

/*
 * One client as it lies in Redis, little-endian: its record of behaviour and that of its devices, cell for cell as in memory
 * (floats of both, words of both, halves), then two blocks of 256 bytes a distinct set. A first float of 0 is a record that is not there.
 */

const FLOAT_BYTES = 8;
const WORD_BYTES = 4;
const HALF_BYTES = 2;

export const FLOATS = CLIENT_SHAPE.floats + DEVICE_SHAPE.floats;
export const WORDS = CLIENT_SHAPE.words + DEVICE_SHAPE.words;
/** Where the cells of devices begin. */
export const DEVICE_FLOAT = CLIENT_SHAPE.floats;
export const DEVICE_WORD = CLIENT_SHAPE.words;

export const WORDS_BYTE = FLOATS * FLOAT_BYTES;
export const HALVES_BYTE = WORDS_BYTE + WORDS * WORD_BYTES;
/** Rounded up, so that it can be seen as floats. */
export const RECORD_BYTES = Math.ceil((HALVES_BYTE + CLIENT_SHAPE.halves * HALF_BYTES) / FLOAT_BYTES) * FLOAT_BYTES;
export const BLOCK_BYTES = 256;
/** Two blocks a set: of the running hour and of the one before. */
export const SET_BYTES = 2 * BLOCK_BYTES;

export const EVENTS_BYTE = HALVES_BYTE + EVENTS * HALF_BYTES;
export const COUNTRIES_BYTE = HALVES_BYTE + COUNTRIES_KNOWN * HALF_BYTES;
export const ASNS_BYTE = WORDS_BYTE + ASNS_KNOWN * WORD_BYTES;
export const DEVICES_BYTE = WORDS_BYTE + DEVICE_WORD * WORD_BYTES;

/** Leading words that a look changes; what follows are lists that only learning does. */
export const LOOK_WORDS = ASNS_KNOWN;
/** Leading words that learning changes besides the lists. */
export const LEARN_WORDS = HOUR + 1;

/** Place of a float in the Lua table of a record's leading cells. */
export function luaFloat(float: number): string {
  return `w[${float + 1}]`;
}

/** Place of a word in it, as a number. */
export function luaWordPlace(word: number): number {
  return FLOATS + word + 1;
}

/** A word in it. */
export function luaWord(word: number): string {
  return `w[${luaWordPlace(word)}]`;
}

/** Form of the leading cells for Redis' `struct`. */
export function headForm(words: number): string {
  return `<${'d'.repeat(FLOATS)}${'I4'.repeat(words)}`;
}

/** Bytes that they take. */
export function headBytes(words: number): number {
  return WORDS_BYTE + words * WORD_BYTES;
}
