import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { extractMmdb } from '../../src/stores/mmdb-archive.ts';
import { tarOf, tgzOf } from './archives.ts';

const ONE = Buffer.from('the first database');
const TWO = Buffer.from('the second database');
const LIMITS = { unpackedBytesMax: 1_000_000, entryBytesMax: 100_000 };

async function taken(packed: Buffer, entry: string | null = null, limits = LIMITS): Promise<string> {
  const extracted = await extractMmdb(packed, entry, limits);
  return 'bytes' in extracted ? extracted.bytes.toString() : [extracted.fault, ...extracted.names].join(' ');
}

describe('forms', () => {
  test('a plain file is itself, a gzip file what is in it', async () => {
    expect(await taken(ONE)).toBe('the first database');
    expect(await taken(gzipSync(ONE))).toBe('the first database');
    expect(await taken(gzipSync(Buffer.alloc(5000, 'x')))).toBe('x'.repeat(5000));
  });

  test('a tar and a gzip tar: the only database, in whatever folder', async () => {
    const entries = [
      { name: 'package/package.json', bytes: Buffer.from('{}') },
      { name: 'GeoLite2-City_20260101/', type: 'directory' as const },
      { name: 'GeoLite2-City_20260101/GeoLite2-City.mmdb', bytes: ONE },
      { name: 'GeoLite2-City_20260101/LICENSE.txt', bytes: Buffer.from('…') },
    ];
    expect(await taken(await tarOf(entries))).toBe('the first database');
    expect(await taken(await tgzOf(entries))).toBe('the first database');
  });

  test('one of several by its name; without a name they are told', async () => {
    const packed = await tgzOf([
      { name: 'package/a.mmdb', bytes: ONE },
      { name: 'package/b.mmdb', bytes: TWO },
    ]);
    expect(await taken(packed, 'b.mmdb')).toBe('the second database');
    expect(await taken(packed)).toBe('entry_ambiguous a.mmdb b.mmdb');
    expect(await taken(packed, 'c.mmdb')).toBe('entry_missing');
  });

  test('the same name in two folders is ambiguous, not the last one', async () => {
    const packed = await tgzOf([
      { name: 'a/x.mmdb', bytes: ONE },
      { name: 'b/x.mmdb', bytes: TWO },
    ]);
    expect(await taken(packed, 'x.mmdb')).toBe('entry_ambiguous x.mmdb x.mmdb');
  });
});

describe('what leads out or is no file', () => {
  test.each([
    ['a symbolic link', { name: 'x.mmdb', type: 'symlink' as const, linkname: '/etc/passwd' }],
    ['a hard link', { name: 'x.mmdb', type: 'link' as const, linkname: '../../x' }],
    ['a pipe', { name: 'x.mmdb', type: 'fifo' as const }],
    ['a folder', { name: 'x.mmdb/', type: 'directory' as const }],
  ])('%s is no database', async (_what, entry) => {
    expect(await taken(await tgzOf([entry]), 'x.mmdb')).toBe('entry_missing');
  });

  test('a name with a way up is only a name', async () => {
    const packed = await tgzOf([{ name: '../../../etc/x.mmdb', bytes: ONE }]);
    expect(await taken(packed)).toBe('the first database');
    expect(await taken(packed, '../../../etc/x.mmdb')).toBe('entry_missing');
  });
});

describe('bounds', () => {
  test('all that is unpacked counts, wanted or not', async () => {
    const bomb = await tgzOf([
      { name: 'zeros', bytes: Buffer.alloc(2_000_000) },
      { name: 'x.mmdb', bytes: ONE },
    ]);
    expect(bomb.length).toBeLessThan(10_000);
    expect(await taken(bomb)).toBe('archive_too_large');
    expect(await taken(gzipSync(Buffer.alloc(2_000_000)))).toBe('archive_too_large');
  });

  test('and the wanted file by itself', async () => {
    const packed = await tgzOf([{ name: 'x.mmdb', bytes: Buffer.alloc(200_000, 'x') }]);
    expect(await taken(packed)).toBe('archive_too_large');
    expect(await taken(gzipSync(Buffer.alloc(200_000, 'x')))).toBe('archive_too_large');
  });
});

describe('what is broken', () => {
  test('a gzip or a tar that is cut off', async () => {
    const packed = await tgzOf([{ name: 'x.mmdb', bytes: Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251)) }]);
    for (const length of [20, packed.length >> 1, packed.length - 4])
      expect(await taken(packed.subarray(0, length))).toBe('archive_broken');
    const tar = await tarOf([{ name: 'x.mmdb', bytes: Buffer.alloc(5000, 'x') }]);
    expect(await taken(tar.subarray(0, 2000))).toBe('archive_broken');
  });

  test('bytes that only begin like gzip', async () => {
    expect(await taken(Buffer.from([0x1f, 0x8b, 1, 2, 3]))).toBe('archive_broken');
  });
});
