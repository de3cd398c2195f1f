/** Requests overtake each other by milliseconds; a clock that was set back goes further. */
const TOLERATED_MS = 1000;
/** After that every window has started afresh, so the clock as it is now is the right one to hold the next request to. */
const FORGOTTEN_MS = 3_600_000;

/** Tells that the clock has gone back: windows take such hits for new ones (see stores/windows.ts), and a policy may want to know. */
export function createClockWatch(): (nowMs: number) => boolean {
  let latestMs = Number.NEGATIVE_INFINITY;
  return (nowMs) => {
    const backMs = latestMs - nowMs;
    if (backMs <= 0 || backMs > FORGOTTEN_MS) latestMs = nowMs;
    return backMs > TOLERATED_MS;
  };
}
