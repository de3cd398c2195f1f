import type { Redis } from 'ioredis';
import type { RedisCommand, RedisReply } from './client.ts';

/**
 * Sends commands to one server in one write; never rejects. Where the server does not know a script (SCRIPT FLUSH, a restart, a new master)
 * it gets all of them, and those commands again: a call that met no script has done nothing, so it is done once.
 */
export async function sendTo(redis: Redis, commands: readonly RedisCommand[], scripts: readonly string[]): Promise<readonly RedisReply[]> {
  const replies = await exec(redis, commands);
  const unknown = new Set<number>();
  for (const [index, reply] of replies.entries()) if (!reply.ok && reply.error.startsWith('NOSCRIPT')) unknown.add(index);
  if (unknown.size === 0) return replies;
  const loads = scripts.map((script): RedisCommand => ({ key: '', words: ['SCRIPT', 'LOAD', script] }));
  const again = await exec(redis, [...loads, ...commands.filter((_, index) => unknown.has(index))]);
  let at = loads.length;
  return replies.map((reply, index) => (unknown.has(index) ? (again[at++] ?? reply) : reply));
}

async function exec(redis: Redis, commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
  const pipeline = redis.pipeline();
  for (const { words, binary } of commands) {
    if (binary === true) pipeline.callBuffer(...words);
    else pipeline.call(...words);
  }
  try {
    const replies = (await pipeline.exec()) ?? [];
    return commands.map((_, index) => toReply(replies[index]));
  } catch (thrown) {
    const error = textOf(thrown);
    return commands.map(() => ({ ok: false, error }));
  }
}

function toReply(reply: [Error | null, unknown] | undefined): RedisReply {
  if (reply === undefined) return { ok: false, error: 'no reply' };
  const [error, value] = reply;
  return error === null ? { ok: true, value } : { ok: false, error: textOf(error) };
}

/** Only the text: error objects of ioredis hold the command's arguments, a password among them. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
}
