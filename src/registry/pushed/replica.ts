import type { PushedRevocationsStatus } from '../../contract/revocations.ts';
import type { KeptEntries, Position, Put, SharedEntry } from '../../stores/shared-entries.ts';
import { createHeldEntries, type HeldEntries } from './held-entries.ts';
import type { PushedRevocationsParts } from './pushed-revocations.ts';

/** What this process knows, and how it comes to know more. One call at a time. */
export interface Replica {
  readonly held: HeldEntries;
  readonly generation: number;
  /** False until what is revoked was read once. */
  readonly loaded: boolean;
  readonly persisted: boolean;
  readonly shared: boolean;
  /** Reads the file of this process. */
  open(): void;
  /** Catches up with the others, and leaves out what is over; never rejects. `tell`: whether a failure is worth a line in the log, as it is not before there was time to connect. */
  follow(tell?: () => boolean): Promise<void>;
  /** Puts entries into force, for everybody where there are others; nothing is done where they are too many, or the store is away. */
  put(entries: readonly SharedEntry[], entriesMax: number): Promise<Put>;
  remove(id: string): Promise<Put>;
  close(): void;
  status(): Omit<PushedRevocationsStatus, 'required' | 'tooOld'>;
}

/** Entries that are read between two turns of the event loop; each takes some microseconds. */
const PORTION = 500;

type Change = { readonly entries: readonly SharedEntry[]; readonly removed: readonly string[] };

