import type { IncomingMessage } from 'node:http';

/** An over-long body is read away up to so many times its limit, so that the client gets to read the answer. */
const DRAIN_FACTOR = 8;

/**
 * Reads a body of at most `bytesMax` and calls back exactly once: with the bytes, or with null where there are more. Where the client
 * goes away before the end it never calls back; one that is slow is the listener's to cut. The callback must not throw.
 */
export function readBody(request: IncomingMessage, bytesMax: number, done: (body: Uint8Array | null) => void): void {
  let first: Buffer | null = null;
  let more: Buffer[] | null = null;
  let length = 0;
  let ended = false;

  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > bytesMax) {
      first = null;
      more = null;
      if (length > bytesMax * DRAIN_FACTOR && !ended) {
        ended = true;
        done(null);
      }
    } else if (first === null) {
      first = chunk;
    } else if (more === null) {
      more = [first, chunk];
    } else {
      more.push(chunk);
    }
  });
  request.on('end', () => {
    if (ended) return;
    ended = true;
    if (length > bytesMax) done(null);
    else done(more === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(more));
  });
}
