import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CountersignError } from '../contract/errors.ts';
import type { KeptEntries, Position, SharedEntry } from './shared-entries.ts';

const FORMAT = 1;
const LOCK_TIMEOUT_MS = 50;

/**
 * Entries in one SQLite file of this process's own; a change is on the disk when `write` returns (`synchronous = FULL`). Never for the path of
 * a request. Each method, and the opening, throws a CountersignError `state_invalid`: the field is the name.
 */
export function openSqliteEntries(path: string, name: string): KeptEntries {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw cause instanceof CountersignError ? cause : new CountersignError('state_invalid', { field: name, cause });
    }
  };
  const database = guarded(() => open(path, name));
  const select = database.prepare('SELECT id, until, text FROM entries');
  const selectFact = database.prepare('SELECT text FROM facts WHERE name = ?');
  const upsert = database.prepare(
    'INSERT INTO entries (id, until, text) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET until = excluded.until, text = excluded.text',
  );
  const remove = database.prepare('DELETE FROM entries WHERE id = ?');
  const removeAll = database.prepare('DELETE FROM entries');
  const saveFact = database.prepare('INSERT INTO facts (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text');
  const positionOf = (fact: string): Position | null => parsePosition(selectFact.get(fact)?.['text']);

  return {
    load: () =>
      guarded(() => {
        const entries = new Map<string, SharedEntry>();
        for (const { id, until, text } of select.iterate()) {
          if (typeof id === 'string' && typeof until === 'number' && typeof text === 'string')
            entries.set(id, { id, untilSeconds: until, text });
        }
        return { entries, position: positionOf('position'), acknowledged: positionOf('acknowledged') };
      }),
    write: ({ clear, entries, removed, position, acknowledged = null }) =>
      guarded(() => {
        database.exec('BEGIN IMMEDIATE');
        try {
          if (clear) removeAll.run();
          for (const { id, untilSeconds, text } of entries) upsert.run(id, untilSeconds, text);
          for (const id of removed) remove.run(id);
          saveFact.run('position', textOf(position));
          saveFact.run('acknowledged', textOf(acknowledged));
          database.exec('COMMIT');
        } catch (thrown) {
          if (database.isTransaction) database.exec('ROLLBACK');
          throw thrown;
        }
      }),
    close: () => database.close(),
  };
}

function open(path: string, name: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite would make a file that others can read
  closeSync(openSync(path, 'a', 0o600));
  // a file that another process has locked stops the event loop for as long
  const database = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS });
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    const [checked] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
    const [format] = Object.values(database.prepare('PRAGMA user_version').get() ?? {});
    if (checked !== 'ok' || (format !== 0 && format !== FORMAT)) throw new CountersignError('state_invalid', { field: name });
    database.exec(`CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY, until INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
      PRAGMA user_version = ${FORMAT}`);
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

function textOf(position: Position | null): string {
  return position === null ? '' : `${position.epoch} ${position.version} ${position.head}`;
}

function parsePosition(text: unknown): Position | null {
  const [epoch, version, head] = typeof text === 'string' ? text.split(' ') : [];
  return epoch === undefined || version === undefined || head === undefined ? null : { epoch, version: Number(version), head };
}
