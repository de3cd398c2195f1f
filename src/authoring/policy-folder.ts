import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { compareText, type Finding } from './finding.ts';
import { findingsOf, type Opa, parseOutput } from './opa.ts';
import { type Module, objectsIn, parseModule } from './rego-ast.ts';

/* A folder of Rego with its data, as `opa build -b` takes it. */

/** Processes of OPA at once. */
const AT_ONCE = 8;

/** Whether the folder is one of a policy: it has a `.manifest`. */
export async function isPolicyFolder(directory: string): Promise<boolean> {
  try {
    return (await stat(join(directory, '.manifest'))).isFile();
  } catch {
    // that it is not there is the answer
    return false;
  }
}

/** Paths of all files below a folder, with slashes, sorted; hidden ones but for `.manifest` are left out. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(directory.length)
        .replace(/^[/\\]+/, '')
        .replaceAll('\\', '/'),
    )
    .filter((path) => path.split('/').every((part) => !part.startsWith('.') || part === '.manifest'))
    .sort(compareText);
}

/** Parses one file with the place of everything in it; null with findings where it does not parse. */
export async function parseOne(
  opa: Opa,
  directory: string,
  file: string,
): Promise<{ readonly module: Module | null; readonly findings: readonly Finding[] }> {
  const run = await opa(['parse', '--format', 'json', '--json-include', 'locations', file], directory);
  const module = run.ok ? parseModule(file, parseOutput(run.stdout)) : null;
  return { module, findings: module === null ? findingsOf(run, file, 'opa parse') : [] };
}

/**
 * Every Rego file that is no test, by its syntax tree; what does not parse is a finding. All in one run of OPA, whose trees know no places: a
 * process a file costs a second where nothing is wrong, so places are asked for (`parseOne`) where something is.
 */
export async function parseModules(
  opa: Opa,
  directory: string,
  files: readonly string[],
): Promise<{ readonly modules: readonly Module[]; readonly findings: readonly Finding[] }> {
  const sources = files.filter((file) => file.endsWith('.rego') && !file.endsWith('_test.rego'));
  const [trees, annotations] = await Promise.all([treesOf(opa, directory, sources), annotationsOf(opa, directory)]);
  if (annotations === null) return parseEach(opa, directory, sources);
  const modules: Module[] = [];
  const findings: Finding[] = [];
  for (const file of sources) {
    const tree = trees[file];
    const parsed = tree === undefined ? null : parseModule(file, tree);
    if (parsed !== null) modules.push({ ...parsed, annotations: annotations.get(file) ?? [] });
    else findings.push(...(await parseOne(opa, directory, file)).findings);
  }
  return { modules, findings };
}

/** A file for itself, so that one that is broken, or the manifest, hides nothing of the others. */
async function parseEach(opa: Opa, directory: string, sources: readonly string[]) {
  const parsed: Awaited<ReturnType<typeof parseOne>>[] = [];
  for (let from = 0; from < sources.length; from += AT_ONCE)
    parsed.push(...(await Promise.all(sources.slice(from, from + AT_ONCE).map((file) => parseOne(opa, directory, file)))));
  return {
    modules: parsed.flatMap(({ module }) => (module === null ? [] : [module])),
    findings: parsed.flatMap(({ findings }) => findings),
  };
}

const PARSE_ALL = '{file: tree | some file, text in input; tree := rego.parse_module(file, text)}';

/** File to tree; a file that does not parse is left out. */
async function treesOf(opa: Opa, directory: string, files: readonly string[]): Promise<JsonObject> {
  const scratch = await mkdtemp(join(tmpdir(), 'countersign-parse-'));
  try {
    const texts = await Promise.all(files.map(async (file) => [file, await readFile(join(directory, file), 'utf8')] as const));
    await writeFile(join(scratch, 'input.json'), JSON.stringify(Object.fromEntries(texts)));
    const run = await opa(['eval', '--format', 'raw', '--input', 'input.json', PARSE_ALL], scratch);
    const trees = parseOutput(run.stdout);
    return isJsonObject(trees) ? trees : {};
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** METADATA by file; null where OPA does not take the folder: one broken file, document or manifest is enough. */
async function annotationsOf(opa: Opa, directory: string): Promise<ReadonlyMap<string, JsonObject[]> | null> {
  const run = await opa(['inspect', '--annotations', '--format', 'json', '.'], directory);
  if (!run.ok) return null;
  const report = parseOutput(run.stdout);
  const byFile = new Map<string, JsonObject[]>();
  for (const one of isJsonObject(report) ? objectsIn(report['annotations']) : []) {
    const { location, annotations } = one;
    const file = isJsonObject(location) && typeof location['file'] === 'string' ? location['file'].replace(/^\.\//, '') : null;
    if (file !== null && isJsonObject(annotations)) byFile.set(file, [...(byFile.get(file) ?? []), annotations]);
  }
  return byFile;
}
