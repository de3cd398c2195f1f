import type { PushedRevocationsStatus } from '../../contract/revocations.ts';
import type { Position, Put, SharedEntry } from '../../stores/shared-entries.ts';
import { createHeldEntries, type HeldEntries, isLonger, isOver } from './held-entries.ts';
import { createKeptChanges, type Place } from './kept-changes.ts';
import { createOverEntries } from './over-entries.ts';
import { nextTurn, PORTION, portionsOf } from './portions.ts';
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

type Change = { readonly entries: readonly SharedEntry[]; readonly removed: readonly string[] };

/** Who is alone has no history to be followed. */
const ALONE: Put = { kind: 'put', position: { epoch: '-', version: 0, head: '-' } };

/** Knows nothing before `open` and `follow`. */
export function createReplica({ clock, logger, shared, openKept }: PushedRevocationsParts): Replica {
  const held = createHeldEntries();
  const kept = createKeptChanges({ clock, logger, openKept, entries: held.entries });
  let sharedError: string | null = null;
  /** The log has said that the store cannot be asked. */
  let told = false;
  let position: Position | null = null;
  /** Of the last change that was answered here, until it was followed to: a store without it has lost what an operator was promised. */
  let acknowledged: Position | null = null;
  let ownVersion = 0;
  let generation = 1;
  let loaded = false;
  let followedAtMs: number | null = null;
  let historyLost = 0;

  const over = createOverEntries({ clock, held, shared, apply });

  /** In force first, since a full disk must not keep anybody's access; what could not be written then is written with the next look. */
  async function apply({ entries, removed }: Change): Promise<void> {
    for (const entry of entries) held.set(entry);
    for (const id of removed) held.drop(id);
    if (entries.length + removed.length === 0) return;
    generation++;
    kept.note(entries.map(({ id }) => id));
    kept.note(removed);
    await kept.flush(place());
  }

  function place(): Place {
    const alone = ownVersion === 0 ? null : { epoch: '-', version: ownVersion, head: '-' };
    return { position: shared === null ? alone : position, acknowledged };
  }

  /** In portions, since a hundred thousand at once would stop decisions; what is new first, so that nothing is revoked less meanwhile. */
  async function applyAll(entries: ReadonlyMap<string, SharedEntry>): Promise<void> {
    const now = over.nowSeconds();
    let added: SharedEntry[] = [];
    for (const [index, entry] of [...entries.values()].entries()) {
      const { text, untilSeconds } = held.entries.get(entry.id) ?? {};
      if (isOver(entry, now)) over.note([entry.id]);
      else if (text !== entry.text || untilSeconds !== entry.untilSeconds) added.push(entry);
      if (index % PORTION !== PORTION - 1) continue;
      await apply({ entries: added, removed: [] });
      added = [];
      await nextTurn();
    }
    await apply({ entries: added, removed: [] });
    await nextTurn();
    for (const removed of portionsOf([...held.entries.keys()].filter((id) => !entries.has(id)))) {
      await apply({ entries: [], removed });
      await nextTurn();
    }
  }

  async function followShared(tell: () => boolean): Promise<void> {
    if (shared === null) return;
    let whole = false;
    for (let more = true; more; ) {
      const followed = await shared.follow({ position, acknowledged, entries: held.entries, whole });
      more = false;
      whole = false;
      switch (followed.kind) {
        case 'failed':
          fell(followed.error, tell);
          return;
        case 'changed':
          await applyChanged(followed);
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
          acknowledged = null;
          break;
        case 'same':
          acknowledged = null;
          whole = over.areUnknown(followed.total);
          more = whole;
      }
    }
    if (told) logger.info('revocations_ready', { entries: held.entries.size });
    told = false;
    sharedError = null;
    loaded = true;
    followedAtMs = clock.monotonic();
  }

  async function applyChanged({ position: reached, entries, removed }: Change & { readonly position: Position }): Promise<void> {
    position = reached;
    // it was in that history, or the store would have said so
    if (acknowledged !== null && acknowledged.version <= reached.version) acknowledged = null;
    const now = over.nowSeconds();
    over.note(entries.flatMap((entry) => (isOver(entry, now) ? entry.id : [])));
    await apply({ entries: entries.filter((entry) => !isOver(entry, now)), removed });
  }

  function fell(error: string, tell: () => boolean): void {
    if (!told && tell()) {
      told = true;
      logger.warn('revocations_stale', { error, entries: held.entries.size });
    }
    sharedError = error;
  }

  async function put(entries: readonly SharedEntry[], entriesMax: number): Promise<Put> {
    const done = shared === null ? roomFor(entries, entriesMax) : await shared.put(entries, entriesMax, acknowledged);
    if (done.kind !== 'put') return done;
    const longer = entries.filter((entry) => isLonger(entry, held.entries.get(entry.id)));
    ownVersion += longer.length;
    acknowledge(done);
    await apply({ entries: longer, removed: [] });
    return done;
  }

  function acknowledge(done: Extract<Put, { kind: 'put' }>): void {
    if (shared !== null) acknowledged = done.position;
  }

  function roomFor(entries: readonly SharedEntry[], entriesMax: number): Put {
    const added = entries.filter(({ id }) => !held.entries.has(id)).length;
    return added > 0 && held.entries.size + added > entriesMax ? { kind: 'full' } : ALONE;
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
      return kept.persisted;
    },
    shared: shared !== null,
    open() {
      const found = kept.open();
      for (const entry of found?.entries.values() ?? []) held.set(entry);
      generation++;
      ownVersion = found?.position?.version ?? 0;
      // a position of a process that was alone is none in what replicas share
      position = shared === null || found?.position?.epoch === '-' ? null : (found?.position ?? null);
      acknowledged = shared === null ? null : (found?.acknowledged ?? null);
      loaded = kept.error === null && (shared === null || position !== null);
    },
    async follow(tell = () => true) {
      try {
        await followShared(tell);
        await over.leave();
        await kept.retry(place());
      } catch (thrown) {
        // whatever it was, the next look must come
        fell(thrown instanceof Error ? thrown.message : String(thrown), tell);
      }
    },
    put,
    async remove(id) {
      const done: Put = shared === null ? ALONE : await shared.remove([id], acknowledged);
      if (done.kind === 'put') {
        ownVersion++;
        acknowledge(done);
        await apply({ entries: [], removed: [id] });
      }
      return done;
    },
    close() {
      kept.close();
    },
    status: () => ({
      state: !loaded ? 'never_loaded' : sharedError === null ? 'ready' : 'stale',
      entries: held.entries.size,
      unreadable: held.unreadable,
      version: shared === null ? ownVersion : (position?.version ?? 0),
      ageSeconds: followedAtMs === null ? null : Math.max(0, Math.floor((clock.monotonic() - followedAtMs) / 1000)),
      shared: shared !== null,
      persisted: kept.persisted,
      historyLost,
      lastError: kept.error ?? (sharedError === null ? null : 'store_unavailable'),
    }),
  };
}
