import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { writeMmdb } from '../../scripts/mmdb-writer.ts';
import { namesOf, openMmdb, type WatchedMmdb } from '../../src/stores/mmdb.ts';
import { openMmdbSet } from '../../src/stores/mmdb-set.ts';
import { FIXTURES, manyWithOneDamaged } from './databases.ts';

const QUIET = { info: () => undefined, warn: () => undefined };

/** A database in which 192.0.2.0/24 lies in a country, built at a time. */
function database(country: string, builtAt: number): Buffer {
  return writeMmdb({ '192.0.2.0/24': { country_code: country } }, { type: 'reload', ipVersion: 4, buildEpoch: builtAt });
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'countersign-reload-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function opened(path: string) {
  const events: string[] = [];
  const note = (event: string, fields?: Readonly<Record<string, unknown>>) => void events.push(`${event} ${fields?.['code'] ?? ''}`.trim());
  return { watched: await openMmdb(path, 'x', { info: note, warn: note }), events };
}

/** What it answers, and what it says of itself. */
function shown(watched: WatchedMmdb) {
  const found = watched.lookup('192.0.2.1', 4);
  const { state, builtAt, lastError } = watched.status();
  return { answer: typeof found === 'string' ? found : found.record, state, builtAt, lastError };
}

const OLD = { answer: { country_code: 'DE' }, state: 'ready', builtAt: 1000, lastError: null };
const NEW = { answer: { country_code: 'FR' }, state: 'ready', builtAt: 2000, lastError: null };

async function started() {
  const at = folder();
  const path = join(at, 'x.mmdb');
  writeFileSync(path, database('DE', 1000));
  const { watched, events } = await opened(path);
  expect(shown(watched)).toEqual(OLD);
  return { at, path, watched, events };
}

/** Two looks: what was the same at both is taken. */
async function settle(watched: WatchedMmdb): Promise<void> {
  await watched.refresh();
  await watched.refresh();
}

test('[asks 77] a renamed file is in use after the second look that finds it unchanged', async () => {
  const { at, path, watched, events } = await started();
  writeFileSync(join(at, 'next'), database('FR', 2000));
  renameSync(join(at, 'next'), path);
  await watched.refresh();
  expect(shown(watched)).toEqual(OLD);
  await watched.refresh();
  expect(shown(watched)).toEqual(NEW);
  await settle(watched);
  expect(events).toEqual(['database_opened', 'database_replaced']);
});

test('[asks 77] a ConfigMap or Secret that swaps the link of its folder is seen', async () => {
  const at = folder();
  for (const [name, country, builtAt] of [
    ['..1', 'DE', 1000],
    ['..2', 'FR', 2000],
  ] as const) {
    mkdirSync(join(at, name));
    writeFileSync(join(at, name, 'x.mmdb'), database(country, builtAt));
  }
  symlinkSync('..1', join(at, '..data'));
  symlinkSync(join('..data', 'x.mmdb'), join(at, 'x.mmdb'));
  const { watched } = await opened(join(at, 'x.mmdb'));
  expect(shown(watched)).toEqual(OLD);
  symlinkSync('..2', join(at, '..data_tmp'));
  renameSync(join(at, '..data_tmp'), join(at, '..data'));
  rmSync(join(at, '..1'), { recursive: true });
  await settle(watched);
  expect(shown(watched)).toEqual(NEW);
});

test('[asks 76] half a file over it: the old one answers, the status says what is wrong, the log once', async () => {
  const { path, watched, events } = await started();
  const next = database('FR', 2000);
  writeFileSync(path, next.subarray(0, next.length / 3));
  await settle(watched);
  await settle(watched);
  expect(shown(watched)).toEqual({ ...OLD, state: 'stale', lastError: 'format_unknown' });
  expect(events).toEqual(['database_opened', 'database_broken format_unknown']);
  writeFileSync(path, next);
  await settle(watched);
  expect(shown(watched)).toEqual(NEW);
});

