import { expect, test } from 'vitest';
import { createBoundedCache } from '../../src/stores/bounded-cache.ts';

const value = (n: number) => ({ n });

test('keeps no more entries than its bound, and forgets the least recently used', () => {
  const cache = createBoundedCache<{ n: number }>({ entriesMax: 2 });
  cache.set('a', value(1));
  cache.set('b', value(2));
  cache.get('a');
  cache.set('c', value(3));
  expect([cache.get('a')?.n, cache.get('b'), cache.get('c')?.n, cache.entries]).toEqual([1, undefined, 3, 2]);
  cache.delete('a');
  expect(cache.entries).toBe(1);
  cache.clear();
  expect(cache.entries).toBe(0);
});

test('keeps no more bytes than its bound, and nothing that is larger than all of it', () => {
  const cache = createBoundedCache<{ n: number }>({ bytesMax: 100 });
  cache.set('a', value(1), 60);
  cache.set('b', value(2), 60);
  expect([cache.get('a'), cache.get('b')?.n]).toEqual([undefined, 2]);
  cache.set('huge', value(3), 101);
  expect(cache.get('huge')).toBeUndefined();
});

test.each([{ entriesMax: 0 }, { bytesMax: 0 }])('is off at %j', (bound) => {
  const cache = createBoundedCache<{ n: number }>(bound);
  cache.set('a', value(1));
  expect([cache.get('a'), cache.entries]).toEqual([undefined, 0]);
});
