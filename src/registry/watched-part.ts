import { asCountersignError } from '../contract/errors.ts';
import type { RegistryPartStatus } from '../contract/registry-status.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { problemTexts, type Refusal } from './problem.ts';
import { type Found, findFiles, type Part } from './source-files.ts';

export type WatchedPartOptions = {
  readonly directory: string;
  readonly part: Part;
  /** Takes the files into use, or says why not; what it rejects with is a refusal too. */
  readonly load: (found: Found, stopping: AbortSignal) => Promise<Refusal | null>;
  /** For the log, after a load. */
  readonly counts: () => Readonly<Record<string, number>>;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** One half of the registry, read again as its files change; the last good content stays in use. */
export interface WatchedPart {
  /** Loads, and looks again from then on until `stop`; never rejects. */
  start(): Promise<void>;
  stop(): void;
  status(): RegistryPartStatus;
}

/** A change is seen twice before it is read, so that a file is not read while it is written: in force within half a second. */
const EVERY_MS = 200;
const RETRY_MS = 5000;

/** Files are looked at by name, inode, size and times: a mounted volume swaps them by symbolic links, which file watchers miss. */
export function createWatchedPart({ directory, part, load, counts, clock, logger }: WatchedPartOptions): WatchedPart {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let loadedAtMs: number | null = null;
  /** Of the files in use, of those that were refused, and of those that were seen last. */
  let inUse: string | null = null;
  let refused: { readonly signature: string; readonly untilMs: number } | null = null;
  let seen: string | null = null;
  let failure: { readonly code: string; readonly problems: readonly string[] } | null = null;

  async function look(first: boolean): Promise<void> {
    try {
      const found = await findFiles(directory, part);
      if (found.signature === inUse) recover();
      else if (!isRefused(found) && (first || found.signature === seen)) await take(found);
      seen = found.signature;
    } catch (thrown) {
      // what cannot be looked at is gone
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
      fail({ code: 'registry_missing', problems: [`${part}: could not be looked at (${code})`] });
      seen = null;
    }
    if (stopping.signal.aborted) return;
    timer = setTimeout(() => void look(false), EVERY_MS);
    timer.unref();
  }

  function isRefused({ signature }: Found): boolean {
    return refused !== null && refused.signature === signature && clock.monotonic() < refused.untilMs;
  }

  /** The files in use are back as they were. */
  function recover(): void {
    if (failure !== null) logger.info('registry.recovered', { part });
    failure = null;
    refused = null;
  }

  async function take(found: Found): Promise<void> {
    let untilMs = Number.POSITIVE_INFINITY;
    const refusal = await load(found, stopping.signal).catch((thrown: unknown): Refusal => {
      // the files are not to blame: a thread that could not be had, a file that grew
      untilMs = clock.monotonic() + RETRY_MS;
      const error = asCountersignError(thrown, 'registry_invalid');
      const code = error.code === 'registry_too_large' ? error.code : 'registry_invalid';
      return { code, problems: [{ file: part, line: null, field: null, message: error.message }] };
    });
    if (stopping.signal.aborted) return;
    if (refusal !== null) {
      refused = { signature: found.signature, untilMs };
      fail({ code: refusal.code, problems: problemTexts(refusal.problems) });
      return;
    }
    inUse = found.signature;
    refused = null;
    failure = null;
    loadedAtMs = clock.monotonic();
    logger.info('registry.loaded', { part, ...counts() });
  }

  function fail(now: { readonly code: string; readonly problems: readonly string[] }): void {
    if (stopping.signal.aborted) return;
    const told = failure !== null && failure.code === now.code && failure.problems.join() === now.problems.join();
    failure = now;
    // a file that stays broken is one warning
    if (!told) logger.warn('registry.failed', { part, ...now });
  }

  return {
    start: () => look(true),
    stop() {
      stopping.abort();
      clearTimeout(timer);
    },
    status: () => ({
      state: inUse === null ? 'never_loaded' : failure === null ? 'ready' : 'stale',
      ageSeconds: loadedAtMs === null ? null : Math.floor((clock.monotonic() - loadedAtMs) / 1000),
      lastError: failure?.code ?? null,
      problems: failure?.problems ?? [],
    }),
  };
}
