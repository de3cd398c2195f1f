import { fstatSync, writeSync, write as writeToFile } from 'node:fs';
import { flushAtExit } from './exit-flush.ts';
import { type LogFile, openLogFile, type Rotation } from './log-file.ts';

/** Where lines go: a file descriptor that is open already, or a file that is appended to. */
export type SinkTarget = { readonly fd: number } | LogFileTarget;

/** Without a clock its name is looked at when it is opened and never again. */
export type LogFileTarget = { readonly file: string; readonly rotation?: Rotation | null; readonly now?: () => number };

/** Why lines were lost: the buffer was full when they came, or they were left over when it was closed. */
export type LineLosses = { readonly buffer_full: number; readonly shutdown: number };

/** Lines to one place, never waiting and never growing past a bound. */
export interface LineSink {
  /** Takes one line with its newline, or drops and counts it where the buffer is full; one that must be kept is taken beyond the bound. */
  write(line: string, must?: boolean): void;
  /** Lines that the operating system has taken, and lines that were lost. */
  status(): { readonly written: number; readonly dropped: number };
  /** How it is with it: `failing` from a write that failed until one succeeds, `full` where the next line may not fit. */
  health(): {
    readonly state: 'ready' | 'failing' | 'full';
    readonly bufferedBytes: number;
    readonly lost: LineLosses;
    readonly lastError: string | null;
  };
  /** Hands on what is buffered, for `boundMs` at most; what is left then is counted as dropped. */
  close(boundMs?: number): Promise<void>;
}

/** After so long a full pipe or a full disk is tried again, twice as long each time. */
const RETRY_MS = 1;
const RETRY_MAX_MS = 50;

/** Lines wait until so many bytes are together, or for FLUSH_MS: each write is a trip to a thread of the pool, worth several decisions. */
const BATCH_BYTES = 32_768;
const FLUSH_MS = 200;
/** What waited for long is written in pieces of this size: one text of all of it may be longer than a text can be, and a file than it may. */
const PIECE_BYTES = 65_536;
/** So many of them at once; others are served in between. */
const PIECES_A_TURN = 16;
/** Lines that were handed on keep their places until so many did. */
const LINES_GONE_MAX = 4096;
const NEWLINE = 10;

/** Lines that are on their way to the operating system as one piece. */
type Batch = { readonly bytes: Buffer; readonly lines: number; offset: number };

/**
 * Opens a sink. A slow or broken one costs lines, never memory or time: no write waits for a reader or a disk, there is one at a
 * time, and at most `bufferBytesMax` wait. `onError` hears of failed writes (a closed pipe, a full disk); the sink goes on trying.
 * Written by hand: pino's destination (sonic-boom) took a tenth of a decision's time.
 * Throws CountersignError `config_invalid` where the file cannot be opened.
 */
