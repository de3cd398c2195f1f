import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createReplica } from '../../../src/registry/pushed/replica.ts';
import type { KeptEntries, SharedEntries, SharedEntry } from '../../../src/stores/shared-entries.ts';
import { openSqliteEntries } from '../../../src/stores/sqlite-entries.ts';
import { createMemoryLogger } from '../../endpoints/fixtures.ts';
import { openReady, until } from '../../stores/redis/opened.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

/* Replicas over a real Redis that loses what it has said, or that a replica with another time asks. */

const KEY = 'test:{things}';
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
});

let nonces = 0;
const secondsNow = (): number => Math.floor(Date.now() / 1000);
const entry = (name: string, untilSeconds = 0): SharedEntry => ({
  id: `client-${name}`,
  untilSeconds,
  text: JSON.stringify({ client: name, reason: 'r', by: 'bob', at: 1_790_000_000 }),
});

async function replica({ openKept = null, aheadSeconds = 0 }: { openKept?: (() => KeptEntries) | null; aheadSeconds?: number } = {}) {
  const { entries: open } = await openReady({ url: redis.url });
  const shared: SharedEntries = open('things', () => `r${nonces++}`);
  await until(async () => (await shared.remove([])).kind !== 'failed');
  const clock = { ahead: aheadSeconds, now: () => Date.now() + clock.ahead * 1000, monotonic: () => performance.now() };
  const logger = createMemoryLogger();
  const made = createReplica({ clock, logger, shared, openKept });
  onTestFinished(() => made.close());
  made.open();
  await made.follow();
  const calls = { purge: 0 };
  const { purge } = shared;
  shared.purge = (...args) => {
    calls.purge++;
    return purge(...args);
  };
  return { ...made, shared, clock, logger, calls, replica: made, ids: () => [...made.held.entries.keys()].sort() };
}

function file(): () => KeptEntries {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-mend-revocations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return () => openSqliteEntries(join(folder, 'revocations.db'), 'revocations.db');
}

const field = async (...command: readonly string[]): Promise<string> => (await redis.command(...command)).split('\r\n')[1] ?? '';
const fieldsThere = async (): Promise<string> => redis.command('HKEYS', KEY);

describe('a revocation that was answered is in force for everybody', () => {
  test('where the store forgot everything, and another replica that had not seen it noticed first', async () => {
    const [a, b] = [await replica(), await replica()];
    await a.put([entry('old')], 10);
    for (const one of [a, b]) await one.follow();
    expect(await a.put([entry('x')], 10)).toMatchObject({ kind: 'put', position: { version: 3 } });
    await redis.command('FLUSHALL');
    await b.follow();
    await a.follow();
    await b.follow();
    expect([a.ids(), b.ids()]).toEqual(Array(2).fill(['client-old', 'client-x']));
  });

  /** What a failover does to changes that the copy had not got. */
  async function forgetting(work: () => Promise<void>): Promise<void> {
    const before = await field('HGET', KEY, 'm');
    const version = Number(before.split(' ')[1]);
    const had = new Set(((await fieldsThere()).match(/e:\S+/g) ?? []) as string[]);
    await work();
    const added = ((await fieldsThere()).match(/e:\S+/g) ?? []).filter((name) => !had.has(name));
    await redis.command('HDEL', KEY, ...added, ...Array.from({ length: 5 }, (_, index) => `c:${version + 1 + index}`));
    await redis.command('HSET', KEY, 'm', before);
  }

  test.each(['nobody changed anything since', 'others made as many changes since', 'its own replica changed something since'])(
    'where a failover lost it: %s',
    async (name) => {
      const [a, b] = [await replica(), await replica()];
      await a.put([entry('old')], 10);
      for (const one of [a, b]) await one.follow();
      await forgetting(async () => {
        expect(await a.put([entry('x')], 10)).toMatchObject({ kind: 'put' });
      });
      if (name.startsWith('others')) await b.put([entry('y')], 10);
      if (name.startsWith('its own')) {
        // a change over a history without the one before it is no change: it is followed first
        expect(await a.put([entry('z')], 10)).toEqual({ kind: 'lost' });
        expect(await a.remove('client-old')).toEqual({ kind: 'lost' });
      }
      await a.follow();
      await b.follow();
      await a.follow();
      expect(a.ids()).toEqual(expect.arrayContaining(['client-old', 'client-x']));
      expect(b.ids()).toEqual(a.ids());
      expect(await a.put([entry('w')], 10)).toMatchObject({ kind: 'put' });
    },
  );

  test('where its replica was started anew before it looked', async () => {
    const openKept = file();
    const [a, b] = [await replica({ openKept }), await replica()];
    await a.follow();
    await forgetting(async () => {
      await a.put([entry('x')], 10);
    });
    a.close();
    const again = await replica({ openKept });
    await b.follow();
    expect([again.ids(), b.ids()]).toEqual(Array(2).fill(['client-x']));
    expect(again.logger.lines).toContainEqual({ level: 'warn', event: 'revocations_restored', fields: { entries: 1 } });
  });
});

