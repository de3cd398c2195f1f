import { SEEN_WORDS } from './seen-devices.ts';

/* Where each number of a client's devices lies in its record. Times are unix milliseconds. */

/** Floats: last use, first use. */
export const FIRST = 1;
/** Words: times allowed, then the devices. */
export const TIMES_ALLOWED = 0;
export const SEEN = 1;

export const DEVICE_SHAPE = { floats: 2, words: SEEN + SEEN_WORDS, halves: 0 };
