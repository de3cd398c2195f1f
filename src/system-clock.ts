import type { Clock } from './contract/stages.ts';

/** The machine's own clocks. Tests and replays pass their own instead. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** How long the event loop of this thread has waited for something to do since the start, milliseconds. */
export function loopIdleMs(): number {
  return performance.nodeTiming.idleTime;
}
