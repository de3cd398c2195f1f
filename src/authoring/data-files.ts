import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isScalar, LineCounter, type ParsedNode, parseDocument, visit } from 'yaml';
import { scanJson } from '../formats/json-scan.ts';
import { type Finding, findingOf } from './finding.ts';
import type { Place } from './rego-ast.ts';

/* The manifest and the data of a folder. OPA tells no line of what is wrong in them, takes the last of two names that are the same, and reads no data but of `data.json` and `data.yaml`. */

const JSON_FILE = /^\.manifest$|(^|\/)data\.json$|^schemas\/[^/]+\.json$/;
const YAML_FILE = /(^|\/)data\.ya?ml$/;
const OTHER_FILE = /\.(json|ya?ml)$/;
/** What else a bundle has of such files. */
const KNOWN_FOLDER = /^(schemas|cases)\//;

/** What cannot be read, or would be read otherwise than it is written; warnings tell what is not read at all. */
export async function checkDataFiles(
  directory: string,
  files: readonly string[],
): Promise<{ readonly findings: readonly Finding[]; readonly warnings: readonly Finding[] }> {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!JSON_FILE.test(file) && !YAML_FILE.test(file)) continue;
    const text = await readFile(join(directory, file), 'utf8');
    const wrong = (JSON_FILE.test(file) ? jsonProblem(text) : null) ?? yamlProblem(text, YAML_FILE.test(file));
    if (wrong !== null) findings.push(findingOf('data_invalid', { file, ...wrong.at }, wrong.what));
  }
  const ignored = files.filter((file) => OTHER_FILE.test(file) && ![JSON_FILE, YAML_FILE, KNOWN_FOLDER].some((form) => form.test(file)));
  return { findings, warnings: ignored.map((file) => findingOf('data_ignored', { file, line: 1, column: 1 })) };
}

/** How large a document may be is for the service to say. */
const ANY = { depthMax: 1000, keysMax: Number.MAX_SAFE_INTEGER };

type Problem = { readonly at: Place; readonly what: string };

function jsonProblem(text: string): Problem | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(said) ?? [];
    // without a place it is the end that came too early
    const at = line === undefined ? endOf(text) : { line: Number(line), column: Number(column) };
    return { at, what: 'no JSON' };
  }
}

/** The first that the reader of YAML finds, and names that are there twice; JSON is told by its own reader, and then by the second alone. */
function yamlProblem(text: string, isYaml: boolean): Problem | null {
  if (!isYaml && scanJson(text, ANY)?.problem !== 'duplicate_key') return null;
  const lines = new LineCounter();
  // the reader's own look for the second name takes the square of their number
  const { errors, contents } = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const [error] = isYaml ? errors : [];
  const at = error === undefined ? placeOfSecond(contents) : error.pos[0];
  if (at === null) return null;
  const { line, col } = lines.linePos(at);
  return { at: { line, column: col }, what: error?.message ?? 'a name that is there before' };
}

/** Where the first name is that its object has already. */
function placeOfSecond(contents: ParsedNode | null): number | null {
  let found: number | null = null;
  visit(contents, {
    Map(_key, { items }) {
      const names = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (names.has(key.value)) {
          found = key.range?.[0] ?? 0;
          return visit.BREAK;
        }
        names.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}

function endOf(text: string): Place {
  const lines = text.split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
