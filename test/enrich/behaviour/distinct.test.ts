import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DISTINCT_WORDS, DistinctSets, NOT_COUNTED } from '../../../src/enrich/behaviour/distinct.ts';
import { KeyedHash } from '../../../src/enrich/behaviour/keyed-hash.ts';
import { BlockPool, createBlock } from '../../../src/stores/block-pool.ts';
import { HOUR_MS, T0 } from './fixtures.ts';

const AT = 3;

function createSet(seed = 1, blocks = new BlockPool(10)) {
  const sets = new DistinctSets(blocks, createBlock());
  const hash = new KeyedHash([seed, seed * 7919]);
  const words = new Uint32Array(DISTINCT_WORDS + 2 * AT).fill(7, 0, AT).fill(7, AT + DISTINCT_WORDS);
  return {
    blocks,
    words,
    add(thing: number, nowMs = T0): number {
      hash.text('thing', String(thing));
      return sets.add(words, AT, nowMs, hash);
    },
    count: (nowMs = T0) => sets.count(words, AT, nowMs),
    clear: () => sets.clear(words, AT),
  };
}

describe('exact to 32', () => {
  test('whatever comes again, and in whatever order, over two hours', () => {
    const adds = fc.array(fc.record({ thing: fc.integer({ min: 0, max: 40 }), minutes: fc.integer({ min: 0, max: 50 }) }), {
      maxLength: 120,
    });
    fc.assert(
      fc.property(adds, (steps) => {
        const set = createSet();
        const byHour = new Map<number, Set<number>>();
        let now = T0;
        for (const { thing, minutes } of steps) {
          now += minutes * 60_000;
          const hour = Math.floor(now / HOUR_MS);
          const running = byHour.get(hour) ?? new Set();
          byHour.set(hour, running.add(thing));
          const before = byHour.get(hour - 1) ?? new Set();
          if (running.size > 32 || before.size > 32) return;
          expect(set.add(thing, now)).toBe(new Set([...running, ...before]).size);
          expect(set.count(now)).toBe(new Set([...running, ...before]).size);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('what is one hour old is counted, what is two hours old is not', () => {
    const set = createSet();
    for (const thing of [1, 2, 3]) set.add(thing, T0 + HOUR_MS - 1);
    expect(set.count(T0 + 2 * HOUR_MS - 1)).toBe(3);
    expect(set.add(4, T0 + 2 * HOUR_MS - 1)).toBe(4);
    expect(set.count(T0 + 2 * HOUR_MS)).toBe(1);
    expect(set.count(T0 + 9 * HOUR_MS)).toBe(0);
    expect(set.blocks.size).toBe(0);
  });

  test('the words of neighbours are left alone', () => {
    const set = createSet();
    for (let thing = 0; thing < 500; thing += 1) set.add(thing, T0 + thing * 10_000);
    set.clear();
    expect([...set.words]).toEqual([7, 7, 7, ...Array(DISTINCT_WORDS).fill(0), 7, 7, 7]);
    expect(set.blocks.size).toBe(0);
  });
});

describe('an estimate above', () => {
  const SEEDS = 200;
  /** The standard error that is stated. */
  const ERROR = 1.04 / Math.sqrt(256);

  test.each([40, 100, 300, 600, 1000, 5000])(`of %i, over ${SEEDS} keys: root mean square within the stated 6.5 %%, no bias`, (size) => {
    const errors = Array.from({ length: SEEDS }, (_, seed) => {
      const set = createSet(seed + 1);
      let last = 0;
      for (let thing = 0; thing < size; thing += 1) last = set.add(thing);
      return last / size - 1;
    });
    const mean = errors.reduce((sum, error) => sum + error, 0) / SEEDS;
    const rms = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / SEEDS);
    // four standard errors of the estimates of a mean and of a deviation over so many keys
    expect(rms).toBeLessThan(ERROR * (1 + 4 / Math.sqrt(2 * SEEDS)));
    expect(Math.abs(mean)).toBeLessThan((ERROR * 4) / Math.sqrt(SEEDS));
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5 * ERROR);
  });

  test('never less than 33, and never less than a moment before', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const set = createSet(seed);
      let last = 0;
      for (let thing = 0; thing < 400; thing += 1) {
        const count = set.add(thing);
        expect(count).toBeGreaterThanOrEqual(Math.min(thing + 1, 33));
        expect(count).toBeGreaterThanOrEqual(last);
        last = count;
      }
    }
  });

  test.each([
    ['an estimate, then a few', 100, 5],
    ['a few, then an estimate', 5, 100],
    ['two estimates', 100, 100],
    ['one, then an estimate', 1, 200],
  ])('of two hours together: %s', (_what, first, second) => {
    const errors = Array.from({ length: 100 }, (_, seed) => {
      const set = createSet(seed + 1);
      for (let thing = 0; thing < first; thing += 1) set.add(thing, T0);
      let last = 0;
      // half of what comes in the second hour came in the first one already
      const from = first - Math.floor(Math.min(first, second) / 2);
      for (let thing = from; thing < from + second; thing += 1) last = set.add(thing, T0 + HOUR_MS);
      return last / (from + second) - 1;
    });
    expect(Math.abs(errors.reduce((sum, error) => sum + error, 0) / 100)).toBeLessThan((ERROR * 4) / 10);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5 * ERROR);
  });
});

test('where no block is left the second thing is not counted, and says so', () => {
  const blocks = new BlockPool(1);
  const [one, other] = [createSet(1, blocks), createSet(1, blocks)];
  expect([one.add(1), one.add(2)]).toEqual([1, 2]);
  expect([other.add(1), other.add(1), other.add(2)]).toEqual([1, 1, NOT_COUNTED]);
  one.clear();
  expect(other.add(2)).toBe(2);
});

test('is not told as one by later requests, nor in the next hour, while a second thing had no place', () => {
  const blocks = new BlockPool(1);
  const [one, other] = [createSet(1, blocks), createSet(1, blocks)];
  one.add(1);
  one.add(2);
  expect([other.add(1), other.add(2), other.add(1), other.count()]).toEqual([1, NOT_COUNTED, NOT_COUNTED, NOT_COUNTED]);
  expect(other.count(T0 + HOUR_MS)).toBe(NOT_COUNTED);
  expect(other.count(T0 + 2 * HOUR_MS)).toBe(0);
  expect(blocks.size).toBe(1);
  expect([other.add(1, T0 + 2 * HOUR_MS), other.add(3, T0 + 2 * HOUR_MS)]).toEqual([1, NOT_COUNTED]);
  one.clear();
  expect([other.add(3, T0 + 2 * HOUR_MS), other.add(1, T0 + 2 * HOUR_MS)]).toEqual([2, 2]);
  other.clear();
  expect(blocks.size).toBe(0);
});
