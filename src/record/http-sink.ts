import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { asCountersignError, CountersignError } from '../contract/errors.ts';
import type { PostLogs } from '../stores/log-post.ts';
import type { ReadDocumentFile } from '../stores/read-file.ts';

/** The section `decisions.log.http`. */
export type HttpSinkOptions = {
  /** Where batches are posted to, whole: OPA's collectors have it at `/logs`. */
  readonly url: string;
  readonly allowInsecureHttp: boolean;
  readonly credentials: { readonly tokenFile: string | null };
  readonly tls: { readonly caFile: string | null; readonly certFile: string | null; readonly keyFile: string | null };
  readonly batch: {
    /** Of the events before they are packed. */
    readonly bytesMax: number;
    /** How long the first event of a batch waits for others. */
    readonly delayMs: number;
  };
  readonly timeoutMs: number;
  readonly retry: { readonly minMs: number; readonly maxMs: number };
  readonly bufferBytesMax: number;
};

export type HttpSinkParts = {
  readonly post: PostLogs;
  readonly readFile: ReadDocumentFile;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onError: (error: Error) => void;
  /** True: a batch that the collector refuses is kept and tried again, since no event may be lost. */
  readonly keepRefused: boolean;
};

/** Why events were lost: beside those of lines, an event that is too large for the collector, or that it refuses for good. */
export type HttpLosses = {
  readonly buffer_full: number;
  readonly too_large: number;
  readonly refused: number;
  readonly shutdown: number;
};

/** Events to a collector. */
export interface HttpSink {
  /** Takes one event as JSON, or drops and counts it where the buffer is full; one that must be kept is taken beyond the bound. */
  write(event: string, must?: boolean): void;
  /** Events that the collector has taken, and what was lost. */
  status(): { readonly written: number; readonly dropped: number };
  health(): {
    /** `failing` from the second attempt in a row that failed until one succeeds. */
    readonly state: 'ready' | 'failing' | 'full';
    readonly bufferedBytes: number;
    readonly lost: HttpLosses;
    readonly lastError: string | null;
  };
  /** Posts what is buffered, for `boundMs` at most; what is left then is counted as dropped. */
  close(boundMs?: number): Promise<void>;
}

type Batch = { readonly events: readonly string[]; readonly bytes: number };

const pack = promisify(gzip);
const TOKEN_BYTES_MAX = 16_384;
const PEM_BYTES_MAX = 1 << 20;
/** One failure is a moment's; a collector that fails twice in a row is away. */
const FAILURES_OF_A_MOMENT = 1;
const BACKOFF_STEPS_MAX = 16;
/** At the end there is no later: what waits is tried again within the time that is left. */
const ENDING_RETRY_MAX_MS = 500;
const TOO_LARGE = 413;
/** The collector has understood, and will say the same again. */
const REFUSALS: ReadonlySet<number> = new Set([400, TOO_LARGE, 422]);

/**
 * Batches of events, one on its way at a time, posted as a JSON array packed by gzip. A batch that fails is tried again, later each time and
 * by chance; one that is refused is halved until the event is found that is. An event may come twice where an answer was lost.
 */
