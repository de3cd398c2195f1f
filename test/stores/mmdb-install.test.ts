import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { writeMmdb } from '../../scripts/mmdb-writer.ts';
import { knownFields } from '../../src/enrich/network-record.ts';
import { httpFetch } from '../../src/stores/http-fetch.ts';
import { type InstallRequest, installMmdb } from '../../src/stores/mmdb-install.ts';
import { type Served, serveFiles } from '../support/file-server.ts';
import { tgzOf } from './archives.ts';

const NOW_MS = 1_800_000_000_000;
const TYPE = 'install';

function database(country: string, builtAt: number, type = TYPE): Buffer {
  return writeMmdb({ '192.0.2.0/24': { country_code: country } }, { type, ipVersion: 4, buildEpoch: builtAt });
}
const OLD = database('DE', 1000);
const NEW = database('FR', 2000);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const sha512 = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

/** A folder with an installed database, and the install into it. */
function place(installed: Buffer | null = OLD) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-install-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const to = join(folder, 'x.mmdb');
  if (installed !== null) writeFileSync(to, installed);
  const install = (request: Partial<InstallRequest>, npmRegistry: () => Promise<string | null> = async () => null) =>
    installMmdb(
      { from: join(folder, 'none'), to, sha256: null, entry: null, registry: null, force: false, ...request },
      { now: () => NOW_MS, fieldsOf: knownFields, fetch: httpFetch, npmRegistry },
    );
  return { folder, to, install };
}

/** The refusal, after a look that nothing changed and nothing was left lying about. */
function refusal(done: Awaited<ReturnType<typeof installMmdb>>, { folder, to }: { folder: string; to: string }, before = OLD) {
  expect(readFileSync(to).equals(before)).toBe(true);
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  return 'refused' in done ? [done.refused, done.detail] : expect.fail('it was installed');
}