export function createLineSink(
  target: SinkTarget,
  options: { readonly bufferBytesMax: number; readonly batch: boolean; readonly onError: (error: Error) => void },
): LineSink {
  const file = 'fd' in target ? openDescriptor(target.fd) : openLogFile(target.file, target.rotation ?? null, target.now ?? noTime);
  let fd = file.fd();
  // a pipe or a device takes or refuses at once, and needs no trip to a thread; a disk may let one wait
  const atOnce = !file.isFile;
  const batchBytes = options.batch ? Math.min(BATCH_BYTES, Math.floor(options.bufferBytesMax / 4)) : 1;
  let lines: string[] = [];
  /** Those before this one are on their way. */
  let first = 0;
  let linesBytes = 0;
  let batch: Batch | null = null;
  let state: 'idle' | 'writing' | 'retrying' = 'idle';
  let retryMs = RETRY_MS;
  let written = 0;
  let full = 0;
  /** The last line that came did not fit, and nothing was written since. */
  let crowded = false;
  let late = 0;
  let failure: string | null = null;
  let closed = false;
  let onEmpty: (() => void) | null = null;
  const timer = options.batch ? setInterval(handOn, FLUSH_MS).unref() : null;
  const unregister = flushAtExit(() => {
    const rest = state === 'writing' || batch === null ? [] : [batch.bytes.subarray(batch.offset)];
    writeSync(fd, Buffer.concat([...rest, Buffer.from(lines.slice(first).join(''))]));
  });

  const heldBytes = (): number => linesBytes + (batch === null ? 0 : batch.bytes.length - batch.offset);

  function write(line: string, must = false): void {
    const bytes = Buffer.byteLength(line);
    if (closed) {
      late += 1;
      return;
    }
    if (!must && heldBytes() + bytes > options.bufferBytesMax) {
      full += 1;
      crowded = true;
      return;
    }
    crowded = false;
    lines.push(line);
    linesBytes += bytes;
    if (linesBytes >= batchBytes) handOn();
  }

  /** Writes what waits. A pipe takes it or not at once, which is a loop here, so that no call is within another. */
  function handOn(): void {
    let wanted = true;
    for (let pieces = 0; wanted && state === 'idle' && begin(); pieces += 1) {
      if (!atOnce) return;
      writeAtOnce();
      wanted = isWanted();
      if (wanted && pieces === PIECES_A_TURN) {
        setImmediate(handOn);
        return;
      }
    }
    told();
  }

  const isWanted = (): boolean => batch !== null || linesBytes >= batchBytes || onEmpty !== null;

  function told(): void {
    if (state === 'idle' && batch === null && lines.length === 0) onEmpty?.();
  }

  /** False where there is nothing to write, or no file to write it to. */
  function begin(): boolean {
    if (batch === null) {
      if (lines.length === 0) return false;
      const { count, bytes } = nextPiece();
      if (!nextFile(() => file.next(bytes))) return false;
      batch = { bytes: Buffer.from(lines.slice(first, first + count).join('')), lines: count, offset: 0 };
      first += count;
      linesBytes -= bytes;
      if (first === lines.length || first >= LINES_GONE_MAX) {
        lines = lines.slice(first);
        first = 0;
      }
    }
    state = 'writing';
    if (!atOnce) writeToFile(fd, batch.bytes, batch.offset, batch.bytes.length - batch.offset, null, handedOn);
    return true;
  }

  function nextPiece(): { readonly count: number; readonly bytes: number } {
    if (linesBytes <= PIECE_BYTES) return { count: lines.length - first, bytes: linesBytes };
    let count = 0;
    let bytes = 0;
    for (let at = first; at < lines.length; at += 1) {
      const size = Buffer.byteLength(lines[at] ?? '');
      if (count > 0 && bytes + size > PIECE_BYTES) break;
      count += 1;
      bytes += size;
    }
    return { count, bytes };
  }

  /** A line is never in two files: those of one piece go where its first one goes. */
  function nextFile(find: () => number): boolean {
    try {
      fd = find();
      return true;
    } catch (thrown) {
      failed(thrown instanceof Error ? thrown : new Error('rotation failed', { cause: thrown }));
      return false;
    }
  }

  function failed(error: NodeJS.ErrnoException): void {
    if (error.code !== 'EAGAIN') {
      failure = error.code ?? 'unknown';
      options.onError(error);
    }
    state = 'retrying';
    setTimeout(tryAgain, retryMs).unref();
  }

  function writeAtOnce(): void {
    if (batch === null) return;
    let taken = 0;
    try {
      taken = writeSync(fd, batch.bytes, batch.offset, batch.bytes.length - batch.offset);
    } catch (thrown) {
      state = 'idle';
      failed(thrown instanceof Error ? thrown : new Error('write failed', { cause: thrown }));
      return;
    }
    took(taken);
  }

  function handedOn(error: NodeJS.ErrnoException | null, bytes: number): void {
    state = 'idle';
    if (error !== null) {
      failed(error);
      return;
    }
    took(bytes);
    if (isWanted()) handOn();
    else told();
  }

  function took(bytes: number): void {
    state = 'idle';
    retryMs = RETRY_MS;
    failure = null;
    crowded = false;
    if (batch === null) return;
    batch.offset += bytes;
    if (batch.offset < batch.bytes.length) return;
    written += batch.lines;
    batch = null;
  }

  function tryAgain(): void {
    state = 'idle';
    retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
    const before = fd;
    if (batch !== null) {
      const { bytes, offset } = batch;
      if (!nextFile(() => file.again(bytes.length - offset))) return;
      // the line that the old file has a part of is whole in the new one
      if (fd !== before && offset > 0) batch.offset = bytes.lastIndexOf(NEWLINE, offset - 1) + 1;
    }
    handOn();
  }

  async function close(boundMs = 1000): Promise<void> {
    if (closed) return;
    closed = true;
    clearInterval(timer ?? undefined);
    unregister();
    await new Promise<void>((resolve) => {
      const bound = setTimeout(resolve, boundMs);
      onEmpty = () => {
        clearTimeout(bound);
        resolve();
      };
      handOn();
    });
    if (batch !== null) {
      const whole = batch.bytes.subarray(0, batch.offset).filter((byte) => byte === NEWLINE).length;
      written += whole;
      late += batch.lines - whole;
      batch = null;
    }
    late += lines.length - first;
    lines = [];
    first = 0;
    linesBytes = 0;
    // a disk that hangs still has the descriptor
    if (state !== 'writing') file.close();
  }

  return {
    write,
    status: () => ({ written, dropped: full + late }),
    health: () => ({
      state: failure !== null ? 'failing' : (crowded && heldBytes() > 0) || heldBytes() >= options.bufferBytesMax ? 'full' : 'ready',
      bufferedBytes: heldBytes(),
      lost: { buffer_full: full, shutdown: late },
      lastError: failure,
    }),
    close,
  };
}

const noTime = (): number => 0;

/** What is open already is nobody's to rotate. */
function openDescriptor(given: number): LogFile {
  const fd = withoutBlocking(given);
  return { isFile: fstatSync(fd).isFile(), fd: () => fd, next: () => fd, again: () => fd, close() {} };
}

/**
 * The descriptor, with pipes and sockets made non-blocking: a blocking write into a pipe that nobody reads holds a thread of libuv's pool,
 * and the process cannot even exit, since it waits for its threads. Node.js sets the flag when its own stream is first asked for, and
 * resets it at exit.
 */
function withoutBlocking(fd: number): number {
  return [process.stdout, process.stderr].find((stream) => stream.fd === fd)?.fd ?? fd;
}
