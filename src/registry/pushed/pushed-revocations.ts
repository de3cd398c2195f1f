import { setTimeout as sleep } from 'node:timers/promises';
import type { PushedRevocationsStatus, RevocationAdmin } from '../../contract/revocations.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { KeptEntries, SharedEntries } from '../../stores/shared-entries.ts';
import type { RevocationSource } from '../joined-registry.ts';
import { createRevocationAdmin } from './admin.ts';
import { createReplica } from './replica.ts';

export type PushedRevocationsOptions = {
  readonly entriesMax: number;
  /** Pause between two looks at the version. */
  readonly pollMs: number;
  /** Whether credentials count before what is revoked was ever read. */
  readonly required: boolean;
  /** What is known may be so old, or null where that does not matter. */
  readonly ageMaxSeconds: number | null;
};

export type PushedRevocationsParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What replicas share; null where this process is alone. */
  readonly shared: SharedEntries | null;
  /** Opens what outlives the process; null where nothing does. May throw. */
  readonly openKept: (() => KeptEntries) | null;
};

/** What operators revoke while the service runs, with its background work. */
export type PushedRevocations = RevocationSource & {
  readonly admin: RevocationAdmin;
  /** Reads what is known, and goes on following; resolves once it was read, or after `waitMs`. Never rejects. */
  start(waitMs: number): Promise<void>;
  stop(): void;
  status(): PushedRevocationsStatus;
};

const FIRST_PAUSE_MS = 25;
/** Where nobody else changes anything, only what is over is looked for. */
const ALONE_POLL_MS = 1000;

/** Joins the entries of this process, its file, and the store of all replicas. */
export function createPushedRevocations(options: PushedRevocationsOptions, parts: PushedRevocationsParts): PushedRevocations {
  const { shared, clock } = parts;
  const replica = createReplica(parts);
  const { held } = replica;
  const stopping = new AbortController();
  let tail: Promise<unknown> = Promise.resolve();
  let nudged = false;

  const running = (): boolean => !stopping.signal.aborted;

  /** One piece of work at a time, in the order that it came. */
  function serial<T>(work: () => Promise<T>): Promise<T> {
    const run = tail.then(work);
    tail = run.catch(() => undefined);
    return run;
  }

  function nudge(): void {
    if (nudged || stopping.signal.aborted) return;
    nudged = true;
    void serial(async () => {
      nudged = false;
      await replica.follow(running);
    });
  }

  async function poll(): Promise<void> {
    const { signal } = stopping;
    while (!signal.aborted) {
      await sleep(shared === null ? ALONE_POLL_MS : options.pollMs, undefined, { ref: false, signal }).catch(() => undefined);
      if (!signal.aborted) await serial(() => replica.follow(running));
    }
  }

  return {
    get generation() {
      return replica.generation;
    },
    get available() {
      return replica.loaded || !options.required;
    },
    revocations: held.revocations,
    admin: createRevocationAdmin(options, { clock, replica, serial }),
    async start(waitMs) {
      const end = clock.monotonic() + waitMs;
      replica.open();
      shared?.onChange(nudge);
      await serial(() => replica.follow(() => false));
      while (!replica.loaded && clock.monotonic() < end && !stopping.signal.aborted) {
        await sleep(FIRST_PAUSE_MS);
        await serial(() => replica.follow(() => false));
      }
      void poll();
    },
    stop() {
      stopping.abort();
      void serial(async () => replica.close());
    },
    status() {
      const status = replica.status();
      const { required, ageMaxSeconds } = options;
      // of what a file alone has told nobody knows the age
      const tooOld = ageMaxSeconds !== null && status.state === 'stale' && (status.ageSeconds ?? ageMaxSeconds + 1) > ageMaxSeconds;
      return { ...status, required, tooOld };
    },
  };
}
