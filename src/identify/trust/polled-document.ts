import { asCountersignError, type CountersignError } from '../../contract/errors.ts';
import type { Clock, Logger } from '../../contract/stages.ts';

export type PolledDocumentOptions = {
  /** For the log. */
  readonly kind: string;
  readonly name: string;
  readonly everyMs: number;
  readonly load: (signal: AbortSignal) => Promise<Buffer>;
  /** Takes new bytes into use; what it rejects with leaves the last ones in use. */
  readonly accept: (bytes: Buffer) => void | Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** A configured document that is read again and again; whatever was accepted last stays in use, however the source fails. */
export interface PolledDocument {
  /** Loads, and from then on polls until `stop`; the promise is that of the first attempt and never rejects. */
  start(): Promise<void>;
  stop(): void;
  /** Looks at refused bytes again with the next poll, since what they were judged by has changed. */
  retry(): void;
  /** Since the last success, seconds; null where there was none. */
  ageSeconds(): number | null;
  /** Why the last attempt failed, or null. */
  lastError(): CountersignError | null;
}

/** Refused bytes are not judged again and again, and not never: the clock may have been what was wrong. */
const REFUSED_KEPT_MS = 60_000;

/** Nothing is loaded before `start`. Bytes that have not changed since they were accepted are not looked at again: a mounted volume swaps files under the same name. */
export function createPolledDocument({ kind, name, everyMs, load, accept, clock, logger }: PolledDocumentOptions): PolledDocument {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let inUse: Buffer | null = null;
  let refused: { readonly bytes: Buffer; readonly untilMs: number } | null = null;
  let succeededAtMs: number | null = null;
  let failure: CountersignError | null = null;

  async function attempt(): Promise<void> {
    try {
      const bytes = await load(stopping.signal);
      if (refused !== null && clock.monotonic() < refused.untilMs && refused.bytes.equals(bytes)) return;
      if (inUse === null || !inUse.equals(bytes)) await take(bytes);
      refused = null;
      succeededAtMs = clock.monotonic();
      failure = null;
    } catch (thrown) {
      fail(asCountersignError(thrown, 'fetch_failed'));
    } finally {
      schedule();
    }
  }

  async function take(bytes: Buffer): Promise<void> {
    refused = { bytes, untilMs: clock.monotonic() + REFUSED_KEPT_MS };
    await accept(bytes);
    inUse = bytes;
    logger.info('document.loaded', { kind, name });
  }

  function fail(error: CountersignError): void {
    if (stopping.signal.aborted) return;
    // an outage of hours is one warning, not one in two seconds
    logger[error.code === failure?.code ? 'debug' : 'warn']('document.failed', { kind, name, code: error.code, error: error.message });
    failure = error;
  }

  function schedule(): void {
    if (stopping.signal.aborted) return;
    timer = setTimeout(attempt, everyMs);
    timer.unref();
  }

  return {
    start: attempt,
    stop() {
      stopping.abort();
      clearTimeout(timer);
    },
    retry() {
      refused = null;
    },
    ageSeconds: () => (succeededAtMs === null ? null : Math.floor((clock.monotonic() - succeededAtMs) / 1000)),
    lastError: () => failure,
  };
}
