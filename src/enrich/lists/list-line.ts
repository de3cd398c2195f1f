import { CountersignError } from '../../contract/errors.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { ListContentOptions } from '../../contract/lists.ts';

/** The entry that a line holds: '' where it holds none (blank, comment, header), null where it should and does not. */
export type LineReader = (line: string) => string | null;

/** Reads the lines of one content, in their order; it may remember a header. */
export function createLineReader({ kind, format, column, field }: ListContentOptions): LineReader {
  if (format === 'jsonl') return (line) => ofJson(line, field ?? '');
  if (format === 'csv') return csvReader(column ?? 1);
  if (format === 'drop' && kind === 'addresses') {
    return (line) => {
      const entry = plain(line);
      return entry === '' || entry.includes('/') ? entry : null;
    };
  }
  return plain;
}

/** What is left of a line without its comment: `#` or `;` anywhere, `//` at the beginning. */
function plain(line: string): string {
  let end = line.length;
  for (const mark of ['#', ';']) {
    const at = line.indexOf(mark);
    if (at >= 0 && at < end) end = at;
  }
  const text = line.slice(0, end).trim();
  return text.startsWith('//') ? '' : text;
}

/** Spamhaus ends its files with a line `{"type":"metadata",…}`. */
function ofJson(line: string, field: string): string | null {
  const text = line.trim();
  if (text === '') return '';
  const value = parseJson(text);
  if (!isJsonObject(value)) return null;
  const entry = Object.hasOwn(value, field) ? value[field] : undefined;
  if (typeof entry === 'number') return String(entry);
  if (typeof entry === 'string' && entry !== '') return entry.trim();
  return entry === undefined && value['type'] === 'metadata' ? '' : null;
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return null;
  }
}

function csvReader(column: string | number): LineReader {
  let index = typeof column === 'number' ? column - 1 : null;
  return (line) => {
    if (line.trim() === '' || line.startsWith('#')) return '';
    const fields = splitCsv(line);
    if (index !== null) return fields?.[index] || null;
    index = fields?.indexOf(String(column)) ?? -1;
    if (index < 0) throw new CountersignError('list_invalid', { detail: 'the header names no such column' });
    return '';
  };
}

const QUOTED = /\s*"((?:[^"]|"")*)"\s*(?:,|$)/y;
const BARE = /([^",]*)(?:,|$)/y;

/** The fields of one line by RFC 4180, trimmed; null where its quotes are broken: a field may not hold a line end here. */
function splitCsv(line: string): readonly string[] | null {
  const fields: string[] = [];
  for (let at = 0; at <= line.length; ) {
    QUOTED.lastIndex = at;
    BARE.lastIndex = at;
    const quoted = QUOTED.exec(line);
    const found = quoted ?? BARE.exec(line);
    if (found === null) return null;
    const field = found[1] ?? '';
    fields.push(quoted === null ? field.trim() : field.replaceAll('""', '"').trim());
    at += found[0].length;
    if (!found[0].endsWith(',')) return fields;
  }
  return fields;
}
