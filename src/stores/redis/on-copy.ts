import { createHash, randomUUID } from 'node:crypto';
import type { RedisCommand, RedisReply } from './client.ts';

/** Scripts by what EVALSHA names them by. */
export type ScriptTexts = ReadonlyMap<string, string>;

/** @param scripts texts */
export function scriptTexts(scripts: readonly string[]): ScriptTexts {
  return new Map(scripts.map((text) => [createHash('sha1').update(text).digest('hex'), text]));
}

/**
 * A command on a copy of its key (COPY, Redis 6.2), which is gone at once: three commands, of which the second answers.
 * @param commandOf the command with another name for its key
 */
export function onCopy(
  key: string,
  commandOf: (copy: string) => RedisCommand,
  scripts: ScriptTexts,
): readonly [RedisCommand, RedisCommand, RedisCommand] {
  // of the same hash tag, so on the same server
  const copy = `${key}:simulated:${randomUUID()}`;
  const { words, ...rest } = commandOf(copy);
  return [
    { key, words: ['COPY', key, copy] },
    { ...rest, key, words: withText(words, scripts) },
    { key, words: ['UNLINK', copy] },
  ];
}

/**
 * The replies, with the refusal in the place of what was asked of a copy that could not be made (no right to COPY, an older server, a slot that moves),
 * and so of nothing; or that could not be removed again.
 * @param places of the second of each three commands
 */
export function onlyOfCopies(replies: readonly RedisReply[], places: readonly number[]): readonly RedisReply[] {
  let judged: RedisReply[] | null = null;
  for (const place of places) {
    const [copied = LATE, removed = LATE] = [replies[place - 1], replies[place + 1]];
    if (copied.ok && removed.ok) continue;
    judged ??= [...replies];
    judged[place] = copied.ok ? removed : copied;
  }
  return judged ?? replies;
}

const LATE: RedisReply = { ok: false, error: 'no reply' };

/** By its text: a script that the server does not know is sent again after all others, and the copy is gone by then. */
function withText(words: RedisCommand['words'], scripts: ScriptTexts): RedisCommand['words'] {
  const [name, sha, ...args] = words;
  const text = name === 'EVALSHA' ? scripts.get(String(sha)) : undefined;
  return text === undefined ? words : ['EVAL', text, ...args];
}
