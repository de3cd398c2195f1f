import type { CacheStatus } from '../../contract/status.ts';
import type { CreateBoundedCache } from '../../stores/bounded-cache.ts';
import { counted } from '../token-cache.ts';
import type { TokenOutcome } from '../token-outcome.ts';
import { isActive } from './answer.ts';

type Known = { readonly outcome: TokenOutcome; readonly untilMs: number };

/** Parsed members take several times their JSON, and then there is the entry itself. */
const MEMBERS_FACTOR = 5;
const ENTRY_BYTES = 1024;

/** Answers by a hash of all that they depend on; active ones have room of their own, so that a flood of others cannot push them out. */
export interface AnswerCache {
  get(key: string, nowMs: number): TokenOutcome | undefined;
  /** Keeps an answer for `seconds`, and never past the token's `exp`. */
  set(key: string, outcome: TokenOutcome, nowMs: number, seconds: number): void;
  status(): CacheStatus;
}

/** One cache for the answers of all servers. */
export function createAnswerCache(
  limits: { readonly bytesMax: number; readonly refusedEntriesMax: number },
  createCache: CreateBoundedCache,
): AnswerCache {
  const active = counted<Known>({ bytesMax: limits.bytesMax }, createCache);
  const refused = createCache<Known>({ entriesMax: limits.refusedEntriesMax });
  return {
    get(key, nowMs) {
      const known = active.cache.get(key) ?? refused.get(key);
      if (known === undefined || nowMs >= known.untilMs) {
        active.tally.misses++;
        return undefined;
      }
      active.tally.hits++;
      return known.outcome;
    },
    set(key, outcome, nowMs, seconds) {
      // what was said before no longer holds, whatever comes now
      active.cache.delete(key);
      refused.delete(key);
      const settingMs = nowMs + seconds * 1000;
      if (!isActive(outcome)) {
        if (settingMs > nowMs) refused.set(key, { outcome, untilMs: settingMs });
        return;
      }
      const { expiresAt, claims } = outcome.signal.value;
      const untilMs = expiresAt === null ? settingMs : Math.min(settingMs, expiresAt * 1000);
      if (untilMs > nowMs) active.cache.set(key, { outcome, untilMs }, ENTRY_BYTES + JSON.stringify(claims).length * MEMBERS_FACTOR);
    },
    status: () => ({ ...active.status(), entries: active.cache.entries + refused.entries }),
  };
}
