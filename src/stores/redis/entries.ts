import type { Followed, Known, Position, Purged, Put, SharedEntries, SharedEntry } from '../shared-entries.ts';
import type { RedisClient } from './client.ts';
import { createEntryScripts, type Reply } from './entries-calls.ts';
import { parseField, readChanges, readPosition, readPurged, readPut } from './entries-reply.ts';

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
type Failed = { readonly kind: 'failed'; readonly error: string };
const FAILED = { kind: 'failed', error: 'no answer' } as const;

/**
 * Entries in one hash of Redis, with a version that each change raises and a log of the last changes. Whoever follows asks by the version, so a
 * message that was missed costs nothing but time. A store that lost what a replica knows (a flush, a failover before the copy) gets it back.
 */
export function createRedisEntries({ client, key, nonce }: RedisEntriesOptions): SharedEntries {
  const { call, scan, position: readMeta } = createEntryScripts(client, key);

  async function follow(known: Known): Promise<Followed> {
    if (!client.ready) return { kind: 'failed', error: client.lastError ?? 'not ready' };
    const { acknowledged = null, whole = false } = known;
    const reply = await changesSince(known.position ?? NOWHERE, acknowledged);
    if (reply.kind === 'failed') return reply;
    const [word, total] = reply.words;
    if (word === 'same') return whole ? readAll(null, acknowledged) : { kind: 'same', total: Number(total) };
    if (word === 'changed') return readChanges(reply.words, known.position?.epoch ?? '') ?? FAILED;
    // who knows nothing has nothing to put back, and a history that begins is no loss
    const nothing = known.entries.size === 0;
    const loses = word === 'lost' ? known.position !== null || !nothing : word === 'diverged' && !nothing;
    if (word === 'lost' || loses) {
      const back = await putBack(known, word === 'lost');
      if ('kind' in back) return back;
      return readAll(loses ? known.entries.size : null, back.position);
    }
    // what lies further back than the log cannot be asked for
    return readAll(null, null);
  }

  function changesSince({ epoch, version, head }: Position, acknowledged: Position | null): Promise<Reply> {
    return call('follow', [epoch, version, head, CHANGES_MAX, ...wordsOfPosition(acknowledged)]);
  }

  /** What is there already stays; a history that was lost begins anew once everything is back. The position is what everything read must contain. */
  async function putBack({ entries, position }: Known, begin: boolean): Promise<{ readonly position: Position | null } | Failed> {
    const all = [...entries.values()];
    let reached: Position | null = null;
    for (let at = 0; at < all.length; at += PORTION) {
      const reply = await call('put', ['restore', 0, nonce(), key, ...wordsOfPosition(reached), ...wordsOf(all.slice(at, at + PORTION))]);
      if (reply.kind === 'failed') return reply;
      const done = readPut(reply.words);
      if (done?.kind === 'lost') return { kind: 'failed', error: 'lost again' };
      reached = done?.kind === 'put' ? done.position : null;
    }
    if (!begin) return { position: reached };
    const former = position === null ? ['-', 0] : [position.epoch, position.version];
    const reply = await call('begin', [nonce(), (position?.version ?? 0) + 1, nonce(), ...former, key, all.length]);
    if (reply.kind === 'failed') return reply;
    const begun = readPut(reply.words);
    return begun?.kind === 'put' ? { position: begun.position } : FAILED;
  }

  /** Reads everything, and takes it only where nothing can have been missed: a store that forgets meanwhile must not make anybody forget. */
  async function readAll(restored: number | null, contained: Position | null): Promise<Followed> {
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
      const reached = await catchUp(entries, position, contained);
      if (reached !== null) return { kind: 'all', position: reached, entries, restored };
    }
    return { kind: 'failed', error: 'what was read does not fit together' };
  }

  /** Applies what changed while everything was read; null where the history broke or an entry is missing. */
  async function catchUp(entries: Map<string, SharedEntry>, from: Position, contained: Position | null): Promise<Position | null> {
    let position = from;
    for (let round = 0; round < CATCH_UP_MAX; round++) {
      const reply = await changesSince(position, contained);
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
    return answer.kind === 'failed' ? answer : (readPut(answer.words) ?? FAILED);
  }

  return {
    follow,
    put: (entries, entriesMax, acknowledged = null) =>
      putOf(call('put', ['put', entriesMax, nonce(), key, ...wordsOfPosition(acknowledged), ...wordsOf(entries)])),
    remove: (ids, acknowledged = null) => putOf(call('remove', [nonce(), key, ...wordsOfPosition(acknowledged), ...ids])),
    async purge(ids, nowSeconds): Promise<Purged> {
      const answer = await call('purge', [nowSeconds, ...ids]);
      return answer.kind === 'failed' ? answer : (readPurged(answer.words) ?? FAILED);
    },
    onChange: (listener) => client.listen(key, listener),
  };
}

function wordsOf(entries: readonly SharedEntry[]): (string | number)[] {
  return entries.flatMap(({ id, untilSeconds, text }) => [id, untilSeconds, text]);
}

function wordsOfPosition(position: Position | null): (string | number)[] {
  return position === null ? ['-', 0, '-'] : [position.epoch, position.version, position.head];
}
