import { describe, expect, test } from 'vitest';
import { createMemoryWindows } from '../../src/stores/memory-windows.ts';
import { WindowPool } from '../../src/stores/window-pool.ts';
import { subBucketsAt, type WindowKeys } from '../../src/stores/windows.ts';

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;
const NONE: WindowKeys = { client: null, address: null, token: null, route: null };

function counter(entriesMax = 1000) {
  const store = createMemoryWindows({ entriesMax, startedAtMs: NOW });
  const count = (address: string, atMs: number) => {
    const answer = store.count({ ...NONE, address }, atMs, 25);
    return answer instanceof Promise ? expect.fail() : answer.address;
  };
  return { store, count };
}

/** The count of one window after hits at these seconds. */
function countAt(window: '10s' | '1m' | '10m' | '1h', seconds: readonly number[]): number {
  const { count } = counter();
  let last = 0;
  for (const second of seconds) {
    const counts = count('a', NOW + second * 1000);
    last = counts !== null && typeof counts === 'object' ? counts[window] : expect.fail();
  }
  return last;
}

describe('sliding', () => {
  test('[asks 67] ten at second 59 and one at second 61 are eleven in one minute', () => {
    expect(countAt('1m', [...Array.from({ length: 10 }, () => 59), 61])).toBe(11);
  });

  test('[asks 68] a burst, half a window, a burst: both count', () => {
    expect(countAt('1m', [...Array.from({ length: 10 }, () => 0), ...Array.from({ length: 10 }, () => 30)])).toBe(20);
  });

  test('a hit is out after its window and one sub-bucket', () => {
    expect(countAt('10s', [0, 9.9])).toBe(2);
    expect(countAt('10s', [0, 10.5])).toBe(1);
    expect(countAt('1h', [0, 3599])).toBe(2);
    expect(countAt('1h', [0, 3661])).toBe(1);
  });

  test('a clock that is set back a little does not lose and does not go negative', () => {
    expect(countAt('10s', [100, 95, 100, 99])).toBe(4);
  });

  test('a clock that is set back by more than the window starts afresh', () => {
    expect(countAt('10s', [100, 50])).toBe(1);
    expect(countAt('1h', [10_000, 0])).toBe(1);
  });

  test('a clock that was far ahead does not hold the counters for good', () => {
    const { count } = counter(4);
    count('a', NOW + 1000 * HOUR);
    count('b', NOW + 1000 * HOUR);
    expect(count('a', NOW)).toEqual({ '10s': 1, '1m': 1, '10m': 1, '1h': 1 });
    expect(count('c', NOW)).toEqual({ '10s': 1, '1m': 1, '10m': 1, '1h': 1 });
  });
});

