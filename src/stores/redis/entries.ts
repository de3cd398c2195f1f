import type { Followed, Known, Position, Put, SharedEntries, SharedEntry } from '../shared-entries.ts';
import type { RedisClient } from './client.ts';
import { createEntryScripts, type Reply } from './entries-calls.ts';
import { parseField, readChanges, readPosition } from './entries-reply.ts';

export type RedisEntriesOptions = {
  readonly client: RedisClient;
  /** The one key, also the name of the channel. */
  readonly key: string;
  /** Random text without spaces: another one at each call. */
  readonly nonce: () => string;
};

/** Entries of one write; each is some 300 bytes. */
const PORTION = 200;
/** Changes of one answer. */
const CHANGES_MAX = 500;
const SCAN_COUNT = 500;
/** Times that everything is read where what is read does not fit together. */
const ATTEMPTS = 3;
/** Portions of changes that are caught up with after everything was read. */
const CATCH_UP_MAX = 100;
/** The position of who has none; no history has this name. */
const NOWHERE: Position = { epoch: '?', version: 0, head: '?' };
const FAILED = { kind: 'failed', error: 'no answer' } as const;

/**
 * Entries in one hash of Redis, with a version that each change raises and a log of the last changes. Whoever follows asks by the version, so a
 * message that was missed costs nothing but time. A store that lost what a replica knows (a flush, a failover before the copy) gets it back.
 */
export function createRedisEntries({ client, key, nonce }: RedisEntriesOptions): SharedEntries {
  const { call, scan, position: readMeta } = createEntryScripts(client, key);

  async function follow(known: Known): Promise<Followed> {
    if (!client.ready) return { kind: 'failed', error: client.lastError ?? 'not ready' };
    const reply = await changesSince(known.position ?? NOWHERE);
    if (reply.kind === 'failed') return reply;
    const [word] = reply.words;
    if (word === 'same') return { kind: 'same' };
    if (word === 'changed') return readChanges(reply.words, known.position?.epoch ?? '') ?? FAILED;
    // who knows nothing has nothing to put back, and a history that begins is no loss
    const nothing = known.entries.size === 0;
    const loses = word === 'lost' ? known.position !== null || !nothing : word === 'diverged' && !nothing;
    if (word === 'lost' || loses) {
      const failure = await putBack(known, word === 'lost');
      if (failure !== null) return failure;
    }
    return readAll(loses ? known.entries.size : null);
  }

  function changesSince({ epoch, version, head }: Position): Promise<Reply> {
    return call('follow', [epoch, version, head, CHANGES_MAX]);
  }

  /** What is there already stays; a history that was lost begins anew once everything is back. */
  async function putBack({ entries, position }: Known, begin: boolean): Promise<Followed | null> {
    const all = [...entries.values()];
    for (let at = 0; at < all.length; at += PORTION) {
      const reply = await call('put', ['restore', 0, nonce(), key, ...wordsOf(all.slice(at, at + PORTION))]);
      if (reply.kind === 'failed') return reply;
    }
    if (!begin) return null;
    const former = position === null ? ['-', 0] : [position.epoch, position.version];
    const reply = await call('begin', [nonce(), (position?.version ?? 0) + 1, nonce(), ...former, key]);
    return reply.kind === 'failed' ? reply : null;
  }

  /** Reads everything, and takes it only where nothing can have been missed: a store that forgets meanwhile must not make anybody forget. */
  async function readAll(restored: number | null): Promise<Followed> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const meta = await readMeta();
      if (meta.kind === 'failed') return meta;
      const position = readPosition(meta.value);
      if (position === null) return { kind: 'failed', error: 'lost again' };
      const entries = new Map<string, SharedEntry>();
      const failure = await scan(SCAN_COUNT, (field, value) => {
        const entry = parseField(field.slice('e:'.length), value);
        if (entry !== null) entries.set(entry.id, entry);
      });
      if (failure !== null) return failure;
      const reached = await catchUp(entries, position);
      if (reached !== null) return { kind: 'all', position: reached, entries, restored };
    }
    return { kind: 'failed', error: 'what was read does not fit together' };
  }

  /** Applies what changed while everything was read; null where the history broke or an entry is missing. */
  async function catchUp(entries: Map<string, SharedEntry>, from: Position): Promise<Position | null> {
    let position = from;
    for (let round = 0; round < CATCH_UP_MAX; round++) {
      const reply = await changesSince(position);
      if (reply.kind === 'failed') return null;
      if (reply.words[0] === 'same') return entries.size >= Number(reply.words[1]) ? position : null;
      const changes = readChanges(reply.words, position.epoch);
      if (changes === null) return null;
      for (const entry of changes.entries) entries.set(entry.id, entry);
      for (const id of changes.removed) entries.delete(id);
      position = changes.position;
    }
    return null;
  }

  async function putOf(reply: Promise<Reply>): Promise<Put> {
    const answer = await reply;
    if (answer.kind === 'failed') return answer;
    const [word] = answer.words;
    return word === 'put' || word === 'full' || word === 'lost' ? { kind: word } : FAILED;
  }

  return {
    follow,
    put: (entries, entriesMax) => putOf(call('put', ['put', entriesMax, nonce(), key, ...wordsOf(entries)])),
    remove: (ids) => putOf(call('remove', [nonce(), key, ...ids])),
    async purge(ids, nowSeconds) {
      for (let at = 0; at < ids.length; at += PORTION) await call('purge', [nowSeconds, ...ids.slice(at, at + PORTION)]);
    },
    onChange: (listener) => client.listen(key, listener),
  };
}

function wordsOf(entries: readonly SharedEntry[]): (string | number)[] {
  return entries.flatMap(({ id, untilSeconds, text }) => [id, untilSeconds, text]);
}
