import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { BUNDLE_LIMITS, unpack } from './bundle.ts';
import { packBundle } from './bundle-pack.ts';
import { contentRevision } from './bundle-revision.ts';
import { logEntrypoints } from './log-rules.ts';
import { explainable, hasRules, PARSE_QUERY, parseInput, placesOf, readsIn } from './rule-metadata.ts';

/* Runs OPA over a directory of Rego and adds to its bundle's manifest what plain `opa build` leaves out. */

const run = promisify(execFile);
const OPA_TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 64 << 20;
const SAID_MAX = 4000;
const NO_TESTS = ['--ignore', '*_test.rego'];

export type BuildOptions = {
  /** Path of the binary, or a name on PATH. */
  readonly opaBin: string;
  /** Directory with `.manifest`, Rego, `data.yaml` and, if any, `schemas/*.json`. */
  readonly directory: string;
  /** Slash path of the entry point. */
  readonly entrypoint: string;
  /** Rego that was written for another engine: it need not hold to `--strict`, and has no `entrypoint` in its METADATA. */
  readonly foreign?: boolean;
};

/**
 * Compiles a directory: `opa check --strict` (with its schemas), `opa build -t wasm`, and into the manifest's `metadata.countersign` the
 * titles and `custom` of every rule, the input paths that the rules read (`opa deps`) and the data schemas. The same sources give the same
 * bytes; the revision is their hash.
 * @throws CountersignError opa_missing, policy_compile_failed (detail: what OPA says)
 */
