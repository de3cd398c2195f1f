import { join } from 'node:path';
import { type MmdbDatabase, openMmdbDatabases } from '../../src/stores/mmdb.ts';

export const FIXTURES = join(import.meta.dirname, '../fixtures');

/** Our own small databases by their names in `test/fixtures`, in this order. */
export function openFixtures(...names: readonly string[]): Promise<readonly MmdbDatabase[]> {
  return openMmdbDatabases(
    names.map((name) => join(FIXTURES, name)),
    { info: () => undefined, warn: () => undefined },
  );
}
