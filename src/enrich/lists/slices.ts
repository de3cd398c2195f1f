import { setImmediate } from 'node:timers/promises';

/** Cuts long work, so that requests are answered in between. */
export interface Slices {
  /** True where this turn of the event loop has had its share. */
  over(): boolean;
  /** Lets the event loop go round once. */
  next(): Promise<void>;
}

/** What one turn may take: requests that come meanwhile wait that much longer at most. */
const SLICE_MS = 2;

/** `over` costs a reading of the clock: to be asked every thousand steps or so. */
export function createSlices(monotonic: () => number, sliceMs: number = SLICE_MS): Slices {
  let untilMs = monotonic() + sliceMs;
  return {
    over: () => monotonic() >= untilMs,
    async next() {
      await setImmediate();
      untilMs = monotonic() + sliceMs;
    },
  };
}

/** For a process that has nothing else to do. */
export const UNSLICED: Slices = { over: () => false, next: () => Promise.resolve() };