describe('from this machine', () => {
  test('a file, and what it says of itself', async () => {
    const { folder, to, install } = place();
    writeFileSync(join(folder, 'next'), NEW);
    expect(await install({ from: join(folder, 'next') })).toEqual({
      installed: {
        file: to,
        state: 'ready',
        error: null,
        type: TYPE,
        builtAt: 2000,
        ageSeconds: NOW_MS / 1000 - 2000,
        sizeBytes: NEW.length,
        ipVersion: 4,
        samples: 1,
        fields: ['country'],
        licence: null,
      },
      sha256: sha256(NEW),
      unchanged: false,
    });
    expect(readFileSync(to).equals(NEW)).toBe(true);
    expect(await install({ from: join(folder, 'next') })).toMatchObject({ unchanged: true });
  });

  test('the only database of a directory, or the one that is named; the target need not be there', async () => {
    const { folder, to, install } = place(null);
    mkdirSync(join(folder, 'from'));
    writeFileSync(join(folder, 'from', 'a.mmdb'), NEW);
    writeFileSync(join(folder, 'from', 'README'), '…');
    expect(await install({ from: join(folder, 'from') })).toMatchObject({ installed: { state: 'ready' } });
    expect(readFileSync(to).equals(NEW)).toBe(true);
    writeFileSync(join(folder, 'from', 'b.mmdb'), OLD);
    expect(await install({ from: join(folder, 'from') })).toEqual({ refused: 'entry_ambiguous', detail: 'a.mmdb, b.mmdb' });
    expect(await install({ from: join(folder, 'from'), entry: 'a.mmdb' })).toMatchObject({ unchanged: true });
    expect(await install({ from: join(folder, 'from'), entry: 'c.mmdb' })).toEqual({ refused: 'entry_missing', detail: 'c.mmdb' });
  });

  test.each([
    ['one that is not there', null, 'file_missing'],
    ['an empty one', Buffer.alloc(0), 'file_empty'],
    ['text', Buffer.from('x'), 'format_unknown'],
    ['a database without its tree', NEW.subarray(NEW.indexOf('MaxMind.com') - 3), 'tree_truncated'],
    ['a gzip that is cut off', gzipSync(NEW).subarray(0, 50), 'archive_broken'],
    [
      'a layout that tells nothing',
      writeMmdb({ '192.0.2.0/24': { a: 1 } }, { type: TYPE, ipVersion: 4, buildEpoch: 2000 }),
      'layout_unknown',
    ],
  ])('%s is refused, and the old file stays', async (_what, bytes, code) => {
    const at = place();
    if (bytes !== null) writeFileSync(join(at.folder, 'next'), bytes);
    expect(refusal(await at.install({ from: join(at.folder, 'next') }), at)[0]).toBe(code);
  });

  test('an older one, or one of another type, only by force', async () => {
    const at = place(NEW);
    writeFileSync(join(at.folder, 'old'), OLD);
    writeFileSync(join(at.folder, 'other'), database('FR', 3000, 'other'));
    expect(refusal(await at.install({ from: join(at.folder, 'old') }), at, NEW)).toEqual(['older_than_installed', null]);
    expect(refusal(await at.install({ from: join(at.folder, 'other') }), at, NEW)).toEqual([
      'type_differs',
      'install is installed, not other',
    ]);
    expect(await at.install({ from: join(at.folder, 'old'), force: true })).toMatchObject({ installed: { builtAt: 1000 } });
  });

  test('a broken one that is installed is replaced by anything good', async () => {
    const { folder, to, install } = place(Buffer.from('broken'));
    writeFileSync(join(folder, 'next'), OLD);
    expect(await install({ from: join(folder, 'next') })).toMatchObject({ installed: { builtAt: 1000 }, unchanged: false });
    expect(readFileSync(to).equals(OLD)).toBe(true);
  });

  test('a checksum that was given counts here too', async () => {
    const at = place();
    writeFileSync(join(at.folder, 'next'), NEW);
    const from = join(at.folder, 'next');
    expect(refusal(await at.install({ from, sha256: '0'.repeat(64) }), at)).toEqual(['checksum_mismatch', `it is ${sha256(NEW)}`]);
    expect(await at.install({ from, sha256: sha256(NEW) })).toMatchObject({ installed: { builtAt: 2000 } });
  });

  test('a place that cannot be written to', async () => {
    const { folder, install } = place();
    writeFileSync(join(folder, 'next'), NEW);
    expect(await install({ from: join(folder, 'next'), to: join(folder, 'none', 'x.mmdb') })).toEqual({
      refused: 'write_failed',
      detail: 'ENOENT',
    });
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe('from a URL', () => {
  test('with the checksum that was given, or the one beside it, in the form of sha256sum', async () => {
    const packed = await tgzOf([{ name: 'City_2026/x.mmdb', bytes: NEW }]);
    const { url, asked } = await serveFiles({ '/x.tar.gz': packed, '/x.tar.gz.sha256': `${sha256(packed)}  x.tar.gz\n` });
    const given = place();
    expect(await given.install({ from: `${url}/x.tar.gz`, sha256: sha256(packed) })).toMatchObject({ sha256: sha256(packed) });
    expect(asked).toEqual(['/x.tar.gz']);
    const beside = place();
    expect(await beside.install({ from: `${url}/x.tar.gz` })).toMatchObject({ installed: { builtAt: 2000 } });
    expect(readFileSync(beside.to).equals(NEW)).toBe(true);
  });

  const cases: readonly (readonly [string, Record<string, Served>, string])[] = [
    ['without any checksum', { '/x': NEW }, 'checksum_missing'],
    ['with one beside it that is none', { '/x': NEW, '/x.sha256': 'sha256' }, 'checksum_missing'],
    ['with a wrong one', { '/x': NEW, '/x.sha256': `${sha256(OLD)}  x` }, 'checksum_mismatch'],
    ['with a right one of what is no database', { '/x': 'text', '/x.sha256': sha256(Buffer.from('text')) }, 'format_unknown'],
    ['that is not there', {}, 'fetch_failed'],
    ['that leads elsewhere', { '/x': { status: 302, headers: { location: '/y' } }, '/y': NEW }, 'fetch_failed'],
  ];
  test.each(cases)('%s it is refused, and the old file stays', async (_what, files, code) => {
    const { url } = await serveFiles(files);
    const at = place();
    expect(refusal(await at.install({ from: `${url}/x` }), at)[0]).toBe(code);
  });

  test.each(['http://192.0.2.1/x', 'https://user:secret@127.0.0.1/x'])('%s is not asked', async (from) => {
    const at = place();
    const done = refusal(await at.install({ from, sha256: sha256(NEW) }), at);
    expect(done[0]).toBe('fetch_failed');
    expect(done[1]).not.toContain('secret');
  });
});

describe('from an npm package', () => {
  async function registryWith(dist: (tarball: Buffer) => Record<string, string>) {
    const tarball = await tgzOf([
      { name: 'package/package.json', bytes: Buffer.from('{"scripts":{"install":"touch /tmp/never"}}') },
      { name: 'package/x.mmdb', bytes: NEW },
    ]);
    const files: Record<string, Served> = { '/-/x.tgz': tarball };
    const server = await serveFiles(files);
    const manifest = { name: '@scope/x', version: '1.2.3', dist: { tarball: `${server.url}/-/x.tgz`, ...dist(tarball) } };
    files['/@scope%2fx/1.2.3'] = JSON.stringify(manifest);
    return server;
  }

  test('held to the integrity that the registry tells; scope and version are exact', async () => {
    const { url, asked } = await registryWith((tarball) => ({ integrity: sha512(tarball) }));
    const { to, install } = place();
    expect(await install({ from: 'npm:@scope/x@1.2.3', registry: `${url}/` })).toMatchObject({ installed: { builtAt: 2000 } });
    expect(readFileSync(to).equals(NEW)).toBe(true);
    expect(asked).toEqual(['/@scope%2fx/1.2.3', '/-/x.tgz']);
  });

  test('the registry that npm is configured with is asked where none is given', async () => {
    const { url } = await registryWith((tarball) => ({ integrity: sha512(tarball) }));
    expect(await place().install({ from: 'npm:@scope/x@1.2.3' }, async () => url)).toMatchObject({ unchanged: false });
    const at = place();
    expect(refusal(await at.install({ from: 'npm:@scope/x@1.2.3' }), at)).toEqual(['registry_unknown', null]);
  });

  test.each([
    ['another integrity', () => ({ integrity: sha512(OLD) }), 'checksum_mismatch'],
    ['only a weak one', () => ({ integrity: 'sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }), 'package_unsigned'],
    ['none', () => ({}), 'package_unsigned'],
  ])('with %s it is refused', async (_what, dist, code) => {
    const { url } = await registryWith(dist);
    const at = place();
    expect(refusal(await at.install({ from: 'npm:@scope/x@1.2.3', registry: url }), at)[0]).toBe(code);
  });

  test('a checksum of the tarball that was given counts beside it', async () => {
    const { url } = await registryWith((tarball) => ({ integrity: sha512(tarball) }));
    const at = place();
    const done = await at.install({ from: 'npm:@scope/x@1.2.3', registry: url, sha256: sha256(NEW) });
    expect(refusal(done, at)[0]).toBe('checksum_mismatch');
  });

  test('an answer that is no manifest', async () => {
    const { url } = await serveFiles({ '/x/1.0.0': '<html>' });
    const at = place();
    expect(refusal(await at.install({ from: 'npm:x@1.0.0', registry: url }), at)[0]).toBe('package_unknown');
  });

  test.each(['npm:x', 'npm:x@latest', 'npm:x@^1.0.0', 'npm:../x@1.0.0', 'npm:x/../../y@1.0.0', 'npm:@a/b/c@1.0.0', 'npm:X@1.0.0'])(
    '%s names no package in one version',
    async (from) => {
      const at = place();
      expect(refusal(await at.install({ from, registry: 'http://127.0.0.1:9' }), at)[0]).toBe('source_invalid');
    },
  );
});
