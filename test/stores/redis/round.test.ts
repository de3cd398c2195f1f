import { expect, test } from 'vitest';
import type { RedisCommand, RedisReply } from '../../../src/stores/redis/client.ts';
import { createRound, type RoundPart } from '../../../src/stores/redis/round.ts';

const get = (key: string): RedisCommand => ({ key, words: ['GET', key] });

function createBench() {
  const sent: (readonly RedisCommand[])[] = [];
  const round = createRound(
    {
      async send(commands) {
        sent.push(commands);
        if (commands.some(({ key }) => key === 'throws')) throw new Error('a fault of ours');
        return commands.map(({ key }): RedisReply => ({ ok: true, value: key }));
      },
    },
    25,
  );
  const settled: unknown[] = [];
  const part = (...keys: string[]): RoundPart => ({
    commands() {
      if (keys.includes('odd')) throw new Error('cannot be made');
      return keys.map(get);
    },
    settle(replies) {
      if (keys.includes('bad')) throw new Error('cannot be read');
      settled.push(replies.map((reply) => (reply.ok ? reply.value : null)));
    },
    fail: (error) => settled.push(error),
  });
  return { sent, round, settled, part };
}
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

test('all who join in one turn are sent in one write, and each gets its own replies', async () => {
  const { sent, round, settled, part } = createBench();
  round.join(() => part('a', 'b'));
  round.join(() => part());
  round.join(() => part('c'));
  await turn();
  expect(sent.map((commands) => commands.length)).toEqual([3]);
  expect(settled).toEqual([['a', 'b'], [], ['c']]);
});

test('one that cannot make its commands or read its replies fails alone; what throws in sending fails all; the next round goes on', async () => {
  const { sent, round, settled, part } = createBench();
  round.join(() => part('odd'));
  round.join(() => part('bad'));
  round.join(() => part('c'));
  await turn();
  round.join(() => part('throws'));
  round.join(() => part('d'));
  await turn();
  round.join(() => part('e'));
  await turn();
  expect(settled).toEqual(['cannot be made', 'cannot be read', ['c'], 'a fault of ours', 'a fault of ours', ['e']]);
  expect(sent).toHaveLength(3);
});
