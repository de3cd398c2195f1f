import type { IncomingMessage } from 'node:http';

/** An over-long body is read away up to so many times its limit, so that the client gets to read the answer. */
const DRAIN_FACTOR = 8;

/** Bytes of unfinished bodies that one listener may hold, over all connections. */
export type BodyBudget = { heldBytes: number; readonly bytesMax: number };

/** A whole body, or why there is none. */
export type ReadBody = Uint8Array | 'too_large' | 'overloaded';

/**
 * Reads a body of at most `bytesMax` and calls back exactly once: with the bytes, with `too_large` where there are more, or with `overloaded`
 * where all unfinished bodies together are more than the budget. Where the client goes away before the end it never calls back; one that
 * is slow is the listener's to cut. The callback must not throw.
 */
export function readBody(request: IncomingMessage, bytesMax: number, budget: BodyBudget, done: (body: ReadBody) => void): void {
  let first: Buffer | null = null;
  let more: Buffer[] | null = null;
  let length = 0;
  let held = 0;
  let ended = false;

  function release(): void {
    budget.heldBytes -= held;
    held = 0;
    first = null;
    more = null;
  }

  function finish(body: ReadBody): void {
    ended = true;
    release();
    done(body);
  }

  request.on('data', (chunk: Buffer) => {
    if (ended) return;
    length += chunk.length;
    if (length > bytesMax) {
      release();
      if (length > bytesMax * DRAIN_FACTOR) finish('too_large');
      return;
    }
    held += chunk.length;
    budget.heldBytes += chunk.length;
    if (budget.heldBytes > budget.bytesMax) finish('overloaded');
    else if (first === null) first = chunk;
    else if (more === null) more = [first, chunk];
    else more.push(chunk);
  });
  request.on('end', () => {
    if (ended) return;
    if (length > bytesMax) finish('too_large');
    else finish(more === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(more));
  });
  request.on('close', release);
}
