import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MMDB_FIXTURES } from '../../scripts/fixtures-mmdb.ts';
import { writeMmdb } from '../../scripts/mmdb-writer.ts';
import { openMmdb } from '../../src/stores/mmdb.ts';
import { FIXTURES, manyWithOneDamaged } from './databases.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'countersign-mmdb-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function openOne(path: string) {
  const lines: string[] = [];
  const note = (event: string, fields?: Readonly<Record<string, unknown>>) => void lines.push(JSON.stringify({ event, ...fields }));
  return { database: await openMmdb(path, basename(path), { info: note, warn: note }), lines };
}

describe('opening', () => {
  test('a good file tells its type and build time', async () => {
    const { database, lines } = await openOne(join(FIXTURES, 'geo-city.mmdb'));
    expect(database.status()).toEqual({
      name: 'geo-city.mmdb',
      state: 'ready',
      type: 'GeoIP2-City',
      builtAt: 1_767_225_600,
      sizeBytes: statSync(join(FIXTURES, 'geo-city.mmdb')).size,
      lastError: null,
    });
    expect(lines).toEqual([expect.stringContaining('database_opened')]);
  });

  test('a missing file is a database that says so', async () => {
    const { database } = await openOne(join(folder(), 'none.mmdb'));
    expect(database.status()).toEqual({
      name: 'none.mmdb',
      state: 'missing',
      type: null,
      builtAt: null,
      sizeBytes: null,
      lastError: 'file_missing',
    });
    expect(database.lookup('1.1.1.1', 4)).toBe('database_missing');
  });

  test.each([
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('geo data would be here')],
    ['only a metadata marker', Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')],
    ['a gzip file', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0])],
  ])('%s is broken', async (_name, bytes) => {
    const path = join(folder(), 'x.mmdb');
    writeFileSync(path, bytes);
    const { database } = await openOne(path);
    expect(database.status().state).toBe('broken');
    expect(database.lookup('1.1.1.1', 4)).toBe('database_broken');
  });

  test('a directory or a pipe is broken', async () => {
    const pipe = join(folder(), 'pipe.mmdb');
    execFileSync('mkfifo', [pipe]);
    for (const path of [folder(), pipe]) {
      const { database } = await openOne(path);
      expect(database.status()).toMatchObject({ state: 'broken', lastError: 'file_unreadable' });
    }
  });

  test('[asks 76] half a file is broken, not half a database', async () => {
    const path = join(folder(), 'half.mmdb');
    copyFileSync(join(FIXTURES, 'geo-city.mmdb'), path);
    truncateSync(path, 900);
    const { database } = await openOne(path);
    expect(database.status().state).toBe('broken');
  });

  test('a search tree that is longer than the file is broken', async () => {
    const path = join(folder(), 'tree.mmdb');
    const good = readFileSync(join(FIXTURES, 'geo-city.mmdb'));
    writeFileSync(path, good.subarray(good.indexOf('MaxMind.com') - 3));
    const { database } = await openOne(path);
    expect(database.status().state).toBe('broken');
  });
});

describe('looking up', () => {
  test('a record that cannot be read is told as broken, once in the log; other addresses go on', async () => {
    const path = join(folder(), 'damaged.mmdb');
    writeFileSync(path, manyWithOneDamaged());
    const { database, lines } = await openOne(path);
    expect(database.lookup('10.69.53.1', 4)).toBe('database_broken');
    expect(database.lookup('10.69.53.2', 4)).toBe('database_broken');
    expect(database.lookup('10.69.54.1', 4)).toMatchObject({ record: { country_code: 'DE' } });
    expect(database.status()).toMatchObject({ state: 'broken', type: 'damaged' });
    expect(lines.filter((line) => line.includes('database_broken'))).toHaveLength(1);
  });

  test('the more specific network wins, its neighbours keep the wider one', async () => {
    const path = join(folder(), 'nested.mmdb');
    const networks = { '10.0.0.0/8': 'wide', '10.1.0.0/16': 'middle', '10.1.2.3/32': 'narrow', '::/1': 'six' };
    writeFileSync(path, writeMmdb(networks, { type: 'nested', ipVersion: 6, buildEpoch: 1 }));
    const { database } = await openOne(path);
    const found = (ip: string, family: 4 | 6) => database.lookup(ip, family);
    expect(found('10.200.0.1', 4)).toMatchObject({ record: 'wide' });
    expect(found('10.1.9.9', 4)).toMatchObject({ record: 'middle' });
    expect(found('10.1.2.3', 4)).toMatchObject({ record: 'narrow' });
    expect(found('10.1.2.2', 4)).toMatchObject({ record: 'middle' });
    expect(found('2001:db8::1', 6)).toMatchObject({ record: 'six' });
    expect(found('8000::1', 6)).toMatchObject({ record: null });
  });
});

describe('fixtures', () => {
  test.each(Object.entries(MMDB_FIXTURES))('%s is what the script makes', (name, bytes) => {
    expect(readFileSync(join(FIXTURES, name)).equals(bytes)).toBe(true);
  });
});