export function createHttpSink(options: HttpSinkOptions, parts: HttpSinkParts): HttpSink {
  const { batch: limits, retry, bufferBytesMax } = options;
  let waiting: string[] = [];
  let waitingBytes = 0;
  /** Parts of what was on its way, the next one first. */
  let begun: Batch[] = [];
  let begunBytes = 0;
  let sending: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let failures = 0;
  /** The last event that came did not fit, and nothing was taken since. */
  let crowded = false;
  let written = 0;
  const lost = { buffer_full: 0, too_large: 0, refused: 0, shutdown: 0 };
  let lastError: string | null = null;
  let closed = false;
  let onEmpty: (() => void) | null = null;
  const ending = new AbortController();

  const heldBytes = (): number => waitingBytes + begunBytes;

  function write(event: string, must = false): void {
    const bytes = Buffer.byteLength(event);
    if (closed) lost.shutdown += 1;
    else if (!must && heldBytes() + bytes > bufferBytesMax) {
      lost.buffer_full += 1;
      crowded = true;
    } else {
      crowded = false;
      waiting.push(event);
      waitingBytes += bytes;
      if (failures === 0 && waitingBytes >= limits.bytesMax) sendNow();
      else later(limits.delayMs);
    }
  }

  function later(delayMs: number): void {
    timer ??= setTimeout(sendNow, delayMs).unref();
  }

  function sendNow(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (sending !== null) return;
    const batch = begun.shift() ?? nextBatch();
    if (batch === null) return;
    sending = send(batch).finally(() => {
      sending = null;
      goOn();
    });
  }

  function nextBatch(): Batch | null {
    let bytes = 0;
    let count = 0;
    for (const event of waiting) {
      const size = Buffer.byteLength(event);
      if (count > 0 && bytes + size > limits.bytesMax) break;
      bytes += size;
      count += 1;
    }
    if (count === 0) return null;
    const events = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingBytes -= bytes;
    begunBytes += bytes;
    return { events, bytes };
  }

  /** Never rejects. */
  async function send(batch: Batch): Promise<void> {
    try {
      const { status, retryAfterMs } = await post(batch);
      if (status >= 200 && status < 300) {
        failures = 0;
        lastError = null;
        crowded = false;
        written += batch.events.length;
        begunBytes -= batch.bytes;
      } else if (REFUSALS.has(status) && (batch.events.length > 1 || !parts.keepRefused)) refused(batch, status);
      else again(batch, new CountersignError('fetch_failed', { detail: `status ${status}` }), retryAfterMs);
    } catch (thrown) {
      again(batch, asCountersignError(thrown, 'fetch_failed'), null);
    }
  }

  async function post({ events }: Batch) {
    const { tls, credentials } = options;
    const [token, ca, cert, key] = await Promise.all([
      textOf(credentials.tokenFile, TOKEN_BYTES_MAX),
      textOf(tls.caFile, PEM_BYTES_MAX),
      textOf(tls.certFile, PEM_BYTES_MAX),
      textOf(tls.keyFile, PEM_BYTES_MAX),
    ]);
    const body = await pack(`[${events.join(',')}]`);
    const { url, timeoutMs, allowInsecureHttp } = options;
    return parts.post({
      url,
      timeoutMs,
      allowInsecureHttp,
      body,
      token: token?.trim() ?? null,
      tls: { ca, cert, key },
      signal: ending.signal,
    });
  }

  /** Read anew each time, so that what is rotated counts at once. */
  async function textOf(path: string | null, bytesMax: number): Promise<string | null> {
    if (path === null) return null;
    try {
      return (await parts.readFile(path, bytesMax)).toString('utf8');
    } catch (cause) {
      throw new CountersignError('fetch_failed', { detail: 'a file of the credentials could not be read', cause });
    }
  }

  function again(batch: Batch, error: CountersignError, retryAfterMs: number | null): void {
    begun.unshift(batch);
    failures += 1;
    lastError = error.message;
    parts.onError(error);
    const backoffMs = Math.min(retry.maxMs, retry.minMs * 2 ** Math.min(failures - 1, BACKOFF_STEPS_MAX)) * (0.5 + parts.random() / 2);
    if (timer !== null) clearTimeout(timer);
    const waitMs = Math.max(backoffMs, Math.min(retryAfterMs ?? 0, retry.maxMs));
    timer = setTimeout(sendNow, closed ? Math.min(waitMs, ENDING_RETRY_MAX_MS) : waitMs).unref();
  }

  function refused(batch: Batch, status: number): void {
    const { events } = batch;
    lastError = `status ${status}`;
    parts.onError(new CountersignError('fetch_failed', { detail: lastError }));
    if (events.length === 1) {
      lost[status === TOO_LARGE ? 'too_large' : 'refused'] += 1;
      begunBytes -= batch.bytes;
      return;
    }
    const half = Math.ceil(events.length / 2);
    const [first, second] = [events.slice(0, half), events.slice(half)];
    begun.unshift({ events: first, bytes: bytesOf(first) }, { events: second, bytes: bytesOf(second) });
  }

  function goOn(): void {
    if (heldBytes() === 0) onEmpty?.();
    // the timer of the next attempt runs
    else if (timer !== null) return;
    else if (begun.length > 0 || closed || waitingBytes >= limits.bytesMax) sendNow();
    else later(limits.delayMs);
  }

  async function close(boundMs = 1000): Promise<void> {
    if (closed) return;
    closed = true;
    await new Promise<void>((resolve) => {
      if (heldBytes() === 0) {
        resolve();
        return;
      }
      const bound = setTimeout(resolve, boundMs);
      onEmpty = () => {
        clearTimeout(bound);
        resolve();
      };
      sendNow();
    });
    onEmpty = null;
    ending.abort();
    await sending;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    lost.shutdown += waiting.length + begun.reduce((sum, { events }) => sum + events.length, 0);
    waiting = [];
    begun = [];
    waitingBytes = 0;
    begunBytes = 0;
  }

  return {
    write,
    status: () => ({ written, dropped: lost.buffer_full + lost.too_large + lost.refused + lost.shutdown }),
    health: () => ({
      state: failures > FAILURES_OF_A_MOMENT ? 'failing' : (crowded && heldBytes() > 0) || heldBytes() >= bufferBytesMax ? 'full' : 'ready',
      bufferedBytes: heldBytes(),
      lost: { ...lost },
      lastError,
    }),
    close,
  };
}

function bytesOf(events: readonly string[]): number {
  return events.reduce((sum, event) => sum + Buffer.byteLength(event), 0);
}
