import type { Followed, Known, SharedEntries, SharedEntry } from '../../../src/stores/shared-entries.ts';
import { openReady, until } from './opened.ts';

let nonces = 0;
const nonce = (): string => `n${nonces++}`;
/** An entry with a text of its own. */
export const entry = (id: string, untilSeconds = 0, text = `text of ${id}`): SharedEntry => ({ id, untilSeconds, text });

/** One who follows, with what it knows. */
export async function createFollower(options: Parameters<typeof openReady>[0]) {
  const { entries: open } = await openReady(options);
  const shared: SharedEntries = open('things', nonce);
  // its connection is its own; to remove nothing changes nothing
  await until(async () => (await shared.remove([])).kind !== 'failed');
  let known: Known = { position: null, entries: new Map() };
  async function once(): Promise<Followed> {
    const followed = await shared.follow(known);
    if (followed.kind === 'changed') {
      const entries = new Map(known.entries);
      for (const one of followed.entries) entries.set(one.id, one);
      for (const id of followed.removed) entries.delete(id);
      known = { position: followed.position, entries };
    } else if (followed.kind === 'all') known = followed;
    return followed;
  }
  return {
    shared,
    once,
    ids: () => [...known.entries.keys()].sort(),
    known: () => known,
  };
}
