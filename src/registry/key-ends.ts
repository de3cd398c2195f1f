import type { ApiKeyRecord } from '../contract/registry.ts';
import { KEY_END_SPANS, type KeyEnds } from '../contract/registry-status.ts';

/** The keys that have an end, beside the numbers: those are looked through without a look at a key. */
export type EndingKeys = {
  add(key: ApiKeyRecord): void;
  /**
   * Looked through once a minute at most, since health checks ask too: a hundred thousand ends take some milliseconds.
   * @param generation of what `isGood` goes by; another one is looked through at once
   * @param isGood whether anything else keeps the key from being used; asked of keys that end soon, or could be the first to
   */
  at(nowSeconds: number, generation: number, isGood: (key: ApiKeyRecord) => boolean): KeyEnds;
};

const EVERY_SECONDS = 60;

/** Nothing that ends. */
export function createEndingKeys(): EndingKeys {
  const ends: number[] = [];
  const keys: ApiKeyRecord[] = [];
  let seen: { readonly atSeconds: number; readonly generation: number; readonly ends: KeyEnds } | null = null;

  function look(nowSeconds: number, isGood: (key: ApiKeyRecord) => boolean): KeyEnds {
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
  }

  return {
    add(key) {
      if (key.expiresAt === null) return;
      ends.push(key.expiresAt);
      keys.push(key);
    },
    at(nowSeconds, generation, isGood) {
      const age = seen === null ? -1 : nowSeconds - seen.atSeconds;
      if (seen !== null && seen.generation === generation && age >= 0 && age < EVERY_SECONDS) return seen.ends;
      seen = { atSeconds: nowSeconds, generation, ends: look(nowSeconds, isGood) };
      return seen.ends;
    },
  };
}
