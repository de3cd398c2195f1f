import type { CommonRedisOptions } from 'ioredis';

/**
 * What every connection has, found by trying (a stopped server, a silent listener, a killed one): without `socketTimeout` a connection to a
 * hung server stays `ready` for ever and every timed-out command stays queued.
 */
export function connectionSettings(deadlineMs: number) {
  return {
    maxRetriesPerRequest: 0,
    connectTimeout: 500,
    commandTimeout: deadlineMs,
    socketTimeout: 300,
  } satisfies CommonRedisOptions;
}

/** A connection that only listens may be silent for days, and has no `socketTimeout`: what it misses is found without it. */
export const listenerSettings = { maxRetriesPerRequest: 0, connectTimeout: 500, keepAlive: 10_000 } satisfies CommonRedisOptions;

/** Milliseconds before the next attempt to connect. */
export function retryMs(attempt: number): number {
  return Math.min(50 * attempt, 500);
}
