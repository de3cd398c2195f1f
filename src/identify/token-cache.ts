import { hash } from 'node:crypto';
import type { CacheStatus } from '../contract/status.ts';
import type { BoundedCache, CacheBound, CreateBoundedCache } from '../stores/bounded-cache.ts';
import type { TokenOutcome } from './token-outcome.ts';

/** Counts of one cache, for the status. */
type Tally = { hits: number; misses: number };

/** What a verified token takes besides its own text: parsed claims several times their JSON, and the entry itself. */
const CLAIMS_FACTOR = 4;
const ENTRY_BYTES = 1024;

/**
 * Verified tokens by their whole text: the map compares the strings themselves, so no two tokens can be taken for each other
 * (USER-ASKS 31). It may outlive issuers: an entry names the one that it was verified by, and counts for no other.
 */
export function createVerifiedCache<V extends TokenOutcome>(bytesMax: number, createCache: CreateBoundedCache) {
  const { cache, tally, status } = counted<V>({ bytesMax }, createCache);
  return {
    get(token: string): V | undefined {
      const entry = cache.get(token);
      if (entry === undefined) tally.misses++;
      else tally.hits++;
      return entry;
    },
    set(token: string, entry: V): void {
      cache.set(token, entry, ENTRY_BYTES + token.length * (1 + CLAIMS_FACTOR));
    },
    delete: cache.delete,
    status,
  };
}

type Remembered = { readonly outcome: TokenOutcome; readonly untilMs: number; readonly by: object };

/**
 * Refusals by the token's hash, since refused tokens are foreign text of any size and number. A refusal counts for those issuers, as one object, that it
 * was made by: what one generation of them refuses the next may accept.
 */
export function createNegativeCache(limits: { readonly entriesMax: number; readonly ttlSeconds: number }, createCache: CreateBoundedCache) {
  const { cache, tally, status } = counted<Remembered>({ entriesMax: limits.entriesMax }, createCache);
  return {
    get(token: string, nowMs: number, by: object): TokenOutcome | undefined {
      const found = cache.entries === 0 ? undefined : cache.get(hash('sha256', token, 'base64url'));
      if (found === undefined || nowMs >= found.untilMs || found.by !== by) {
        tally.misses++;
        return undefined;
      }
      tally.hits++;
      return found.outcome;
    },
    set(token: string, outcome: TokenOutcome, nowMs: number, by: object): void {
      cache.set(hash('sha256', token, 'base64url'), { outcome, untilMs: nowMs + limits.ttlSeconds * 1000, by });
    },
    status,
  };
}

/** A bounded cache with its counts. */
export function counted<V extends object>(
  bound: CacheBound,
  createCache: CreateBoundedCache,
): { readonly cache: BoundedCache<V>; readonly tally: Tally; readonly status: () => CacheStatus } {
  const cache = createCache<V>(bound);
  const tally: Tally = { hits: 0, misses: 0 };
  return { cache, tally, status: () => ({ hits: tally.hits, misses: tally.misses, entries: cache.entries }) };
}
