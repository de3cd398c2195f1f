import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BEGIN_SCRIPT } from '../../../src/stores/redis/entries-script.ts';
import type { Followed } from '../../../src/stores/shared-entries.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { createFollower, entry } from './follower.ts';
import { until } from './opened.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
});

/** Made, by a change that has a place. */
const PUT = { kind: 'put', position: { epoch: expect.any(String), version: expect.any(Number), head: expect.any(String) } };

const follower = (more: object = {}) => createFollower({ url: redis.url, ...more });

describe('followers', () => {
  test('see what others add and remove, by the version', async () => {
    const [a, b] = [await follower(), await follower()];
    expect(await a.once()).toMatchObject({ kind: 'all', restored: null, position: { version: 1 } });
    expect(await b.once()).toMatchObject({ kind: 'all', restored: null });
    expect(await a.shared.put([entry('x'), entry('y')], 10)).toEqual(PUT);
    expect(await b.once()).toMatchObject({ kind: 'changed', position: { version: 3 }, more: false });
    expect(await b.once()).toEqual({ kind: 'same', total: 2 });
    expect(b.ids()).toEqual(['x', 'y']);
    await b.shared.remove(['x', 'no such']);
    expect(await a.once()).toMatchObject({ kind: 'changed', removed: ['x'], position: { version: 4 } });
    expect(a.ids()).toEqual(['y']);
  });

  test('an entry that is there keeps the longer end, and nothing else changes it', async () => {
    const a = await follower();
    await a.once();
    await a.shared.put([entry('x', 2000)], 10);
    await a.shared.put([entry('x', 1000, 'shorter')], 10);
    await a.once();
    expect(a.known().entries.get('x')).toEqual(entry('x', 2000));
    await a.shared.put([entry('x', 0, 'for ever')], 10);
    await a.shared.put([entry('x', 3000, 'again shorter')], 10);
    await a.once();
    expect(a.known().entries.get('x')).toEqual(entry('x', 0, 'for ever'));
  });

  test('all of a list is added or none, and what is there already needs no room', async () => {
    const a = await follower();
    await a.once();
    expect(await a.shared.put([entry('x'), entry('y')], 2)).toEqual(PUT);
    expect(await a.shared.put([entry('y'), entry('z')], 2)).toEqual({ kind: 'full' });
    expect(await a.shared.put([entry('x'), entry('y')], 2)).toEqual(PUT);
    await a.shared.remove(['x']);
    expect(await a.shared.put([entry('z')], 2)).toEqual(PUT);
    await a.once();
    expect(a.ids()).toEqual(['y', 'z']);
  });

  test('what is over is taken out by whoever finds it, and only that', async () => {
    const a = await follower();
    await a.once();
    await a.shared.put([entry('over', 100), entry('later', 200), entry('never')], 3);
    await a.shared.purge(['over', 'later', 'never'], 150);
    expect(await a.shared.put([entry('new')], 3)).toEqual(PUT);
    expect(await a.shared.put([entry('newer')], 3)).toEqual({ kind: 'full' });
    const b = await follower();
    await b.once();
    expect(b.ids()).toEqual(['later', 'never', 'new']);
  });

  test('who is further behind than the log reads everything', async () => {
    const [a, b] = [await follower(), await follower()];
    await a.once();
    await b.once();
    await a.shared.put([entry('kept')], 10);
    // 4096 changes are kept: each of these is one
    for (let round = 0; round < 21; round++) {
      const many = Array.from({ length: 200 }, (_, index) => entry(`m${round}-${index}`));
      expect(await a.shared.put(many, 100_000)).toEqual(PUT);
    }
    expect(await b.once()).toMatchObject({ kind: 'all', restored: null, position: { version: 4202 } });
    expect(b.ids()).toHaveLength(4201);
    let last: Followed = await a.once();
    for (let round = 0; last.kind !== 'same' && round < 20; round++) last = await a.once();
    expect(a.ids()).toEqual(b.ids());
  });
});

