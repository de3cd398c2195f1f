import type { RedisClient } from './client.ts';
import { BEGIN_SCRIPT, FOLLOW_SCRIPT, PURGE_SCRIPT, PUT_SCRIPT, REMOVE_SCRIPT, shaOf } from './entries-script.ts';

type Failed = { readonly kind: 'failed'; readonly error: string };

/** What a script said: its first word is its outcome. */
export type Reply = { readonly kind: 'said'; readonly words: readonly unknown[] } | Failed;

const SHAS = {
  put: shaOf(PUT_SCRIPT),
  remove: shaOf(REMOVE_SCRIPT),
  purge: shaOf(PURGE_SCRIPT),
  begin: shaOf(BEGIN_SCRIPT),
  follow: shaOf(FOLLOW_SCRIPT),
} as const;

/** The scripts over one key, and its fields. Nothing rejects. */
export function createEntryScripts(client: RedisClient, key: string) {
  async function ask(
    words: readonly [string, ...(string | number)[]],
  ): Promise<{ readonly kind: 'value'; readonly value: unknown } | Failed> {
    if (!client.ready) return { kind: 'failed', error: client.lastError ?? 'not ready' };
    const [reply] = await client.send([{ key, words }]);
    if (reply?.ok === true) return { kind: 'value', value: reply.value };
    return { kind: 'failed', error: reply?.error ?? 'no reply' };
  }

  return {
    async call(script: keyof typeof SHAS, values: readonly (string | number)[]): Promise<Reply> {
      const reply = await ask(['EVALSHA', SHAS[script], 1, key, ...values]);
      if (reply.kind === 'failed') return reply;
      return Array.isArray(reply.value) ? { kind: 'said', words: reply.value } : { kind: 'failed', error: 'a reply of another form' };
    },

    position: () => ask(['HGET', key, 'm']),

    /** Hands over every entry's field with its value; what changes meanwhile may come twice, or in either form. Null once all have come. */
    async scan(count: number, take: (field: string, value: string) => void): Promise<Failed | null> {
      let cursor = '0';
      do {
        const reply = await ask(['HSCAN', key, cursor, 'MATCH', 'e:*', 'COUNT', count]);
        if (reply.kind === 'failed') return reply;
        const { value } = reply;
        if (!Array.isArray(value) || !Array.isArray(value[1])) return { kind: 'failed', error: 'a reply of another form' };
        const fields: readonly unknown[] = value[1];
        for (let at = 0; at + 1 < fields.length; at += 2) take(String(fields[at]), String(fields[at + 1]));
        cursor = String(value[0]);
      } while (cursor !== '0');
      return null;
    },
  };
}
