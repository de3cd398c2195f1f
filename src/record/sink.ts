import { openSync } from 'node:fs';
import { pino } from 'pino';
import { CountersignError } from '../contract/errors.ts';

/** Where lines go: a file descriptor that is open already, or a file that is appended to. */
export type SinkTarget = { readonly fd: number } | { readonly file: string };

/** Lines to one place, never waiting and never growing past a bound. */
export interface LineSink {
  /** Takes one line with its newline, or drops and counts it where the buffer is full. */
  write(line: string): void;
  /** Lines that the operating system has taken, and lines that were lost. */
  status(): { readonly written: number; readonly dropped: number };
  /** Hands on what is buffered, for `boundMs` at most; what is left then is counted as dropped. */
  close(boundMs?: number): Promise<void>;
}

/** Bytes of one system call: what a pipe holds. sonic-boom's 16 KiB for each turn of a busy event loop is less than what comes in. */
const WRITE_BYTES_MAX = 65_536;

/** After so long a full pipe is tried again, twice as long each time. sonic-boom would wait 100 ms, in which a busy service fills any buffer. */
const RETRY_MS = 1;
const RETRY_MAX_MS = 50;

/** Lines wait until so many bytes are together, or for FLUSH_MS: each write is a trip to a thread of the pool, worth several decisions. */
const BATCH_BYTES = 32_768;
const FLUSH_MS = 200;

/**
 * Opens a sink. A slow or broken one costs lines, never memory or time: writes are asynchronous, and at most `bufferBytesMax` wait.
 * `onError` hears of failed writes (a closed pipe, a full disk); the sink goes on trying.
 * Throws CountersignError `config_invalid` where the file cannot be opened.
 */
export function createLineSink(
  target: SinkTarget,
  options: { readonly bufferBytesMax: number; readonly batch: boolean; readonly onError: (error: Error) => void },
): LineSink {
  const destination = pino.destination({
    dest: 'fd' in target ? withoutBlocking(target.fd) : openForAppend(target.file),
    sync: false,
    retryEAGAIN: () => false,
    // 1 and not 0: with 0 a flush would call back before anything is written
    minLength: options.batch ? Math.min(BATCH_BYTES, Math.floor(options.bufferBytesMax / 4)) : 1,
    maxLength: options.bufferBytesMax,
    maxWrite: WRITE_BYTES_MAX,
    ...(options.batch ? { periodicFlush: FLUSH_MS } : {}),
  });
  // byte lengths of the lines that were taken and not yet handed on, oldest first from `head`
  let waiting: number[] = [];
  let head = 0;
  let written = 0;
  let dropped = 0;
  let bytesOut = 0;
  let lastDropped = false;
  let closed = false;

  destination.on('drop', () => {
    lastDropped = true;
  });
  let waitsForRetry = false;
  let retryMs = RETRY_MS;
  destination.on('error', (error: Error) => {
    if (!('code' in error) || error.code !== 'EAGAIN') options.onError(error);
    else if (!closed && !waitsForRetry) {
      waitsForRetry = true;
      setTimeout(tryAgain, retryMs).unref();
    }
  });
  destination.on('write', (bytes: number) => {
    retryMs = RETRY_MS;
    bytesOut += bytes;
    for (let next = waiting[head]; next !== undefined && next <= bytesOut; next = waiting[head]) {
      bytesOut -= next;
      head += 1;
      written += 1;
    }
    if (head < 1024 || head * 2 < waiting.length) return;
    waiting = waiting.slice(head);
    head = 0;
  });

  function tryAgain(): void {
    waitsForRetry = false;
    retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
    if (!closed) destination.flush();
  }

  function write(line: string): void {
    if (closed) {
      dropped += 1;
      return;
    }
    lastDropped = false;
    // before the write: a synchronous 'write' event must find it
    waiting.push(Buffer.byteLength(line));
    destination.write(line);
    if (!lastDropped) return;
    waiting.pop();
    dropped += 1;
  }

  async function close(boundMs = 1000): Promise<void> {
    if (closed) return;
    closed = true;
    const bound = AbortSignal.timeout(boundMs);
    // one flush may end with a rest below the batch size
    while (head < waiting.length && !bound.aborted) await flushOnce(destination, bound);
    dropped += waiting.length - head;
    waiting = [];
    head = 0;
    // also keeps pino's exit hook from flushing what is counted as lost
    destination.destroy();
  }

  return { write, status: () => ({ written, dropped }), close };
}

/**
 * The descriptor, with pipes and sockets made non-blocking: a blocking write into a pipe that nobody reads holds a thread of libuv's pool,
 * and the process cannot even exit, since it waits for its threads. Node.js sets the flag when its own stream is first asked for, and
 * resets it at exit.
 */
function withoutBlocking(fd: number): number {
  return [process.stdout, process.stderr].find((stream) => stream.fd === fd)?.fd ?? fd;
}

function openForAppend(file: string): number {
  try {
    return openSync(file, 'a', 0o640);
  } catch (thrown) {
    throw new CountersignError('config_invalid', { field: 'decisions.log.sink.file', detail: 'the file cannot be opened', cause: thrown });
  }
}

/** Resolves after one flush, whether it succeeded or not, or when the bound is over. */
function flushOnce(destination: { flush(callback: (error?: Error) => void): void }, bound: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    bound.addEventListener('abort', () => resolve(), { once: true });
    destination.flush((error) => (error === undefined || error === null ? resolve() : setTimeout(resolve, 20)));
  });
}
