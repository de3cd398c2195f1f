import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CountersignError } from '../contract/errors.ts';

/** One line of a log; `text` is null where it is no text. */
export type LogLine = {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer | null;
  /** Longer than it may be, or the compressed file ends or breaks off here. */
  readonly problem: 'too_long' | 'gzip_broken' | null;
};

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1 << 18;

/**
 * The lines of a file, plain or gzip as its first bytes say, with never more in memory than a chunk and a line.
 * @throws CountersignError fetch_failed where the file cannot be read
 */
export async function* readLines(path: string, lineBytesMax: number): AsyncGenerator<LogLine> {
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  let number = 0;
  let parts: Buffer[] = [];
  let length = 0;
  const lineOf = (last: Buffer): LogLine => {
    number++;
    const whole = length === 0 ? last : Buffer.concat([...parts, last]);
    const tooLong = length + last.length > lineBytesMax;
    parts = [];
    length = 0;
    return { number, bytes: tooLong ? null : whole, problem: tooLong ? 'too_long' : null };
  };
  try {
    for await (const chunk of inflated(source)) {
      let from = 0;
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
        yield lineOf(chunk.subarray(from, at));
        from = at + 1;
      }
      const rest = chunk.subarray(from);
      // of a line that is too long already no more than its length is kept
      if (length <= lineBytesMax && rest.length > 0) parts.push(rest);
      else if (rest.length > 0) parts = [];
      length += rest.length;
    }
    if (length > 0) yield lineOf(Buffer.alloc(0));
  } catch (thrown) {
    if (!(thrown instanceof GzipBroken)) throw thrown;
    yield { number: number + 1, bytes: null, problem: 'gzip_broken' };
  } finally {
    source.destroy();
  }
}

class GzipBroken extends Error {}

async function* inflated(source: Readable): AsyncGenerator<Buffer> {
  const chunks = buffers(source);
  const first = await firstOf(chunks);
  if (first === null) return;
  if (first[0] !== 0x1f || first[1] !== 0x8b) {
    yield first;
    yield* chunks;
    return;
  }
  let unread: unknown = null;
  const packed = async function* () {
    yield first;
    try {
      yield* chunks;
    } catch (thrown) {
      unread = thrown;
      throw thrown;
    }
  };
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  const from = Readable.from(packed());
  from.on('error', (error) => gunzip.destroy(error));
  try {
    for await (const chunk of from.pipe(gunzip)) if (chunk instanceof Buffer) yield chunk;
  } catch (thrown) {
    throw unread ?? new GzipBroken('gzip', { cause: thrown });
  }
}

async function* buffers(source: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source) if (chunk instanceof Buffer) yield chunk;
  } catch (thrown) {
    throw new CountersignError('fetch_failed', { detail: 'file', cause: thrown });
  }
}

async function firstOf(chunks: AsyncGenerator<Buffer>): Promise<Buffer | null> {
  const { value, done } = await chunks.next();
  return done === true ? null : value;
}
