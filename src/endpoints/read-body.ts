import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeldBytes } from './admission.ts';

/** An over-long body is read away up to so many times its limit, so that the client gets to read the answer. */
const DRAIN_FACTOR = 8;

/** A whole body, or why there is none. */
export type ReadBody = Uint8Array | 'too_large' | 'overloaded';

/**
 * Reads a body of at most `bytesMax` and calls back exactly once: with the bytes, with `too_large` where there are more, or with `overloaded`
 * where all bodies together are more than may be held. A whole body counts until its request is answered. Where the client goes away before the end it
 * never calls back; one that is slow is the listener's to cut. The callback must not throw.
 */
export function readBody(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  bytesMax: number,
  budget: HeldBytes,
  done: (body: ReadBody) => void,
): void {
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

  function refuse(why: 'too_large' | 'overloaded'): void {
    ended = true;
    release();
    done(why);
  }

  request.on('data', (chunk: Buffer) => {
    if (ended) return;
    length += chunk.length;
    if (length > bytesMax) {
      release();
      if (length > bytesMax * DRAIN_FACTOR) refuse('too_large');
      return;
    }
    held += chunk.length;
    budget.heldBytes += chunk.length;
    if (budget.heldBytes > budget.bytesMax) {
      refuse('overloaded');
      budget.onFull?.();
    } else if (first === null) first = chunk;
    else if (more === null) more = [first, chunk];
    else more.push(chunk);
  });
  request.on('end', () => {
    if (ended) return;
    if (length > bytesMax) {
      refuse('too_large');
      return;
    }
    ended = true;
    const whole = more === null ? (first ?? Buffer.alloc(0)) : Buffer.concat(more);
    first = null;
    more = null;
    if (budget.enter === undefined) done(whole);
    else
      budget.enter((late) => {
        if (late) release();
        // nobody is there any more to be answered
        if (!response.destroyed) done(late ? 'overloaded' : whole);
      });
  });
  response.on('close', release);
}