/** Knows nothing before `open` and `follow`. */
export function createReplica({ clock, logger, shared, openKept }: PushedRevocationsParts): Replica {
  const held = createHeldEntries();
  let kept: KeptEntries | null = null;
  let keptError: string | null = null;
  let sharedError: string | null = null;
  /** The log has said that the store cannot be asked. */
  let told = false;
  let position: Position | null = null;
  let ownVersion = 0;
  let generation = 1;
  let loaded = false;
  let followedAtMs: number | null = null;
  let historyLost = 0;

  const nowSeconds = (): number => Math.floor(clock.now() / 1000);

  /** In force first, since a full disk must not keep anybody's access; what could not be written then is written whole with the next change. */
  function apply({ entries, removed }: Change): void {
    for (const entry of entries) held.set(entry);
    for (const id of removed) held.drop(id);
    if (entries.length + removed.length === 0) return;
    generation++;
    keep({ entries, removed });
  }

  function keep(change: Change): void {
    if (kept === null) return;
    try {
      const clear = keptError !== null;
      kept.write({ clear, entries: clear ? held.entries.values() : change.entries, removed: change.removed, position: positionNow() });
      keptError = null;
    } catch (cause) {
      if (keptError === null) logger.error('revocations_not_kept', { cause });
      keptError = 'state_unwritable';
    }
  }

  function positionNow(): Position | null {
    return shared === null ? { epoch: '-', version: ownVersion, head: '-' } : position;
  }

  /** In portions, since a hundred thousand at once would stop decisions; what is new first, so that nothing is revoked less meanwhile. */
  async function applyAll(entries: ReadonlyMap<string, SharedEntry>): Promise<void> {
    const now = nowSeconds();
    let added: SharedEntry[] = [];
    for (const [index, entry] of [...entries.values()].entries()) {
      const { text, untilSeconds } = held.entries.get(entry.id) ?? {};
      if ((text !== entry.text || untilSeconds !== entry.untilSeconds) && !isOver(entry, now)) added.push(entry);
      if (index % PORTION !== PORTION - 1) continue;
      apply({ entries: added, removed: [] });
      added = [];
      await nextTurn();
    }
    apply({ entries: added, removed: [] });
    await nextTurn();
    const removed = [...held.entries.keys()].filter((id) => !entries.has(id));
    for (let at = 0; at < removed.length; at += PORTION) {
      apply({ entries: [], removed: removed.slice(at, at + PORTION) });
      await nextTurn();
    }
  }

  async function followShared(tell: () => boolean): Promise<void> {
    if (shared === null) return;
    for (let more = true; more; ) {
      const followed = await shared.follow({ position, entries: held.entries });
      more = false;
      switch (followed.kind) {
        case 'failed':
          fell(followed.error, tell);
          return;
        case 'changed':
          position = followed.position;
          apply({ entries: followed.entries.filter((entry) => !isOver(entry, nowSeconds())), removed: followed.removed });
          more = followed.more;
          break;
        case 'all':
          if (followed.restored !== null) {
            historyLost++;
            logger.warn('revocations_restored', { entries: followed.restored });
          }
          // a file that is behind its entries is caught up with; one that is ahead of them is not
          await applyAll(followed.entries);
          position = followed.position;
          keep({ entries: [], removed: [] });
          break;
        case 'same':
      }
    }
    if (told) logger.info('revocations_ready', { entries: held.entries.size });
    told = false;
    sharedError = null;
    loaded = true;
    followedAtMs = clock.monotonic();
  }

  function fell(error: string, tell: () => boolean): void {
    if (!told && tell()) {
      told = true;
      logger.warn('revocations_stale', { error, entries: held.entries.size });
    }
    sharedError = error;
  }

  async function leaveOver(): Promise<void> {
    const now = nowSeconds();
    const removed = held.over(now);
    if (removed.length === 0) return;
    apply({ entries: [], removed });
    await shared?.purge(removed, now);
  }

  async function put(entries: readonly SharedEntry[], entriesMax: number): Promise<Put> {
    const done = shared === null ? roomFor(entries, entriesMax) : await shared.put(entries, entriesMax);
    if (done.kind !== 'put') return done;
    const longer = entries.filter((entry) => isLonger(entry, held.entries.get(entry.id)));
    ownVersion += longer.length;
    apply({ entries: longer, removed: [] });
    return done;
  }

  function roomFor(entries: readonly SharedEntry[], entriesMax: number): Put {
    const added = entries.filter(({ id }) => !held.entries.has(id)).length;
    return { kind: added > 0 && held.entries.size + added > entriesMax ? 'full' : 'put' };
  }

  return {
    held,
    get generation() {
      return generation;
    },
    get loaded() {
      return loaded;
    },
    get persisted() {
      return kept !== null && keptError === null;
    },
    shared: shared !== null,
    open() {
      try {
        kept = openKept?.() ?? null;
        const found = kept?.load();
        for (const entry of found?.entries.values() ?? []) held.set(entry);
        generation++;
        ownVersion = found?.position?.version ?? 0;
        // a position of a process that was alone is none in what replicas share
        position = shared === null || found?.position?.epoch === '-' ? null : (found?.position ?? null);
        loaded = shared === null || position !== null;
      } catch (cause) {
        logger.error('revocations_not_read', { cause });
        kept?.close();
        kept = null;
        keptError = 'state_invalid';
      }
    },
    async follow(tell = () => true) {
      try {
        await followShared(tell);
        await leaveOver();
      } catch (thrown) {
        // whatever it was, the next look must come
        fell(thrown instanceof Error ? thrown.message : String(thrown), tell);
      }
    },
    put,
    async remove(id) {
      const done: Put = shared === null ? { kind: 'put' } : await shared.remove([id]);
      if (done.kind === 'put') {
        ownVersion++;
        apply({ entries: [], removed: [id] });
      }
      return done;
    },
    close() {
      kept?.close();
      kept = null;
    },
    status: () => ({
      state: !loaded ? 'never_loaded' : sharedError === null ? 'ready' : 'stale',
      entries: held.entries.size,
      unreadable: held.unreadable,
      version: shared === null ? ownVersion : (position?.version ?? 0),
      ageSeconds: followedAtMs === null ? null : Math.max(0, Math.floor((clock.monotonic() - followedAtMs) / 1000)),
      shared: shared !== null,
      persisted: kept !== null && keptError === null,
      historyLost,
      lastError: keptError ?? (sharedError === null ? null : 'store_unavailable'),
    }),
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isOver({ untilSeconds }: SharedEntry, nowSeconds: number): boolean {
  return untilSeconds !== 0 && untilSeconds <= nowSeconds;
}

/** Whether an entry revokes for longer than what is known, as the store decides it too. */
function isLonger({ untilSeconds }: SharedEntry, known: SharedEntry | undefined): boolean {
  return known === undefined || (known.untilSeconds !== 0 && (untilSeconds === 0 || untilSeconds > known.untilSeconds));
}
