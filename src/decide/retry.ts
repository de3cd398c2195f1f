import type { Clock } from '../contract/stages.ts';

/** What is tried costs a core for a moment, so seldom: after half a minute, then after twice as long each time, up to ten minutes. */
const RETRY_MS = 30_000;
const RETRY_MS_MAX = 600_000;
const DOUBLINGS_MAX = 8;

/** One thing that is done again later, as long as it fails for a reason that may pass. */
export interface Retry {
  /** Does the work later, and still later the more often this was called since `done`; takes the place of what waits. */
  later(work: () => void): void;
  /** Does the work now, and later again until it says true; it never rejects. */
  until(work: () => Promise<boolean>): void;
  /** It went well, or there is nothing to do any more: the next time is soon again. */
  done(): void;
  /** Leaves what waits undone. */
  stop(): void;
  /** When it is done again, unix milliseconds; null where nothing waits. */
  atMs(): number | null;
}

/** Milliseconds until it is tried again that failed so often after the first time. */
export function retryDelayMs(retries: number, firstMs = RETRY_MS): number {
  return Math.min(RETRY_MS_MAX, firstMs * 2 ** Math.min(retries, DOUBLINGS_MAX));
}

/** Nothing waits at first; what waits keeps no process alive. */
export function createRetry(clock: Clock, firstMs?: number): Retry {
  let retries = 0;
  let waiting: { readonly timer: NodeJS.Timeout; readonly atMs: number } | null = null;
  const stop = (): void => {
    if (waiting !== null) clearTimeout(waiting.timer);
    waiting = null;
  };
  const retry: Retry = {
    later(work) {
      stop();
      const delayMs = retryDelayMs(retries, firstMs);
      retries += 1;
      const timer = setTimeout(() => {
        waiting = null;
        work();
      }, delayMs);
      timer.unref();
      waiting = { timer, atMs: clock.now() + delayMs };
    },
    until(work) {
      void work().then((well) => (well ? retry.done() : retry.later(() => retry.until(work))));
    },
    done() {
      stop();
      retries = 0;
    },
    stop,
    atMs: () => waiting?.atMs ?? null,
  };
  return retry;
}

/** All that a slot does again. */
export interface SlotRetries {
  /** Other data over what is active. */
  readonly refreshing: Retry;
  /** A bundle that waited for other data. */
  readonly offering: Retry;
  /** The source offers again what could not be used, in so many milliseconds at the least; null: it does not. */
  readonly retrying: (inMs: number | null) => void;
  readonly stop: () => void;
  /** When each is done again, unix milliseconds. */
  atMs(): readonly (number | null)[];
}

/** Nothing waits at first. @param firstMs until the first time. */
export function createSlotRetries(clock: Clock, firstMs?: number): SlotRetries {
  const [refreshing, offering] = [createRetry(clock, firstMs), createRetry(clock, firstMs)];
  let sourceAtMs: number | null = null;
  return {
    refreshing,
    offering,
    retrying(inMs) {
      sourceAtMs = inMs === null ? null : clock.now() + inMs;
    },
    stop() {
      refreshing.stop();
      offering.stop();
    },
    atMs: () => [sourceAtMs, refreshing.atMs(), offering.atMs()],
  };
}