describe('what is over', () => {
  test('leaves the store also where that did not answer at first, and makes room', async () => {
    const a = await replica();
    const ends = secondsNow() - 5;
    await a.shared.put([entry('over', ends), entry('never')], 2);
    const { purge } = a.shared;
    a.shared.purge = async () => ({ kind: 'failed', error: 'away' });
    // it is over before it was ever taken
    await a.follow();
    expect([a.ids(), await a.put([entry('new')], 2)]).toEqual([['client-never'], { kind: 'full' }]);
    a.shared.purge = purge;
    await a.follow();
    expect(await fieldsThere()).not.toContain('client-over');
    expect(await a.put([entry('new')], 2)).toMatchObject({ kind: 'put' });
  });

  test('leaves where everything is read, and where nobody who is there ever knew it', async () => {
    const openKept = file();
    const a = await replica({ openKept });
    await a.shared.put([entry('over', secondsNow() - 5)], 10);
    const late = await replica();
    expect([late.ids(), await fieldsThere()]).toEqual([[], expect.not.stringContaining('client-over')]);
    // its file says that it has followed to the end, without the entry that is there still
    await a.shared.put([entry('kept'), entry('over', secondsNow() - 5)], 10);
    a.shared.purge = async () => ({ kind: 'failed', error: 'away' });
    await a.follow();
    a.close();
    expect(await fieldsThere()).toContain('client-over');
    const again = await replica({ openKept });
    expect([again.ids(), await fieldsThere()]).toEqual([['client-kept'], expect.not.stringContaining('client-over')]);
  });

  test('is so for nobody before it is by the time of the store', async () => {
    const [a, fast] = [await replica(), await replica({ aheadSeconds: 7200 })];
    const ends = secondsNow() + 3600;
    await a.put([entry('x', ends), entry('y', ends)], 10);
    await fast.follow();
    await fast.follow();
    await a.follow();
    const late = await replica();
    expect([a, late, fast].map((one) => one.ids())).toEqual(Array(3).fill(['client-x', 'client-y']));
    // and is not asked for again and again
    const asked = fast.calls.purge;
    for (let round = 0; round < 3; round++) await fast.follow();
    expect(fast.calls.purge).toBe(asked);
  });

  test('is not what was lengthened meanwhile', async () => {
    const [a, b] = [await replica(), await replica()];
    const ends = secondsNow() + 3600;
    await a.put([entry('x', ends)], 10);
    await b.follow();
    await a.put([entry('x', ends + 7200)], 10);
    const purged = await b.shared.purge(['client-x'], ends + 1);
    expect(purged).toMatchObject({ kind: 'purged', total: 1, refused: [entry('x', ends + 7200)] });
    await b.follow();
    expect(b.replica.held.entries.get('client-x')?.untilSeconds).toBe(ends + 7200);
  });
});
