import type { GeoipFile } from '../contract/geoip.ts';

const DAY_SECONDS = 86_400;
const COLUMNS = ['FILE', 'STATE', 'TYPE', 'BUILT', 'AGE', 'SIZE', 'KNOWS', 'LICENCE'] as const;

/** A file as JSON. */
export function describeFile(file: GeoipFile) {
  return {
    file: file.file,
    state: file.state,
    error: file.error,
    type: file.type,
    built_at: file.builtAt,
    age_seconds: file.ageSeconds,
    size_bytes: file.sizeBytes,
    ip_version: file.ipVersion,
    samples: file.samples,
    fields: file.fields,
    licence: file.licence,
  };
}

/** Files as a table for people, one a line; `-` where something is not known. */
export function tableOf(files: readonly GeoipFile[]): string {
  const rows = [COLUMNS, ...files.map(rowOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return `${rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

function rowOf(file: GeoipFile): readonly string[] {
  const { ageSeconds, builtAt, sizeBytes } = file;
  return [
    printable(file.file),
    file.error ?? file.state,
    file.type === null ? '-' : printable(file.type),
    builtAt === null ? '-' : dateOf(builtAt),
    ageSeconds === null ? '-' : `${Math.floor(ageSeconds / DAY_SECONDS)} d`,
    sizeBytes === null ? '-' : `${(sizeBytes / 1_000_000).toFixed(1)} MB`,
    file.fields.join(',') || '-',
    file.licence ?? '-',
  ];
}

/** The day, UTC; a time that no calendar has stays a number. */
function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().slice(0, 10);
}

/** Text out of a file or an archive, without what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
