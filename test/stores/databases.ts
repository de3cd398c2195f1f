import { basename, join } from 'node:path';
import { openMmdb, type WatchedMmdb } from '../../src/stores/mmdb.ts';

export const FIXTURES = join(import.meta.dirname, '../fixtures');
const QUIET = { info: () => undefined, warn: () => undefined };

/** Our own small databases by their names in `test/fixtures`, in this order. */
export function openFixtures(...names: readonly string[]): Promise<readonly WatchedMmdb[]> {
  return Promise.all(names.map((name) => openQuietly(join(FIXTURES, name))));
}

/** Any database, without a log. */
export function openQuietly(path: string): Promise<WatchedMmdb> {
  return openMmdb(path, basename(path), QUIET);
}
