import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WindowKeys } from '../../../src/stores/windows.ts';
import { replicated } from '../../support/redis.ts';
import { type SentinelGroup, startSentinelGroup } from '../../support/redis-sentinel.ts';
import { openReady, until } from './opened.ts';

const NOW = 1_790_000_000_000;
const KEYS: WindowKeys = { client: 'agent-1', address: '203.0.113.7', token: null, route: null };

let group: SentinelGroup;

beforeAll(async () => {
  group = await startSentinelGroup();
}, 60_000);
afterAll(() => group.stop());

test('the master is found through the sentinels, and after a failover the new one', async () => {
  const [dead, ...alive] = group.sentinels;
  const { windows, replays, lines } = await openReady({
    url: `redis://${group.name}`,
    // one that does not answer must not matter
    sentinels: ['redis://127.0.0.1:1', ...alive, dead ?? ''],
  });
  await windows.count(KEYS, NOW, 500);
  expect(await windows.count(KEYS, NOW, 500)).toMatchObject({ client: { '1h': 2 }, address: { '1h': 2 } });
  expect(await replays.remember('proof', NOW, NOW + 60_000, 500)).toBe('fresh');
  await replicated(group.master, group.replica);

  await group.master.kill();
  expect(await windows.count(KEYS, NOW, 500)).toMatchObject({ client: 'store_unavailable' });
  await until(async () => typeof (await windows.count(KEYS, NOW, 500)).client === 'object');
  expect(await replays.remember('proof', NOW, NOW + 60_000, 500)).toBe('replayed');
  const answer = await windows.count(KEYS, NOW, 500);
  expect(answer).toMatchObject({ client: { '1h': 4 } });
  expect(await group.replica.command('INFO', 'replication')).toContain('role:master');
  expect(lines.some((line) => line.includes('store_unavailable'))).toBe(true);
  expect(windows.status()).toMatchObject({ state: 'ready', lastError: null });
}, 40_000);
