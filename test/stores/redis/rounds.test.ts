import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/stores/circuit-breaker.ts';
import type { RedisClient, RedisCommand, RedisReply } from '../../../src/stores/redis/client.ts';
import { createRedisReplays } from '../../../src/stores/redis/replays.ts';
import { createRound } from '../../../src/stores/redis/round.ts';
import { createRedisWindows } from '../../../src/stores/redis/windows.ts';
import type { StoreLogger } from '../../../src/stores/store-logger.ts';

const NOW = 1_790_000_000_000;
const KEYS = { client: 'agent-1', address: null, token: null, route: null };
const logger: StoreLogger = { info: () => undefined, warn: () => undefined };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client of which each command keeps its deadline, and whose rounds (scripts that are sent again, redirections) are too many. */
function createSlowClient(afterMs: number) {
  const sent: (readonly RedisCommand[])[] = [];
  const client: RedisClient = {
    ready: true,
    lastError: null,
    async send(commands) {
      sent.push(commands);
      await new Promise<void>((resolve) => void setTimeout(resolve, afterMs));
      return commands.map((): RedisReply => ({ ok: true, value: 'OK' }));
    },
    listen: () => () => undefined,
    shardTag: () => 'started',
    close: () => Promise.resolve(),
  };
  const breaker = new CircuitBreaker({ failuresMax: 3, openMs: 250 }, () => 0);
  const options = { client, round: createRound(client, 25), breaker, deadlineMs: 25, keyPrefix: 'test', logger };
  return { sent, windows: createRedisWindows(options), replays: createRedisReplays(options) };
}

test('[asks 74] however many rounds an answer takes, nobody waits for longer than the deadline and 10 ms', async () => {
  const { windows, replays } = createSlowClient(100);
  const told: unknown[] = [];
  void Promise.resolve(windows.count(KEYS, NOW, 140)).then(({ client, historyLost }) => told.push([client, historyLost]));
  void Promise.resolve(replays.remember('proof', NOW, NOW + 60_000, 140)).then((answer) => told.push(answer));
  await vi.advanceTimersByTimeAsync(36);
  expect(told).toEqual([['store_unavailable', true], 'store_unavailable']);
  await vi.advanceTimersByTimeAsync(100);
  expect(vi.getTimerCount()).toBe(0);
});

test('what nobody waits for any longer still counts for the bound on what is under way', async () => {
  const { sent, windows } = createSlowClient(1000);
  for (let request = 0; request < 4096; request++) void windows.count(KEYS, NOW, 140);
  await vi.advanceTimersByTimeAsync(50);
  expect(await windows.count(KEYS, NOW, 140)).toMatchObject({ client: 'store_unavailable' });
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1000);
  void windows.count(KEYS, NOW, 140);
  await vi.advanceTimersByTimeAsync(50);
  expect(sent).toHaveLength(2);
});