test.each([
  ['an empty file', Buffer.alloc(0), 'file_empty'],
  ['text', Buffer.from('no database'), 'format_unknown'],
  ['a marker without metadata', Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), 'metadata_invalid'],
  ['a tree that is cut off', readFileSync(join(FIXTURES, 'geo-city.mmdb')).subarray(900), 'tree_truncated'],
  ['a record that cannot be read', damaged(), 'record_unreadable'],
])('%s is refused by its own code, and not judged twice', async (_name, bytes, lastError) => {
  const { path, watched, events } = await started();
  writeFileSync(path, bytes);
  await settle(watched);
  await settle(watched);
  expect(shown(watched)).toEqual({ ...OLD, state: 'stale', lastError });
  expect(events).toEqual(['database_opened', `database_broken ${lastError}`]);
});

function damaged(): Buffer {
  const bytes = database('FR', 2000);
  const at = bytes.lastIndexOf(Buffer.from('country_code')) - 2;
  bytes.set([0, 0xf0], at);
  return bytes;
}

test('a file that grows between two looks is left alone until it rests', async () => {
  const { path, watched } = await started();
  const next = database('FR', 2000);
  writeFileSync(path, next.subarray(0, 10));
  await watched.refresh();
  for (let length = 10; length < next.length; length += 40) {
    appendFileSync(path, next.subarray(length, length + 40));
    await watched.refresh();
    expect(shown(watched)).toEqual(OLD);
  }
  await watched.refresh();
  expect(shown(watched)).toEqual(NEW);
});

test('a file that goes away: the old one answers; the same file back is no news', async () => {
  const { at, path, watched, events } = await started();
  renameSync(path, join(at, 'away'));
  await settle(watched);
  expect(shown(watched)).toEqual({ ...OLD, state: 'stale', lastError: 'file_missing' });
  renameSync(join(at, 'away'), path);
  await settle(watched);
  expect(shown(watched)).toEqual(OLD);
  expect(events.slice(0, 2)).toEqual(['database_opened', 'database_missing file_missing']);
});

test.each(['none at the start', 'a broken one at the start'])('%s: a good one that comes later is taken', async (which) => {
  const path = join(folder(), 'x.mmdb');
  const broken = which.startsWith('a broken');
  if (broken) writeFileSync(path, 'x');
  const { watched } = await opened(path);
  const fault = broken ? 'broken' : 'missing';
  expect(shown(watched)).toMatchObject({ answer: `database_${fault}`, state: fault, builtAt: null });
  writeFileSync(path, database('FR', 2000));
  await settle(watched);
  expect(shown(watched)).toEqual(NEW);
});

test('a damaged record is forgotten with the file that held it', async () => {
  const path = join(folder(), 'x.mmdb');
  writeFileSync(path, manyWithOneDamaged());
  const { watched } = await opened(path);
  expect(watched.lookup('10.69.53.1', 4)).toBe('database_broken');
  expect(watched.status()).toMatchObject({ state: 'broken', lastError: 'record_unreadable' });
  await settle(watched);
  expect(watched.status().state).toBe('broken');
  writeFileSync(path, database('FR', 2000));
  await settle(watched);
  expect(shown(watched)).toEqual(NEW);
});

test('looks do not overlap: calls at once share one', async () => {
  const { watched } = await started();
  expect(watched.refresh()).toBe(watched.refresh());
});

test('two files of one name are told apart by their paths', () => {
  expect(namesOf(['/a/x.mmdb', '/b/x.mmdb', '/a/y.mmdb'])).toEqual(['/a/x.mmdb', '/b/x.mmdb', 'y.mmdb']);
});

test('[asks 77] the set looks by itself, in its order, until it is stopped', async () => {
  const at = folder();
  const [first, second] = [join(at, '1.mmdb'), join(at, '2.mmdb')];
  writeFileSync(first, database('DE', 1000));
  writeFileSync(second, database('DE', 1000));
  const set = await openMmdbSet([{ file: first, refreshSeconds: 1 }, second], QUIET);
  onTestFinished(() => set.stop());
  writeFileSync(join(at, 'next'), database('FR', 2000));
  renameSync(join(at, 'next'), first);
  await vi.waitFor(() => expect(set.databases.map((one) => one.status().builtAt)).toEqual([2000, 1000]), { timeout: 9000, interval: 50 });
}, 12_000);
