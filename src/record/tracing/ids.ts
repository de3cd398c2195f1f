/** Ids of traces and spans, and chance for sampling. */
export interface TraceIds {
  /** 32 hexadecimal digits, random in all their bits and not all zero. */
  traceId(): string;
  /** 16 hexadecimal digits, not all zero. */
  spanId(): string;
}

/** One call of the system for so many bytes: each costs about as much as hundreds of ids. */
const POOL_BYTES = 4096;

/** @param randomBytes cryptographic, so that no client can guess the id of another's trace */
export function createTraceIds(randomBytes: (size: number) => Uint8Array): TraceIds {
  let pool = Buffer.alloc(0);
  let at = 0;

  function hex(bytes: number): string {
    if (at + bytes > pool.length) {
      pool = Buffer.from(randomBytes(POOL_BYTES));
      at = 0;
    }
    at += bytes;
    // zero is no id: the chance is 2^-64, and one bit keeps it out
    const text = pool.toString('hex', at - bytes, at);
    return /^0+$/.test(text) ? `${text.slice(0, -1)}1` : text;
  }

  return { traceId: () => hex(16), spanId: () => hex(8) };
}

const RANDOM_BITS_HEX = 14;
const RANDOM_MAX = 2 ** 56;

/**
 * Whether a trace of this id is among the share `ratio`: by the last 56 bits of the id, which Level 2 of Trace Context has random, as
 * OpenTelemetry's TraceIdRatioBased has it, so that every service that is asked with the same ratio says the same.
 */
export function isSampled(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  return Number.parseInt(traceId.slice(-RANDOM_BITS_HEX), 16) >= (1 - ratio) * RANDOM_MAX;
}
