import type { ApiKeyRecord } from '../contract/registry.ts';
import { KEY_END_SPANS, type KeyEnds } from '../contract/registry-status.ts';

/** The keys that have an end, beside the numbers: those are looked through at each scrape, without a look at a key. */
export type EndingKeys = {
  add(key: ApiKeyRecord): void;
  /** @param isGood whether anything else keeps the key from being used; asked of keys that end soon, or could be the first to */
  at(nowSeconds: number, isGood: (key: ApiKeyRecord) => boolean): KeyEnds;
};

/** Nothing that ends. */
export function createEndingKeys(): EndingKeys {
  const ends: number[] = [];
  const keys: ApiKeyRecord[] = [];
  return {
    add(key) {
      if (key.expiresAt === null) return;
      ends.push(key.expiresAt);
      keys.push(key);
    },
    at(nowSeconds, isGood) {
      const within = { '1d': 0, '7d': 0, '30d': 0 };
      let next: ApiKeyRecord | null = null;
      let first = Number.POSITIVE_INFINITY;
      for (const [index, end] of ends.entries()) {
        const left = end - nowSeconds;
        if (left <= 0 || (left > KEY_END_SPANS['30d'] && end >= first)) continue;
        const key = keys[index];
        if (key === undefined || !isGood(key)) continue;
        if (end < first) [first, next] = [end, key];
        if (left <= KEY_END_SPANS['30d']) within['30d']++;
        if (left <= KEY_END_SPANS['7d']) within['7d']++;
        if (left <= KEY_END_SPANS['1d']) within['1d']++;
      }
      return { within, next: next === null ? null : { id: next.id, client: next.clientId, endsAt: first } };
    },
  };
}
