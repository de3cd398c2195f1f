import type { HeldBytes } from './admission.ts';

/** Length of the prefix of a gRPC message: one byte of flags and four of length (PROTOCOL-HTTP2.md). */
export const PREFIX_BYTES = 5;

/** What came of the bytes of one unary request. */
export type Incoming =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** The announced length is above the limit; the bytes were thrown away as they came. */
  | { readonly kind: 'too_large' }
  /** The compressed flag is set; no compression was ever offered. */
  | { readonly kind: 'compressed' }
  /** Too much is being received at once; the bytes were thrown away. */
  | { readonly kind: 'overloaded' }
  /** The method did not want the message: its answer depends on the headers alone. */
  | { readonly kind: 'discarded' }
  /** Not the framing of one message: nothing at all, half a message, or more than one. */
  | { readonly kind: 'broken'; readonly detail: string };

/** Puts the prefix before an encoded message: one DATA frame, one write. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/**
 * Collects the DATA of one unary request. A message that arrives in one piece is not copied; one that is too long is never
 * held, so that memory does not grow with what a caller sends.
 */
export class MessageReader {
  readonly #messageMaxBytes: number;
  readonly #budget: HeldBytes;
  #chunks: Buffer[] = [];
  /** Bytes in `#chunks`, the prefix included. */
  #heldBytes = 0;
  #receivedBytes = 0;
  /** Prefix and message; -1 until the prefix is complete. */
  #expectedBytes = -1;
  #compressed = false;
  #dropping: 'too_large' | 'overloaded' | 'extra' | 'discarded' | null = null;

  constructor(messageMaxBytes: number, budget: HeldBytes) {
    this.#messageMaxBytes = messageMaxBytes;
    this.#budget = budget;
  }

  /** True once the announced length turned out to be above the limit. */
  get tooLarge(): boolean {
    return this.#dropping === 'too_large';
  }

  push(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#dropping !== null) return;
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    this.#budget.heldBytes += chunk.length;
    if (this.#expectedBytes === -1 && this.#heldBytes >= PREFIX_BYTES) this.#readPrefix();
    if (this.#expectedBytes !== -1 && this.#receivedBytes > this.#expectedBytes) this.#drop('extra');
    else if (this.#budget.heldBytes > this.#budget.bytesMax) {
      this.#drop('overloaded');
      this.#budget.onFull?.();
    }
  }

  /** Holds nothing from here on: the answer does not depend on the message. */
  discard(): void {
    this.#drop('discarded');
  }

  /** Called at the end of the stream, once. A message counts as held until `discard`. */
  end(): Incoming {
    const dropped = this.#dropping;
    const chunks = this.#chunks;
    this.#chunks = [];
    if (dropped === 'extra') return { kind: 'broken', detail: 'more than one message' };
    if (dropped !== null) return { kind: dropped };
    if (this.#receivedBytes !== this.#expectedBytes) return { kind: 'broken', detail: 'the message is not complete' };
    if (this.#compressed) return { kind: 'compressed' };
    const first = chunks[0];
    const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
    return { kind: 'message', bytes: whole.subarray(PREFIX_BYTES) };
  }

  #readPrefix(): void {
    const first = this.#chunks[0];
    const prefix = first !== undefined && first.length >= PREFIX_BYTES ? first : Buffer.concat(this.#chunks);
    this.#compressed = prefix[0] !== 0;
    const length = prefix.readUInt32BE(1);
    this.#expectedBytes = PREFIX_BYTES + length;
    if (length > this.#messageMaxBytes) this.#drop('too_large');
  }

  #drop(why: 'too_large' | 'overloaded' | 'extra' | 'discarded'): void {
    this.#dropping ??= why;
    this.#release();
  }

  #release(): void {
    this.#budget.heldBytes -= this.#heldBytes;
    this.#heldBytes = 0;
    this.#chunks = [];
  }
}
