import { isJsonObject } from '../contract/json.ts';
import { parseStrictJson } from '../formats/strict-json.ts';
import type { Problems } from './problem.ts';
import { readYamlSections } from './yaml-sections.ts';

/** One file of the registry. */
export type SourceFile = { readonly name: string; readonly text: string };

/** One entry of a list, as it was read. */
export type Entry = { readonly file: string; readonly line: number; readonly field: string; readonly value: unknown };

/** The entries of each list, over all files. */
export type Sections = Readonly<Record<string, readonly Entry[]>>;

/** A list that files may hold, and what one entry of it is called in JSON Lines. */
export type SectionName = { readonly list: string; readonly one: string };

export type SectionBounds = { readonly entriesMax: number };

const LINE_LIMITS = { depthMax: 8, keysMax: 1000, protoRefused: true };

/**
 * The entries of files: `.yaml` and `.yml` hold lists by name (`clients: [{…}]`), each line of `.jsonl` one entry by its kind (`{"client": {…}}`).
 * What cannot be read is a problem; the forms of entries are for the caller to judge.
 */
export function readSections(
  files: readonly SourceFile[],
  names: readonly SectionName[],
  bounds: SectionBounds,
  problems: Problems,
): Sections {
  const sections: Record<string, Entry[]> = {};
  for (const { list } of names) sections[list] = [];
  const take = (list: string, entry: Entry): boolean => {
    const entries = sections[list];
    if (entries === undefined) return false;
    if (entries.length >= bounds.entriesMax) {
      problems.add(entry.file, entry.line, entry.field, `is one entry too many: ${bounds.entriesMax} at most`);
      return false;
    }
    entries.push(entry);
    return true;
  };
  for (const file of files) {
    if (file.name.endsWith('.jsonl')) readLines(file, names, take, problems);
    else readYamlSections(file, names, take, problems);
  }
  return sections;
}

function readLines(
  { name: file, text }: SourceFile,
  names: readonly SectionName[],
  take: (list: string, entry: Entry) => boolean,
  problems: Problems,
): void {
  const counts: Record<string, number> = {};
  for (const [index, row] of text.split('\n').entries()) {
    if (row.trim() === '') continue;
    const line = index + 1;
    const parsed = parseStrictJson(Buffer.from(row), LINE_LIMITS);
    if (!parsed.ok) {
      problems.add(file, line, null, `is not valid JSON (${parsed.problem})`);
      continue;
    }
    const [kind, ...more] = isJsonObject(parsed.value) ? Object.keys(parsed.value) : [];
    const section = names.find(({ one }) => one === kind);
    if (section === undefined || more.length > 0 || !isJsonObject(parsed.value)) {
      problems.add(file, line, null, `must be an object with one member, ${names.map(({ one }) => one).join(' or ')}`);
      continue;
    }
    const at = counts[section.list] ?? 0;
    counts[section.list] = at + 1;
    if (!take(section.list, { file, line, field: `${section.list}[${at}]`, value: parsed.value[section.one] })) return;
  }
}
