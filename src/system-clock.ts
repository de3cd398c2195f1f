import type { Clock } from './contract/stages.ts';

/** The machine's own clocks. Tests and replays pass their own instead. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
