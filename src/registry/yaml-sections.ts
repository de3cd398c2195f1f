import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLSeq } from 'yaml';
import type { Problems } from './problem.ts';
import type { Entry, SectionName, SourceFile } from './sections.ts';

/*
 * The YAML parser builds a tree of some hundred bytes for each byte of text, so a file of many entries is cut at its entries and read piece by
 * piece. A cut can only be where YAML itself begins an entry: a line of a list's own indentation that begins with `-`. What else such a line
 * could be, inside of quotes or brackets, is not indented enough for YAML and refused by it, cut or not.
 */

type Take = (list: string, entry: Entry) => boolean;
type Piece = { readonly list: string; readonly line: number; readonly text: string };

/** Entries of one piece. */
const PIECE_ENTRIES = 200;
/** A file that is not written as lists of blocks is read at once, if it is small. */
const WHOLE_CHARS_MAX = 262_144;

const TEXTS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'the same key twice',
  MULTIPLE_DOCS: 'more than one document',
  BAD_INDENT: 'wrong indentation',
  TAB_AS_INDENT: 'a tab as indentation',
  MISSING_CHAR: 'a character is missing, such as a quote or a bracket',
  BAD_ALIAS: 'an alias that does not exist',
};

/** Hands over each entry of the lists in a YAML file until `take` says that it is enough; nothing but these lists may be in it. */
export function readYamlSections(file: SourceFile, names: readonly SectionName[], take: Take, problems: Problems): void {
  const pieces = cut(file, names);
  if (pieces === null) {
    if (file.text.length > WHOLE_CHARS_MAX)
      problems.add(file.name, null, null, `must be written with one entry a block: ${listsOf(names)}`);
    else readWhole(file, names, take, problems);
    return;
  }
  if ('line' in pieces) {
    problems.add(file.name, pieces.line, null, pieces.message);
    return;
  }
  const counts: Record<string, number> = {};
  for (const { list, line, text } of pieces.pieces) {
    const read = parse({ name: file.name, text }, line, problems);
    if (read === null) return;
    if (!isSeq(read.contents)) {
      problems.add(file.name, line, list, 'must be a list');
      return;
    }
    const at = counts[list] ?? 0;
    counts[list] = at + read.contents.items.length;
    if (!takeItems(read.contents, read, { file: file.name, list, from: at }, take, problems)) return;
  }
}

const listsOf = (names: readonly SectionName[]): string => names.map(({ list }) => `\`${list}:\``).join(', ');

type Cut = { readonly pieces: readonly Piece[] } | { readonly line: number; readonly message: string } | null;

/** Null where the text is not written in the form that can be cut. */
function cut({ text }: SourceFile, names: readonly SectionName[]): Cut {
  const pieces: Piece[] = [];
  const seen = new Set<string>();
  let list: string | null = null;
  let indent: number | null = null;
  /** The header whose list has to follow: without one its value is null, or the file is cut short. */
  let awaited: { readonly line: number; readonly message: string } | null = null;
  let piece: { line: number; entries: number; rows: string[] } | null = null;
  const close = (): void => {
    if (piece !== null && list !== null) pieces.push({ list, line: piece.line, text: piece.rows.join('\n') });
    piece = null;
  };
  for (const [index, row] of text.split('\n').entries()) {
    const line = index + 1;
    const header = /^([A-Za-z]+):[ \t]*(\[[ \t]*\][ \t]*)?(#.*)?\r?$/.exec(row);
    if (header !== null) {
      close();
      if (awaited !== null) return awaited;
      const name = header[1] ?? '';
      if (!names.some((one) => one.list === name)) return { line, message: `must be one of ${listsOf(names)}` };
      if (seen.has(name)) return { line, message: 'the same key twice' };
      seen.add(name);
      list = header[2] === undefined ? name : null;
      awaited = list === null ? null : { line, message: `must be a list: \`${name}: []\` where there is none` };
      indent = null;
      continue;
    }
    if (/^\s*(#.*)?$/.test(row) || (row === '---' && seen.size === 0)) {
      piece?.rows.push(row);
      continue;
    }
    if (list === null) return null;
    const dashed = /^( *)-(?:[ \t\r]|$)/.exec(row);
    indent ??= dashed?.[1]?.length ?? null;
    if (indent === null) return null;
    awaited = null;
    if (dashed?.[1]?.length === indent) {
      if (piece === null || piece.entries >= PIECE_ENTRIES) {
        close();
        piece = { line, entries: 0, rows: [] };
      }
      piece.entries++;
    } else if (!row.startsWith(' '.repeat(indent + 1))) return null;
    piece?.rows.push(row);
  }
  close();
  return awaited ?? { pieces };
}

function readWhole(file: SourceFile, names: readonly SectionName[], take: Take, problems: Problems): void {
  const read = parse(file, 1, problems);
  if (read === null) return;
  if (!isMap(read.contents)) {
    problems.add(file.name, null, null, `must be a mapping with ${listsOf(names)}`);
    return;
  }
  for (const { key, value } of read.contents.items) {
    const list = isScalar(key) ? String(key.value) : '';
    const section = names.find((one) => one.list === list);
    if (section === undefined) problems.add(file.name, read.lineOf(key), null, `must be one of ${listsOf(names)}`);
    else if (!isSeq(value)) problems.add(file.name, read.lineOf(key), list, 'must be a list');
    else if (!takeItems(value, read, { file: file.name, list, from: 0 }, take, problems)) return;
  }
}

type Read = { readonly document: ReturnType<typeof parseDocument>; readonly contents: unknown; lineOf(node: unknown): number };

/** The tree of a text, or null with the problem noted. The parser's own messages repeat the text. */
function parse({ name, text }: SourceFile, firstLine: number, problems: Problems): Read | null {
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: false, logLevel: 'error', lineCounter: lines });
  const lineAt = (offset: number): number => firstLine - 1 + Math.max(1, lines.linePos(offset).line);
  const faults = [...document.errors, ...document.warnings];
  for (const { code, pos } of faults) problems.add(name, lineAt(pos[0]), null, TEXTS[code] ?? `is not valid YAML (${code})`);
  if (faults.length > 0) return null;
  const lineOf = (node: unknown): number => {
    const range = typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? node.range : [0];
    return lineAt(Number(range[0]));
  };
  return { document, contents: document.contents, lineOf };
}

function takeItems(
  list: YAMLSeq,
  { document, lineOf }: Read,
  at: { readonly file: string; readonly list: string; readonly from: number },
  take: Take,
  problems: Problems,
): boolean {
  for (const [index, item] of list.items.entries()) {
    const line = lineOf(item);
    const field = `${at.list}[${at.from + index}]`;
    let value: unknown;
    try {
      value = isMap(item) ? item.toJS(document, { maxAliasCount: 0 }) : null;
    } catch {
      problems.add(at.file, line, field, 'must not use aliases');
      continue;
    }
    if (!take(at.list, { file: at.file, line, field, value })) return false;
  }
  return true;
}
