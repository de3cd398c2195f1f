import { describe, expect, test } from 'vitest';
import { RecentEntries } from '../../src/stores/recent-entries.ts';
import { RecordPool } from '../../src/stores/record-pool.ts';

const IDLE_MS = 1000;

function createPool(entriesMax: number) {
  const evicted: number[] = [];
  const pool = new RecordPool({
    entriesMax,
    shape: { floats: 2, words: 1, halves: 3 },
    idleMs: IDLE_MS,
    onEvict: ({ words, word }) => evicted.push(words[word] ?? -1),
  });
  /** Takes as the parts do: the first float is the time of the last use. */
  function use(key: string, nowMs: number, mark?: number): 'fresh' | number | null {
    const cells = pool.take(key, nowMs);
    if (cells === null) return null;
    cells.floats[cells.float] = nowMs;
    const before = cells.words[cells.word] ?? 0;
    if (mark !== undefined) {
      cells.words[cells.word] = mark;
      cells.halves[cells.half + 2] = mark;
    }
    return cells.fresh ? 'fresh' : before;
  }
  return { pool, use, evicted };
}

describe('records', () => {
  test('each key has its own cells, over many pieces', () => {
    const { pool, use } = createPool(5000);
    for (let key = 0; key < 5000; key += 1) expect(use(`k${key}`, key, key + 1)).toBe('fresh');
    for (let key = 0; key < 5000; key += 1) expect(use(`k${key}`, 5000)).toBe(key + 1);
    expect(pool.size).toBe(5000);
  });

  test('a full pool refuses new keys while all are live: nobody is put out by others', () => {
    const { pool, use, evicted } = createPool(3);
    for (const key of ['a', 'b', 'c']) use(key, 0, 1);
    for (let stranger = 0; stranger < 1000; stranger += 1) expect(use(`stranger-${stranger}`, IDLE_MS)).toBeNull();
    expect(use('a', IDLE_MS)).toBe(1);
    expect([pool.size, evicted]).toEqual([3, []]);
  });

  test('the one that was not used for the longest time goes once it is idle, and its place is clean', () => {
    const { use, evicted, pool } = createPool(2);
    use('a', 0, 7);
    use('b', 1, 8);
    use('a', 900);
    expect(use('c', 1002)).toBe('fresh');
    expect(evicted).toEqual([8]);
    expect(use('c', 1003)).toBe(0);
    expect(pool.find('b')).toBeNull();
    expect(use('d', 1004)).toBeNull();
    expect(use('a', 1005)).toBe(7);
  });

  test('a pool of one, and a clock that was set back by more than the idle time', () => {
    const { use } = createPool(1);
    expect(use('a', 10_000, 3)).toBe('fresh');
    expect(use('b', 9500)).toBeNull();
    expect(use('b', 100)).toBe('fresh');
    expect(use('a', 2000)).toBe('fresh');
  });

  test('finding is not using', () => {
    const { pool, use, evicted } = createPool(2);
    use('a', 0, 1);
    use('b', 1, 2);
    expect(pool.find('a')?.words[0]).toBe(1);
    use('c', 1002);
    expect(evicted).toEqual([1]);
  });
});

describe('recent entries', () => {
  const value = { one: 1 };

  test('are there until they are too old', () => {
    const recent = new RecentEntries<typeof value>(10, 300);
    recent.note('a', value, 1000);
    expect([recent.find('a', 1300), recent.find('a', 1301), recent.find('b', 1000)]).toEqual([value, null, null]);
  });

  test('are bounded: the oldest goes, and what is too old is cleared away', () => {
    const recent = new RecentEntries<typeof value>(3, 300);
    for (let id = 0; id < 10; id += 1) recent.note(`id-${id}`, value, 1000 + id);
    expect(recent.size).toBe(3);
    expect([recent.find('id-6', 1010), recent.find('id-7', 1010)]).toEqual([null, value]);
    recent.note('late', value, 5000);
    recent.note('later', value, 5001);
    expect(recent.size).toBe(2);
  });
});
