import { basename, join } from 'node:path';
import { writeMmdb } from '../../scripts/mmdb-writer.ts';
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

/** 10.64.0.0/24 to 10.71.207.0/24 in DE, but the record of 10.69.53.0/24 cannot be read: one of so many that the trial at opening does not come by. */
export function manyWithOneDamaged(): Buffer {
  const networks = Object.fromEntries(
    Array.from({ length: 2000 }, (_, at) => [`10.${64 + (at >> 8)}.${at & 255}.0/24`, { country_code: at === 1333 ? 'FR' : 'DE' }]),
  );
  const bytes = writeMmdb(networks, { type: 'damaged', ipVersion: 4, buildEpoch: 1 });
  // the control byte of FR's map becomes that of a type that does not exist
  bytes.set([0, 0xf0], bytes.lastIndexOf(Buffer.from('country_code'), bytes.indexOf('FR')) - 2);
  return bytes;
}
