import { describe, expect, test } from 'vitest';
import { CircuitBreaker } from '../../../src/stores/circuit-breaker.ts';
import type { RedisCommand, RedisReply } from '../../../src/stores/redis/client.ts';
import { createRound } from '../../../src/stores/redis/round.ts';
import { createRedisShared } from '../../../src/stores/redis/shared-memory.ts';
import { createRedisWindows } from '../../../src/stores/redis/windows.ts';
import type { HashKey, SharedCall } from '../../../src/stores/shared-store.ts';

const NOW = 1_790_000_000_000;
const KEYS = { client: 'agent-1', address: '203.0.113.7/32', token: null, route: null };
const get = (tag: string): SharedCall => ({ tag, before: ['GET'], args: [] });

/** A peer that answers as it is told, or never. */
function createBench(answer: (command: RedisCommand) => RedisReply | 'never') {
  const sent: RedisCommand[][] = [];
  const client = {
    ready: true,
    lastError: null,
    listen: () => () => undefined,
    shardTag: () => 'started',
    close: async () => undefined,
    async send(commands: readonly RedisCommand[]) {
      sent.push([...commands]);
      const replies = commands.map(answer);
      if (replies.includes('never')) await new Promise(() => undefined);
      return replies.filter((reply) => reply !== 'never');
    },
  };
  const round = createRound(client, 25);
  const logger = { info: () => undefined, warn: () => undefined };
  const breaker = () => new CircuitBreaker({ failuresMax: 3, openMs: 250 }, () => 0);
  const parts = { client, round, deadlineMs: 25, keyPrefix: 'p', logger };
  return {
    sent,
    windows: createRedisWindows({ ...parts, breaker: breaker() }),
    shared: createRedisShared({ ...parts, breaker: breaker(), hashKey: [1, 2] }),
  };
}
const nothing = (): RedisReply => ({ ok: true, value: null });
const wordsOf = (commands: readonly RedisCommand[] | undefined) => commands?.map(({ words, key }) => `${words[0]} ${key}`);

describe('one round', () => {
  test('holds the calls of the counters, what was told before, and what is asked, with one look at the key and the marker', async () => {
    const { sent, windows, shared } = createBench(nothing);
    await shared.ask(() => [get('c:agent-1')], NOW, 25);
    sent.length = 0;
    shared.tell(() => [get('c:told')], NOW);
    const counts = windows.count(KEYS, NOW, 25);
    const one = shared.ask(() => [get('c:agent-1'), get('a:203.0.113.7/32')], NOW, 25);
    const two = shared.ask(() => [get('c:agent-2')], NOW, 25);
    await Promise.all([counts, one, two]);
    expect(sent).toHaveLength(1);
    expect(wordsOf(sent[0])?.toSorted()).toEqual(
      [
        'SET p:{started}',
        'EVALSHA p:{c:agent-1}',
        'EVALSHA p:{a:203.0.113.7/32}',
        'SET p:{hash}',
        'SET p:{started}',
        'GET p:{c:told}:m',
        'GET p:{c:agent-1}:m',
        'GET p:{a:203.0.113.7/32}:m',
        'GET p:{c:agent-2}:m',
      ].toSorted(),
    );
  });

  test('what was told goes before what is asked', async () => {
    const { sent, shared } = createBench(nothing);
    const asked = shared.ask(() => [get('c:asked')], NOW, 25);
    shared.tell(() => [get('c:told')], NOW);
    await asked;
    expect(wordsOf(sent.at(-1))?.filter((word) => word.startsWith('GET'))).toEqual(['GET p:{c:told}:m', 'GET p:{c:asked}:m']);
  });
});

describe('the key that texts are hashed with', () => {
  test.each([
    ['nobody has chosen one', null, [1, 2]],
    ['another replica has', '0000000a0000000b', [10, 11]],
  ] as const)('%s', async (_name, value, expected) => {
    const { shared } = createBench(({ key }) => ({ ok: true, value: key === 'p:{hash}' ? value : null }));
    const seen: HashKey[] = [];
    const make = (key: HashKey) => {
      seen.push(key);
      return [get('x')];
    };
    await shared.ask(make, NOW, 25);
    expect(seen).toEqual([expected]);
  });

  test('of another form: nothing is asked', async () => {
    const { sent, shared } = createBench(({ key }) => ({ ok: true, value: key === 'p:{hash}' ? 'not a key' : null }));
    expect(await shared.ask(() => [get('x')], NOW, 25)).toEqual({ replies: [], keptSinceMs: null });
    expect(sent.flat().map(({ key }) => key)).toEqual(['p:{hash}']);
    expect(shared.status().lastError).toContain('another form');
  });
});

test('a peer that stalls: each who asks is answered by the deadline, of the round that fetches the key too', async () => {
  const { shared } = createBench(() => 'never');
  expect(await shared.ask(() => [get('x')], NOW, 60_000)).toEqual({ replies: [], keptSinceMs: null });
  expect(await shared.ask(() => [get('x')], NOW, 1)).toEqual({ replies: [], keptSinceMs: null });
});

test('calls that cannot be made fail those who asked, and the breaker counts it', async () => {
  const { shared } = createBench(nothing);
  await shared.ask(() => [get('x')], NOW, 25);
  const odd = () => {
    throw new Error('a fault of ours');
  };
  for (let call = 0; call < 3; call += 1) expect((await shared.ask(odd, NOW, 25))?.replies).toEqual([]);
  expect(shared.ask(() => [get('x')], NOW, 25)).toBeNull();
});
