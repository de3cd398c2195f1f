import { retryDelayMs } from '../retry.ts';
import type { BundleSource, FoundBundle } from './source.ts';

/** What becomes of what a source has. None of them rejects. */
export type Follower = {
  /** Another bundle is there. `again`: it could not be used for a reason that may pass, so it is to be offered again. */
  readonly offered: (found: FoundBundle) => Promise<'done' | 'again'>;
  /** The source still has what it had. */
  readonly confirmed: () => void;
  readonly failed: (thrown: unknown) => void;
  /** In how many milliseconds, at the least, what could not be used is offered again; null: it is not. */
  readonly retrying?: (inMs: number | null) => void;
};

/** A source that is being read again and again. */
export interface Following {
  /** The first answer has been dealt with, or the start has waited long enough. */
  readonly first: Promise<void>;
  stop(): void;
}

/** Reads a source until it is stopped: at once, then after its own delays. */
export function follow(source: BundleSource, follower: Follower): Following {
  const stopping = new AbortController();
  const { signal } = stopping;
  const first = Promise.withResolvers<void>();
  let known: string | null = null;
  let last: string | null = null;
  let failures = 0;
  /** Milliseconds until what could not be used is offered again, and how often it was. */
  let retryMs: number | null = null;
  let retries = 0;

  const step = async (): Promise<void> => {
    try {
      const found = await source.read(known, signal);
      if (signal.aborted) return;
      failures = 0;
      if (found === null) {
        follower.confirmed();
        return;
      }
      const same = found.version === last;
      known = found.version;
      last = found.version;
      const again = (await follower.offered(found)) === 'again';
      retries = again && same ? retries + 1 : 0;
      retryMs = again ? retryDelayMs(retries) : null;
      follower.retrying?.(retryMs);
    } catch (thrown) {
      if (signal.aborted) return;
      failures++;
      follower.failed(thrown);
    }
  };

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await step();
      first.resolve();
      const delayMs = source.delayMs(failures);
      await sleep(delayMs, signal);
      if (retryMs === null) continue;
      retryMs -= delayMs;
      // asked as if nothing were known, so that it comes once more
      if (retryMs <= 0) [known, retryMs] = [null, null];
    }
  };

  void run();
  const { firstWaitMs } = source;
  const waited = firstWaitMs === null ? first.promise : Promise.race([first.promise, sleep(firstWaitMs, signal)]);
  return {
    first: waited,
    stop() {
      stopping.abort();
      first.resolve();
    },
  };
}

/** Ends early where it is stopped; keeps no process alive. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    timer.unref();
    signal.addEventListener('abort', done, { once: true });
  });
}
