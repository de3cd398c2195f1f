import { closeSync, constants, fstatSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { CountersignError } from '../contract/errors.ts';

/** When a file is put aside for a new one, and how many of those stay: `name.1` is the newest. */
export type Rotation = {
  /** Null: however large it is. */
  readonly bytesMax: number | null;
  /** Seconds since it was begun; null: however old it is. */
  readonly ageMax: number | null;
  readonly keep: number;
};

/** A file that lines are appended to. */
export interface LogFile {
  /** True for a file on a disk, false for a pipe or a device. */
  readonly isFile: boolean;
  /** The open file. */
  fd(): number;
  /**
   * The file that the next piece goes to whole: another one where somebody has moved or removed the one that was open, or where it is full.
   * @throws the error of the system where that cannot be done; the old file stays open
   */
  next(bytes: number): number;
  /** The file for what is left of a piece whose writing failed: another one only where the open one was moved or removed. @throws likewise */
  again(bytes: number): number;
  /** Nothing may be written any more. */
  close(): void;
}

/** Non-blocking, which means nothing for a disk and all for a named pipe. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
/** It says who asked for what: nobody else reads it unless the operator says so. */
const MODE = 0o600;
/** How often it is looked at whether the name still leads to the open file. */
const LOOK_EVERY_MS = 1000;
/** The most that `keep` may be: a larger number behind the name is none of ours. */
const KEEP_MAX = 1000;

/**
 * Opens a file for appending. It is looked for by its name again and again, so that another program may rotate it without a signal.
 * @throws CountersignError config_invalid where it cannot be opened
 */
export function openLogFile(path: string, rotation: Rotation | null, now: () => number): LogFile {
  let fd = openFirst(path);
  const found = fstatSync(fd);
  const isFile = found.isFile();
  let identity = identityOf(found);
  let size = found.size;
  let begunAtMs = found.size > 0 && found.birthtimeMs > 0 ? found.birthtimeMs : now();
  let lookedAtMs = now();

  function reopen(): void {
    const opened = openSync(path, APPEND, MODE);
    const old = fd;
    fd = opened;
    const stats = fstatSync(opened);
    identity = identityOf(stats);
    size = stats.size;
    begunAtMs = now();
    closeSync(old);
  }

  function isDue(bytes: number): boolean {
    if (rotation === null || size === 0) return false;
    const { bytesMax, ageMax } = rotation;
    const nowMs = now();
    // a clock that was set back must not make the file young for as long
    begunAtMs = Math.min(begunAtMs, nowMs);
    return (bytesMax !== null && size + bytes > bytesMax) || (ageMax !== null && nowMs - begunAtMs >= ageMax * 1000);
  }

  function isMoved(): boolean {
    const nowMs = now();
    // a clock that was set back must not stop this
    if (nowMs >= lookedAtMs && nowMs - lookedAtMs < LOOK_EVERY_MS) return false;
    lookedAtMs = nowMs;
    return isElsewhere();
  }

  function isElsewhere(): boolean {
    const there = statSync(path, { throwIfNoEntry: false });
    return there === undefined || identityOf(there) !== identity;
  }

  return {
    isFile,
    fd: () => fd,
    next(bytes) {
      if (!isFile) return fd;
      if (isMoved()) reopen();
      if (rotation !== null && isDue(bytes)) {
        // another program may have been first
        if (!isElsewhere()) putAside(path, rotation.keep);
        reopen();
      }
      // it is as old as what is in it
      if (size === 0) begunAtMs = now();
      size += bytes;
      return fd;
    },
    again(bytes) {
      if (!isFile || !isMoved()) return fd;
      reopen();
      size += bytes;
      return fd;
    },
    close: () => closeSync(fd),
  };
}

function identityOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}

/** `name.1` becomes `name.2` and so on; what is beyond the last that is kept goes, also where more was kept before. */
function putAside(path: string, keep: number): void {
  const own = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    const at = name.startsWith(own) ? name.slice(own.length) : '';
    if (/^[1-9]\d{0,3}$/.test(at) && Number(at) >= keep && Number(at) <= KEEP_MAX) rmSync(`${path}.${at}`, { force: true });
  }
  for (let at = keep - 1; at >= 1; at -= 1) {
    if (statSync(`${path}.${at}`, { throwIfNoEntry: false }) !== undefined) renameSync(`${path}.${at}`, `${path}.${at + 1}`);
  }
  renameSync(path, `${path}.1`);
}

function openFirst(path: string): number {
  try {
    return openSync(path, APPEND, MODE);
  } catch (thrown) {
    throw new CountersignError('config_invalid', { field: 'decisions.log.sink.file', detail: 'the file cannot be opened', cause: thrown });
  }
}
