import { expect, test } from 'vitest';
import { createKeptChanges } from '../../../src/registry/pushed/kept-changes.ts';
import type { KeptEntries, SharedEntry } from '../../../src/stores/shared-entries.ts';
import { createMemoryLogger } from '../../endpoints/fixtures.ts';

const entry = (id: string): SharedEntry => ({ id, untilSeconds: 0, text: id });
const place = (version: number) => ({ position: { epoch: 'e', version, head: `h${version}` }, acknowledged: null });

function opened() {
  const disk = { broken: false, tries: 0, writes: [] as { ids: string[]; removed: readonly string[]; version: number | null }[] };
  const file: KeptEntries = {
    load: () => ({ entries: new Map(), position: null }),
    write({ entries, removed, position }) {
      disk.tries++;
      if (disk.broken) throw new Error('no space');
      disk.writes.push({ ids: [...entries].map(({ id }) => id), removed, version: position?.version ?? null });
    },
    close: () => undefined,
  };
  const clock = { ms: 1000, now: () => 0, monotonic: () => clock.ms };
  const entries = new Map<string, SharedEntry>();
  const logger = createMemoryLogger();
  const kept = createKeptChanges({ clock, logger, openKept: () => file, entries });
  kept.open();
  const change = async (id: string, version: number) => {
    entries.set(id, entry(id));
    kept.note([id]);
    await kept.flush(place(version));
  };
  return { kept, disk, clock, entries, logger, change };
}

test('a disk that failed is asked again though nothing changes, more and more seldom, and gets all that it missed', async () => {
  const { kept, disk, clock, logger, change } = opened();
  disk.broken = true;
  await change('a', 1);
  expect([kept.persisted, kept.error]).toEqual([false, 'state_unwritable']);
  const asked: number[] = [];
  for (let second = 1; second <= 120; second++) {
    clock.ms += 1000;
    const before = disk.tries;
    await kept.retry(place(1));
    if (disk.tries > before) asked.push(second);
  }
  expect(asked).toEqual([1, 2, 4, 8, 16, 32, 62, 92]);
  disk.broken = false;
  await kept.retry(place(1));
  expect(kept.persisted).toBe(false);
  clock.ms += 30_000;
  await kept.retry(place(1));
  expect([kept.persisted, kept.error, disk.writes]).toEqual([true, null, [{ ids: ['a'], removed: [], version: 1 }]]);
  // and from then on as if nothing had been
  await kept.retry(place(2));
  expect(disk.writes.at(-1)).toEqual({ ids: [], removed: [], version: 2 });
  expect(logger.lines.filter(({ event }) => event === 'revocations_not_kept')).toHaveLength(1);
});

test('a change asks a disk that failed at once', async () => {
  const { kept, disk, change } = opened();
  disk.broken = true;
  await change('a', 1);
  disk.broken = false;
  await change('b', 2);
  expect([kept.persisted, disk.writes]).toEqual([true, [{ ids: ['a', 'b'], removed: [], version: 2 }]]);
});

test('many are written in portions, between which others have their turn; how far they are is written with the last', async () => {
  const { kept, disk, entries } = opened();
  const ids = Array.from({ length: 1200 }, (_, index) => `i${index}`);
  for (const id of ids) entries.set(id, entry(id));
  kept.note(ids);
  const seen: number[] = [];
  const watch = (): void => {
    seen.push(disk.writes.length);
    if (disk.writes.length < 3) setImmediate(watch);
  };
  watch();
  await kept.flush(place(7));
  expect(seen).toEqual(expect.arrayContaining([0, 1, 2]));
  expect(disk.writes.map((write) => [write.ids.length, write.version])).toEqual([
    [500, null],
    [500, null],
    [200, 7],
  ]);
});
