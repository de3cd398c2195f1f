import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../contract/codes.ts';

export type BodyLimits = {
  readonly bytesMax: number;
  /** From the header block to the last byte. */
  readonly timeoutMs: number;
};

/** An over-long body is read away up to so many times its limit, so that the client gets to read the answer. */
const DRAIN_FACTOR = 8;

/**
 * Reads a body within its bounds and calls back exactly once: with the bytes, or with `body_too_large` or `body_timeout`.
 * Where the client goes away before the end it never calls back. The callback must not throw.
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  done: (body: Uint8Array | null, refused: ErrorCode | null) => void,
): void {
  let chunks: Buffer[] = [];
  let length = 0;
  let over = false;
  let ended = false;
  const timer = setTimeout(() => finish(null, 'body_timeout'), limits.timeoutMs);

  function finish(body: Uint8Array | null, refused: ErrorCode | null): void {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    done(body, refused);
  }

  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > limits.bytesMax) {
      over = true;
      chunks = [];
      if (length > limits.bytesMax * DRAIN_FACTOR) finish(null, 'body_too_large');
    } else {
      chunks.push(chunk);
    }
  });
  request.on('end', () => {
    const [first] = chunks;
    if (over) finish(null, 'body_too_large');
    else finish(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks), null);
  });
  request.on('close', () => {
    ended = true;
    clearTimeout(timer);
  });
}
