import { LRUCache } from 'lru-cache';

/** A map that forgets the least recently used entries so as to stay within its bound. Values are objects; times are the owner's business. */
export interface BoundedCache<V extends object> {
  get(key: string): V | undefined;
  /** `bytes` is what the entry counts for where the cache is bounded by bytes. */
  set(key: string, value: V, bytes?: number): void;
  delete(key: string): void;
  clear(): void;
  readonly entries: number;
}

/** The bound of one cache: a number of entries, or the bytes that the owner says an entry takes. 0 turns the cache off. */
export type CacheBound = { readonly entriesMax: number } | { readonly bytesMax: number };

/** Makes caches; handed to the parts that need one, so that they do not know the library. */
export type CreateBoundedCache = <V extends object>(bound: CacheBound) => BoundedCache<V>;

/** A cache over `lru-cache` (this file owns the library). */
export function createBoundedCache<V extends object>(bound: CacheBound): BoundedCache<V> {
  const byBytes = 'bytesMax' in bound;
  const limit = byBytes ? bound.bytesMax : bound.entriesMax;
  if (limit <= 0) return createEmptyCache();
  const lru = byBytes ? new LRUCache<string, V>({ maxSize: limit }) : new LRUCache<string, V>({ max: limit });
  return {
    get: (key) => lru.get(key),
    set: (key, value, bytes = 1) => {
      if (byBytes) lru.set(key, value, { size: Math.max(1, Math.ceil(bytes)) });
      else lru.set(key, value);
    },
    delete: (key) => {
      lru.delete(key);
    },
    clear: () => lru.clear(),
    get entries() {
      return lru.size;
    },
  };
}

function createEmptyCache<V extends object>(): BoundedCache<V> {
  return { get: () => undefined, set: () => undefined, delete: () => undefined, clear: () => undefined, entries: 0 };
}