describe('bounds', () => {
  test('a full pool refuses new keys, keeps the live ones, and the other pools go on', () => {
    const { store, count } = counter(20);
    for (let index = 0; index < 10; index += 1) expect(count(`a${index}`, NOW)).toMatchObject({ '1h': 1 });
    expect(count('a10', NOW)).toBe('store_full');
    expect(count('a3', NOW)).toMatchObject({ '1h': 2 });
    expect(store.count({ ...NONE, client: 'c' }, NOW, 25)).toMatchObject({ client: { '1h': 1 } });
  });

  test("a flood of API keys or of one counter's keys resets nobody: each has a pool of its own, and live windows stay", () => {
    const store = createMemoryWindows({ entriesMax: 100, counterEntriesMax: 5, startedAtMs: NOW });
    const hit = (counter: string, key: string) => ({ counter, key, amount: 1, thresholds: [] });
    const ask = (keys: Partial<WindowKeys>) => store.count({ ...NONE, ...keys }, NOW, 25);
    ask({ client: 'c', api_key: 'victim', counters: [hit('p/a', 'victim'), hit('p/b', 'victim')] });
    for (let index = 0; index < 1000; index += 1) ask({ api_key: `k${index}`, counters: [hit('p/a', `k${index}`)] });
    const after = ask({
      client: 'c',
      api_key: 'victim',
      counters: [hit('p/a', 'victim'), hit('p/b', 'victim'), hit('p/b', 'new'), hit('p/a', 'new')],
    });
    expect(after).toMatchObject({ client: { '1h': 2 }, api_key: { '1h': 2 } });
    expect(after).toMatchObject({ counters: [{ '1d': 2 }, { '1d': 2 }, { '1d': 1 }, 'store_full'] });
    expect(store.status().entries).toBe(1 + 5 + 5 + 2);
  });

  test('names of counters are bounded', () => {
    const store = createMemoryWindows({ entriesMax: 100, counterEntriesMax: 1, startedAtMs: NOW });
    const answers = store.add(
      Array.from({ length: 70 }, (_, index) => ({ counter: `p/${index}`, key: 'k', amount: 1, thresholds: [] })),
      NOW,
      25,
    );
    expect(answers instanceof Promise ? [] : answers.filter((answer) => answer === 'store_full')).toHaveLength(6);
  });

  test('expired entries make room, the live one among them stays', () => {
    const { count } = counter(20);
    for (let index = 0; index < 10; index += 1) count(`a${index}`, NOW);
    count('a0', NOW + HOUR);
    expect(count('new', NOW + HOUR)).toBe('store_full');
    expect(count('new', NOW + HOUR + 10 * 60_000)).toMatchObject({ '1h': 1 });
    expect(count('a0', NOW + HOUR + 10 * 60_000)).toMatchObject({ '1h': 2 });
  });

  test('a place that is used again has no counts of its former holder', () => {
    const pool = new WindowPool(1);
    for (let hit = 0; hit < 5; hit += 1) pool.hit('old', subBucketsAt(NOW));
    expect(pool.hit('new', subBucketsAt(NOW))).toBeNull();
    expect(pool.hit('new', subBucketsAt(NOW + 2 * HOUR))).toEqual({ '10s': 1, '1m': 1, '10m': 1, '1h': 1 });
    expect(pool.size).toBe(1);
  });

  test('many keys over several chunks of memory are told apart', () => {
    const { store, count } = counter(20_000);
    for (let round = 1; round <= 2; round += 1) {
      for (let index = 0; index < 5000; index += 1)
        expect(count(`k${index}`, NOW)).toEqual({ '10s': round, '1m': round, '10m': round, '1h': round });
    }
    expect(store.status()).toEqual({ kind: 'memory', state: 'ready', entries: 5000, lastError: null });
  });

  test('everything expires in the end', () => {
    const { store, count } = counter();
    for (let index = 0; index < 100; index += 1) count(`k${index}`, NOW);
    for (let index = 0; index < 60; index += 1) count('last', NOW + 2 * HOUR);
    expect(store.status().entries).toBe(1);
  });
});

test('[asks 70] history is lost until this process has counted for an hour', () => {
  const { store } = counter();
  expect(store.count(NONE, NOW + HOUR - 1, 25)).toMatchObject({ historyLost: true });
  expect(store.count(NONE, NOW + HOUR, 25)).toMatchObject({ historyLost: false });
});

test('counters of policies that are gone make room for new ones once their day is over, and no others do', () => {
  const windows = createMemoryWindows({ entriesMax: 100, counterEntriesMax: 10, startedAtMs: 0 });
  const add = (counter: string, atMs: number): unknown => {
    const answer = windows.add([{ counter, key: 'k', amount: 1000, thresholds: [] }], atMs, 25);
    const sums = answer instanceof Promise ? null : answer[0];
    return typeof sums === 'object' && sums !== null ? sums['1d'] : sums;
  };
  const start = 1_790_000_000_000;
  for (let number = 0; number < 64; number += 1) expect(add(`default/c${number}`, start)).toBe(1000);
  expect(add('default/new', start + 86_400_000)).toBe('store_full');
  expect(add('default/c7', start + 86_400_000)).toBe(2000);
  const later = start + 2 * 86_400_000 - 60_000;
  expect(add('default/new', later)).toBe(1000);
  // the one that is in use is as it was: a hit within its day is still counted
  expect(add('default/c7', later)).toBe(2000);
  expect(add('default/new', later)).toBe(2000);
});
