import type { Logger } from '../contract/stages.ts';
import type { KeptPolicy, KeptState } from './kept-policy.ts';

type Parts = {
  readonly policy: string;
  readonly logger: Logger;
  /** Runs work once after a pause, if the process lives so long. */
  readonly later: (work: () => void, pauseMs: number) => void;
};

const FIRST_PAUSE_MS = 1000;
const PAUSE_MAX_MS = 60_000;

/**
 * The same, but what could not be saved is tried again by itself, more and more seldom, until it is or something newer takes its place: otherwise
 * a full disk that is cleared would leave a restart with an old policy until the next change.
 */
export function createRetriedPolicy(kept: KeptPolicy, { policy, logger, later }: Parts): KeptPolicy {
  /** The newest that is not saved. */
  let wanted: KeptState | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let pauseMs = 0;
  let waits = false;

  /** One after the other; the newest is what is saved. */
  function attempt(): Promise<void> {
    const turn = last.then(async () => {
      const state = wanted;
      if (state === null) return;
      await kept.save(state);
      if (wanted === state) wanted = null;
      if (pauseMs > 0) logger.info('policy_kept', { policy });
      pauseMs = 0;
    });
    last = turn.catch(() => undefined);
    return turn;
  }

  function retry(): void {
    if (waits) return;
    waits = true;
    pauseMs = Math.min(PAUSE_MAX_MS, Math.max(FIRST_PAUSE_MS, 2 * pauseMs));
    later(() => {
      waits = false;
      attempt().catch(retry);
    }, pauseMs);
  }

  return {
    load: () => kept.load(),
    async save(state) {
      wanted = state;
      try {
        await attempt();
      } catch (thrown) {
        retry();
        throw thrown;
      }
    },
  };
}
