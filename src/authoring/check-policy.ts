import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { asCountersignError, CountersignError } from '../contract/errors.ts';
import { isJsonObject } from '../contract/json.ts';
import type { ActivePolicy } from '../contract/stages.ts';
import { builtinFindings, callsOf } from './builtin-calls.ts';
import { checkDataFiles } from './data-files.ts';
import { placeOfData } from './data-place.ts';
import { type Finding, findingOf, sortFindings } from './finding.ts';
import { mutableWarnings } from './mutable-check.ts';
import { findingsOf, type Opa } from './opa.ts';
import { readCases, runCases } from './policy-cases.ts';
import { filesBelow, parseModules, parseOne } from './policy-folder.ts';
import { type Module, nodesIn } from './rego-ast.ts';
import { remedyWarnings } from './remedy-check.ts';
import { checkRule, isRule } from './rule-check.ts';
import type { BuildRequest, PolicyTools } from './tools.ts';
import { severalVerdicts } from './verdict-check.ts';

export type CheckParts = { readonly opa: Opa; readonly tools: PolicyTools };

/** What was found, what was looked at, and the bundle that came of it where nothing was found. */
export type CheckReport = {
  readonly findings: readonly Finding[];
  /** What is better mended, and refuses nothing. */
  readonly warnings: readonly Finding[];
  readonly rules: number;
  readonly files: number;
  readonly bundle: Uint8Array | null;
};

const ERRORS_MAX = '1000';

/**
 * Everything that can be told of a folder of a policy without asking it anything: OPA's own strict check with the schema of the input that this
 * version writes, our rules for rules, and then all that the service does before a bundle becomes active.
 * @throws CountersignError opa_missing
 */
export async function checkPolicy(request: BuildRequest, { opa, tools }: CheckParts): Promise<CheckReport> {
  const { directory } = request;
  const files = await filesBelow(directory);
  const [checked, parsed, data] = await Promise.all([
    opaCheck(directory, files, opa, tools),
    parseModules(opa, directory, files),
    checkDataFiles(directory, files),
  ]);
  const { modules } = parsed;
  const rules = modules.filter(isRule);
  const doubled = rules.filter((rule) => severalVerdicts([rule]).length > 0);
  const several = severalVerdicts(await Promise.all(doubled.map((rule) => located(rule, directory, opa))));
  const findings = [
    // what does not parse is told by both
    ...(checked.length > 0 ? checked : parsed.findings),
    ...data.findings,
    ...(modules.some(readsInputSchema) || modules.length === 0 ? [] : [findingOf('schema_unused', placeOfFirst(modules))]),
    ...(await findingsOfRules(rules, modules, directory, opa)),
  ];
  const unreadable = checked.length + parsed.findings.length + data.findings.length > 0;
  const built = unreadable ? null : await build(request, modules, { opa, tools });
  // a bundle that cannot be read is most likely what was found already
  if (built !== null && (built.bundle !== undefined || findings.length === 0)) findings.push(...built.findings);
  const loaded = built?.bundle === undefined || findings.length > 0 ? [] : await preflight(request, files, built.bundle, tools);
  findings.push(...loaded);
  return {
    findings: sortFindings(findings),
    warnings: sortFindings([...remedyWarnings(rules), ...several, ...data.warnings, ...(built?.warnings ?? [])]),
    rules: rules.length,
    files: modules.length,
    bundle: findings.length === 0 ? (built?.bundle ?? null) : null,
  };
}

/** Trees without places tell which rules have findings, those with places where. */
async function findingsOfRules(rules: readonly Module[], modules: readonly Module[], directory: string, opa: Opa): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const rule of rules) if (checkRule(rule, modules).length > 0) found.push(...checkRule(await located(rule, directory, opa), modules));
  return found;
}

async function located(module: Module, directory: string, opa: Opa): Promise<Module> {
  const { module: placed } = await parseOne(opa, directory, module.file);
  return placed === null ? module : { ...placed, annotations: module.annotations };
}

function placeOfFirst(modules: readonly Module[]) {
  const [first] = [...modules].sort((a, b) => a.package.length - b.package.length);
  return { file: first?.file ?? '.manifest', ...(first?.packageAt ?? { line: 1, column: 1 }) };
}

/** `schemas: [{input: schema.input}]` in METADATA: without one `--schema` does nothing. */
function readsInputSchema({ annotations }: Module): boolean {
  return [...nodesIn(annotations.map(({ schemas }) => schemas ?? null))].some((node) => {
    const schema = node['schema'];
    return Array.isArray(schema) && schema.some((part) => part === 'input' || (isJsonObject(part) && part['value'] === 'input'));
  });
}

/** Checks against the schema of this version, whatever copy of it the folder has. */
async function opaCheck(directory: string, files: readonly string[], opa: Opa, tools: PolicyTools): Promise<Finding[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'countersign-schemas-'));
  try {
    for (const file of files.filter((path) => /^schemas\/[^/]+\.json$/.test(path)))
      await writeFile(join(scratch, basename(file)), await readFile(join(directory, file)));
    await writeFile(join(scratch, 'input.json'), tools.inputSchema());
    const parameters = ['check', '--strict', '--max-errors', ERRORS_MAX, '--format', 'json', '--schema', scratch, '.'];
    return findingsOf(await opa(parameters, directory), '.manifest', 'opa check');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function build(
  request: BuildRequest,
  modules: readonly Module[],
  { opa, tools }: CheckParts,
): Promise<{ readonly findings: readonly Finding[]; readonly warnings?: readonly Finding[]; readonly bundle?: Uint8Array }> {
  try {
    const bundle = await tools.build(request);
    const { builtins, metadata, data } = await tools.read(bundle);
    const warnings = mutableWarnings(await readFile(join(request.directory, '.manifest'), 'utf8'), metadata, data);
    const missing = tools.missingBuiltins(builtins);
    const callers = modules.filter((module) => missing.some((entry) => callsOf(entry, module).length > 0));
    const placed = await Promise.all(callers.map((module) => located(module, request.directory, opa)));
    return { bundle, warnings, findings: builtinFindings(missing, placed) };
  } catch (error) {
    const failure = asCountersignError(error, 'policy_compile_failed');
    if (failure.code === 'opa_missing') throw failure;
    return { findings: [{ file: '.manifest', line: 1, column: 1, code: failure.code, text: failure.message }] };
  }
}

/** What the service would say of it. */
async function preflight(
  { directory, entrypoint }: BuildRequest,
  files: readonly string[],
  bundle: Uint8Array,
  tools: PolicyTools,
): Promise<Finding[]> {
  try {
    return await caseFindings(directory, await tools.load(bundle, entrypoint));
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    const { code, message, field } = error;
    const at = (await placeOfField(directory, files, code, field)) ?? { file: '.manifest', line: 1, column: 1 };
    return [{ ...at, code, text: message }];
  }
}

/** What a policy decides otherwise than the cases say that its folder brings, by their paths below it. */
export async function caseFindings(directory: string, policy: ActivePolicy): Promise<Finding[]> {
  const read = await readCases(join(directory, 'cases'));
  if (read === null) return [];
  const found = [...read.findings, ...runCases(policy, read.cases).findings];
  return found.map((one) => ({ ...one, file: join('cases', basename(one.file)) }));
}

/** A refusal names a file, or a path of the data. */
async function placeOfField(directory: string, files: readonly string[], code: string, field: string | null) {
  if (field === null) return null;
  if (files.includes(field)) return { file: field, line: 1, column: 1 };
  const path = field.split('.');
  return placeOfData(directory, files, code === 'bundle_routes_invalid' ? ['countersign', 'routes', ...path] : path);
}