describe('a store that forgets', () => {
  test('gets back what is known, once, and nobody loses an entry', async () => {
    const [a, b, late] = [await follower(), await follower(), await follower()];
    await a.once();
    await a.shared.put([entry('x'), entry('y')], 10);
    for (const one of [a, b]) await one.once();
    await late.once();
    await a.shared.remove(['y']);
    for (const one of [a, b]) await one.once();
    await redis.command('FLUSHALL');
    expect(await a.shared.put([entry('z')], 10)).toEqual({ kind: 'lost' });
    expect(await a.once()).toMatchObject({ kind: 'all', restored: 1 });
    await a.shared.put([entry('z')], 10);
    // it knows no more than what was put back, so it has nothing to put back itself; no more has who knew less, and what is gone stays gone
    expect(await b.once()).toMatchObject({ kind: 'all', restored: null });
    expect(await late.once()).toMatchObject({ kind: 'all', restored: null });
    expect([a, b, late].map((one) => one.ids())).toEqual([['x'], ['x', 'z'], ['x', 'z']]);
  });

  test('once more before its history began anew has none that lacks what was put back', async () => {
    const begin = (...more: string[]) => redis.command('EVAL', BEGIN_SCRIPT, '1', 'test:{things}', 'e', '2', 'h', '-', '0', 'c', ...more);
    expect(await begin('1')).toContain('lost');
    expect(await redis.command('EXISTS', 'test:{things}')).toContain(':0');
    expect(await begin('0')).toContain('put');
  });

  test('and was begun anew by somebody who knows nothing gets it back all the same', async () => {
    const [a, b] = [await follower(), await follower()];
    await a.once();
    await a.shared.put([entry('x')], 10);
    await a.once();
    await redis.command('FLUSHALL');
    expect(await b.once()).toMatchObject({ kind: 'all', restored: null });
    await b.shared.put([entry('y')], 10);
    expect(await a.once()).toMatchObject({ kind: 'all', restored: 1 });
    await b.once();
    expect([a.ids(), b.ids()]).toEqual([
      ['x', 'y'],
      ['x', 'y'],
    ]);
  });

  test('only its last changes, as a failover does: told by the name of the last change, though the versions are equal', async () => {
    const [a, b] = [await follower(), await follower()];
    await a.once();
    await a.shared.put([entry('w')], 10);
    await b.once();
    const before = await redis.command('HGET', 'test:{things}', 'm');
    await a.shared.put([entry('x')], 10);
    await a.once();
    // the copy had not got x
    await redis.command('HDEL', 'test:{things}', 'e:x', 'c:3');
    await redis.command('HSET', 'test:{things}', 'm', before.split('\r\n')[1] ?? '');
    await b.shared.put([entry('y')], 10);
    expect(await a.once()).toMatchObject({ kind: 'all', restored: 2 });
    await b.once();
    expect([a.ids(), b.ids()]).toEqual([
      ['w', 'x', 'y'],
      ['w', 'x', 'y'],
    ]);
  });
});

test('a change is heard without asking, and after its connection was killed again', async () => {
  const [a, b] = [await follower(), await follower()];
  await a.once();
  let heard = 0;
  b.shared.onChange(() => {
    heard += 1;
  });
  await until(() => heard > 0);
  const before = heard;
  await a.shared.put([entry('x')], 10);
  await until(() => heard > before);
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until(async () => (await redis.command('PUBSUB', 'NUMSUB', 'test:{things}')).includes(':1'));
  const again = heard;
  await a.shared.put([entry('y')], 10);
  await until(() => heard > again);
});

test('a key of another kind, and a server that is away, are failures and no loss', async () => {
  const a = await follower();
  await a.once();
  await a.shared.put([entry('x')], 10);
  await a.once();
  await redis.command('SET', 'test:{things}', 'not a hash');
  expect(await a.once()).toMatchObject({ kind: 'failed' });
  expect(await a.shared.put([entry('y')], 10)).toMatchObject({ kind: 'failed' });
  expect(await a.shared.remove(['x'])).toMatchObject({ kind: 'failed' });
  const other = await startRedis();
  onTestFinished(() => other.stop());
  const lone = await follower({ url: other.url });
  await lone.once();
  await other.kill();
  await until(async () => (await lone.once()).kind === 'failed');
});