export async function buildBundle(options: BuildOptions): Promise<Uint8Array> {
  const scratch = await mkdtemp(join(tmpdir(), 'countersign-bundle-'));
  try {
    const schemas = await readSchemas(join(options.directory, 'schemas'));
    const target = join(scratch, 'bundle.tar.gz');
    const query = `data.${options.entrypoint.replaceAll('/', '.')}`;
    const checkSchemas = Object.keys(schemas).length === 0 ? [] : ['--schema', 'schemas'];
    // first, since it says best what is wrong
    await opa(options, ['check', ...(options.foreign === true ? [] : ['--strict']), ...checkSchemas, '.']);
    const sources = await readSources(options.directory);
    const parsed = join(scratch, 'sources.json');
    const entrypoints = [options.entrypoint, ...logEntrypoints(sources)].flatMap((one) => ['-e', one]);
    const explained = options.foreign !== true && hasRules(sources);
    if (explained) await writeFile(parsed, parseInput(sources));
    const [inspected, dependencies, trees] = await allOf([
      opa(options, ['inspect', '-a', '-f', 'json', '.']),
      opa(options, ['deps', '-f', 'json', '-b', '.', ...NO_TESTS, query]),
      explained ? opa(options, ['eval', '-f', 'json', '-i', parsed, PARSE_QUERY]) : Promise.resolve('{}'),
      opa(options, ['build', '-b', '.', '-t', 'wasm', ...entrypoints, '-o', target, ...NO_TESTS]),
    ]);
    const { input: _input, ...dataSchemas } = schemas;
    const reads = readsIn(parse(trees ?? '', 'opa eval'));
    const places = placesOf(sources);
    const rules = rulesOf(inspected ?? '', (code, custom) => explainable(code, custom, reads, places));
    const metadata = { version: 1, rules, input: inputOf(dependencies ?? ''), schemas: dataSchemas };
    return await repack(await readFile(target), metadata, options.directory);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Waits for every one of them, so that none outlives the folder that it works in; then the first failure is thrown. */
async function allOf(running: readonly Promise<string>[]): Promise<string[]> {
  await Promise.allSettled(running);
  return Promise.all(running);
}

/** Runs OPA inside the directory, so that no path of this machine gets into the bundle. */
async function opa(options: BuildOptions, parameters: readonly string[]): Promise<string> {
  try {
    // a relative path is one of this process, not of the folder that OPA runs in
    const binary = options.opaBin.includes('/') ? resolve(options.opaBin) : options.opaBin;
    const { stdout } = await run(binary, parameters, {
      cwd: options.directory,
      timeout: OPA_TIMEOUT_MS,
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return stdout;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (missing) throw new CountersignError('opa_missing', { detail: options.opaBin, cause: error });
    throw new CountersignError('policy_compile_failed', { detail: `opa ${parameters[0]}: ${saidBy(error)}`, cause: error });
  }
}

/** What OPA wrote: to stderr, and some commands to stdout. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const stderr = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : '';
  const stdout = 'stdout' in error && typeof error.stdout === 'string' ? error.stdout.trim() : '';
  return (stderr || stdout || error.message).slice(0, SAID_MAX);
}

async function readSchemas(directory: string): Promise<Record<string, JsonObject>> {
  const schemas: Record<string, JsonObject> = {};
  const files = await readdir(directory).catch(() => []);
  for (const file of files.filter((name) => name.endsWith('.json')).sort()) {
    const schema = parse(await readFile(join(directory, file), 'utf8'), `schemas/${file}`);
    if (!isJsonObject(schema)) throw new CountersignError('policy_compile_failed', { field: `schemas/${file}` });
    schemas[basename(file, '.json')] = schema;
  }
  return schemas;
}

/** The cases that a policy must pass wherever it is loaded: OPA leaves them out. */
async function readCases(directory: string): Promise<[string, Buffer][]> {
  const names = await readdir(join(directory, 'cases')).catch(() => []);
  const files = names.filter((name) => /\.ya?ml$/.test(name)).sort();
  return Promise.all(
    files.map(async (name): Promise<[string, Buffer]> => [`cases/${name}`, await readFile(join(directory, 'cases', name))]),
  );
}

/** Every Rego file but tests, by its path below the directory. */
async function readSources(directory: string): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for (const path of await readdir(directory, { recursive: true })) {
    if (!path.endsWith('.rego') || path.endsWith('_test.rego')) continue;
    sources.set(path, await readFile(join(directory, path), 'utf8'));
  }
  return sources;
}

/** Title and `custom` of each package below `countersign.rules`, with `more` of it. */
function rulesOf(inspected: string, more: (code: string, custom: JsonObject) => JsonObject): JsonObject {
  const document = parse(inspected, 'opa inspect');
  const annotations = isJsonObject(document) ? document['annotations'] : undefined;
  const rules: Record<string, JsonObject> = {};
  if (!Array.isArray(annotations)) return rules;
  for (const one of annotations) {
    if (!isJsonObject(one)) continue;
    const path = namesOf(one['path']);
    const said = one['annotations'];
    if (path?.length !== 5 || path[1] !== 'countersign' || path[2] !== 'rules' || !isJsonObject(said) || said['scope'] !== 'package')
      continue;
    const custom = isJsonObject(said['custom']) ? said['custom'] : {};
    const title = typeof said['title'] === 'string' ? said['title'] : null;
    const exceptions = custom['exceptions'] === false ? { exceptions: false } : {};
    const code = `${path[3]}.${path[4]}`;
    const shown = { title, public: custom['public'] === true, status: custom['status'] ?? null, ...exceptions };
    rules[code] = { ...shown, ...more(code, custom) };
  }
  return Object.fromEntries(Object.entries(rules).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function inputOf(dependencies: string): JsonValue {
  const document = parse(dependencies, 'opa deps');
  const base = isJsonObject(document) && Array.isArray(document['base']) ? document['base'] : [];
  const paths = base.map(namesOf).filter((path) => path?.[0] === 'input');
  return paths.map((path) => path ?? []);
}

/** The names of an OPA reference, `[{type: "var", value: "input"}, {type: "string", value: "route"}]`, up to the first that is no name. */
function namesOf(reference: unknown): string[] | null {
  if (!Array.isArray(reference)) return null;
  const names: string[] = [];
  for (const [index, term] of reference.entries()) {
    const fixed = isJsonObject(term) && (term['type'] === 'string' || (index === 0 && term['type'] === 'var'));
    if (!fixed || typeof term['value'] !== 'string') break;
    names.push(term['value']);
  }
  return names;
}

function parse(text: string, what: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CountersignError('policy_compile_failed', { field: what, cause: error });
  }
}

/** Writes the bundle anew with the enriched manifest, in a fixed order and without times. */
async function repack(bundle: Uint8Array, metadata: JsonObject, directory: string): Promise<Uint8Array> {
  const files = await unpack(bundle, BUNDLE_LIMITS);
  // OPA takes the entry point's rule out of its source; the check of the bundle must see the whole of it
  for (const path of files.keys()) if (path.endsWith('.rego')) files.set(path, await readFile(join(directory, path)));
  for (const [path, text] of await readCases(directory)) files.set(path, text);
  const manifest = parse(files.get('.manifest')?.toString('utf8') ?? '{}', '.manifest');
  if (!isJsonObject(manifest)) throw new CountersignError('policy_compile_failed', { field: '.manifest' });
  const said = typeof manifest['revision'] === 'string' && manifest['revision'] !== '' ? manifest['revision'] : null;
  const enriched = {
    ...manifest,
    revision: said ?? contentRevision(files, metadata),
    metadata: { ...(isJsonObject(manifest['metadata']) ? manifest['metadata'] : {}), countersign: metadata },
  };
  return packBundle(new Map<string, Uint8Array | string>([...files, ['.manifest', JSON.stringify(enriched)]]));
}
