import type { Followed, Position, Purged, Put, SharedEntry } from '../shared-entries.ts';

/** `<until> <text>` of a field; null where it has another form. */
export function parseField(id: string, value: unknown): SharedEntry | null {
  if (typeof value !== 'string') return null;
  const [, until, text] = /^(\d{1,15}) (.*)$/s.exec(value) ?? [];
  return until === undefined || text === undefined ? null : { id, untilSeconds: Number(until), text };
}

/** Where the whole is, by its field `m`; null where there is none. */
export function readPosition(value: unknown): Position | null {
  const [, epoch, version, head] = typeof value === 'string' ? (/^(\S+) (\d{1,15}) (\S+) /.exec(value) ?? []) : [];
  return epoch === undefined || version === undefined || head === undefined ? null : { epoch, version: Number(version), head };
}

/** The answer `changed`: version, head, whether there is more, then id and value of each change; null where it is none of that. */
export function readChanges(words: readonly unknown[], epoch: string): Extract<Followed, { kind: 'changed' }> | null {
  const [word, version, head, more, ...changes] = words;
  if (word !== 'changed' || typeof version !== 'number' || typeof head !== 'string') return null;
  // what changed twice is there twice, in its present form
  const entries = new Map<string, SharedEntry>();
  const removed = new Set<string>();
  for (let at = 0; at + 1 < changes.length; at += 2) {
    const id = String(changes[at]);
    const entry = parseField(id, changes[at + 1]);
    if (entry === null) removed.add(id);
    else entries.set(id, entry);
  }
  const position = { epoch, version, head };
  return { kind: 'changed', position, entries: [...entries.values()], removed: [...removed], more: more === 1 };
}

/** The answer to a change: its word, then epoch, version and head; null where it is none of that. */
export function readPut([word, epoch, version, head]: readonly unknown[]): Put | null {
  if (word === 'full' || word === 'lost') return { kind: word };
  if (word !== 'put' || typeof epoch !== 'string' || typeof version !== 'number' || typeof head !== 'string') return null;
  return { kind: 'put', position: { epoch, version, head } };
}

/** The answer `purged`: time, entries that are left, then id and value of each that is not over; null where it is none of that. */
export function readPurged([word, nowSeconds, total, ...kept]: readonly unknown[]): Purged | null {
  if (word !== 'purged' || typeof nowSeconds !== 'number' || typeof total !== 'number') return null;
  const refused: SharedEntry[] = [];
  for (let at = 0; at + 1 < kept.length; at += 2) {
    const entry = parseField(String(kept[at]), kept[at + 1]);
    if (entry !== null) refused.push(entry);
  }
  return { kind: 'purged', nowSeconds, total, refused };
}
