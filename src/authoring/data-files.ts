import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
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

/** The first that the reader of YAML finds; of JSON, which is told by its own, only names that are there twice. */
function yamlProblem(text: string, isYaml: boolean): Problem | null {
  const lines = new LineCounter();
  const { errors } = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const error = errors.find(({ code }) => isYaml || code === 'DUPLICATE_KEY');
  if (error === undefined) return null;
  const { line, col } = lines.linePos(error.pos[0]);
  return { at: { line, column: col }, what: error.code === 'DUPLICATE_KEY' ? 'a name that is there before' : error.message };
}

function endOf(text: string): Place {
  const lines = text.split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
