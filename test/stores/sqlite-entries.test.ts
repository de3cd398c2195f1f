import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openSqliteEntries } from '../../src/stores/sqlite-entries.ts';

let path: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-revocations-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  path = join(folder, 'inner', 'things.db');
});

const open = () => openSqliteEntries(path, 'things.db');
const entry = (id: string, text = id, untilSeconds = 0) => ({ id, untilSeconds, text });
const acknowledged = { epoch: 'e', version: 9, head: 'i' };
const position = { epoch: 'e', version: 7, head: 'h' };

test('what was written is there again, and others may not read it', () => {
  const first = open();
  expect(first.load()).toEqual({ entries: new Map(), position: null, acknowledged: null });
  first.write({ clear: false, entries: [entry('a'), entry('b'), entry('c')], removed: [], position: null });
  first.write({ clear: false, entries: [entry('a', 'other', 5)], removed: ['b', 'no such'], position, acknowledged });
  first.close();
  expect(statSync(path).mode & 0o077).toBe(0);
  const again = open();
  expect(again.load()).toEqual({
    entries: new Map([
      ['a', entry('a', 'other', 5)],
      ['c', entry('c')],
    ]),
    position,
    acknowledged,
  });
  again.write({ clear: true, entries: [entry('d')], removed: [], position });
  expect([...again.load().entries.keys()]).toEqual(['d']);
  again.close();
});

test('all of a change or nothing', () => {
  const kept = open();
  kept.write({ clear: false, entries: [entry('a')], removed: [], position });
  function* failing() {
    yield entry('b');
    throw new Error('the source failed');
  }
  expect(() => kept.write({ clear: true, entries: failing(), removed: [], position: null })).toThrow(
    expect.objectContaining({ code: 'state_invalid' }),
  );
  expect(kept.load()).toEqual({ entries: new Map([['a', entry('a')]]), position, acknowledged: null });
  kept.close();
});

test.each<[string, () => void]>([
  ['no database', () => writeFileSync(path, 'this is no database at all'.repeat(200))],
  [
    'of a later form',
    () => {
      const later = new DatabaseSync(path);
      later.exec('PRAGMA user_version = 99');
      later.close();
    },
  ],
])('a file that is %s is refused, and stays as it is', (_name, damage) => {
  open().close();
  damage();
  const before = statSync(path).size;
  expect(open).toThrow(expect.objectContaining({ code: 'state_invalid', field: 'things.db' }));
  expect(statSync(path).size).toBe(before);
});
