import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { type Finding, findingOf } from './finding.ts';
import { hidingPlaces } from './input-reads.ts';
import { branchesOf, type Module, nameOf, nodesIn, placeIn, referenceOf } from './rego-ast.ts';
import { thresholdPlaces } from './thresholds.ts';
import { verdictFindings } from './verdict-check.ts';

/* What a rule of ours must be like (docs/policies.md), by its syntax tree. */

const RULES = ['countersign', 'rules'];

/** Whether a package lies below `countersign.rules`. */
export function isRule({ package: path }: Module): boolean {
  return RULES.every((name, index) => path[index] === name);
}

/** Everything that is wrong with one file of a rule. `modules` are all files of the policy: what is `clear` may be said by a library. */
export function checkRule(module: Module, modules: readonly Module[]): Finding[] {
  const { file } = module;
  const at = { file, ...module.packageAt };
  const [, , category, name] = module.package;
  if (category === undefined || name === undefined || module.package.length !== 4)
    return [findingOf('rule_package_depth', at, module.package.join('.'))];
  return [
    ...(file.endsWith(`${category}/${name}.rego`) ? [] : [findingOf('rule_file_name', at, `${category}/${name}.rego`)]),
    ...checkMetadata(module),
    ...checkVerdicts(module, modules),
    ...verdictFindings(module),
    ...checkDefaults(module),
    ...thresholdPlaces(module).map(({ at: place, what }) => findingOf('rule_threshold', { file, ...place }, what)),
    ...hidingPlaces(module).map(({ kind, at: place, what }) =>
      findingOf(kind === 'not' ? 'rule_not_over_input' : 'rule_comprehension_over_input', { file, ...place }, what),
    ),
  ];
}

function checkMetadata({ file, packageAt, annotations }: Module): Finding[] {
  const at = { file, ...packageAt };
  const said = annotations.find(({ scope }) => scope === 'package');
  if (said === undefined) return [findingOf('rule_metadata_missing', at)];
  const { title, custom } = said;
  const found: Finding[] = [];
  if (typeof title !== 'string' || title.trim() === '') found.push(findingOf('rule_title_missing', at));
  const wrong = custom === undefined ? null : wrongCustom(custom);
  if (wrong !== null) found.push(findingOf('rule_custom_invalid', at, wrong));
  return found;
}

const REMEDY_MAX = 1024;

/** What is wrong with the fields that the service reads; others are the author's own. */
function wrongCustom(custom: unknown): string | null {
  if (!isJsonObject(custom)) return '`custom` is no object';
  const { public: shown, status, exceptions, remedy } = custom;
  const isStatus = typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599;
  if (shown !== undefined && typeof shown !== 'boolean') return '`custom.public` is no boolean';
  if (status !== undefined && !isStatus) return '`custom.status` is no whole number of 400 to 599';
  if (exceptions !== undefined && typeof exceptions !== 'boolean') return '`custom.exceptions` is no boolean';
  const isRemedy = typeof remedy === 'string' && remedy.length <= REMEDY_MAX;
  return remedy === undefined || isRemedy ? null : `\`custom.remedy\` is no text of up to ${REMEDY_MAX} characters`;
}

function checkVerdicts(module: Module, modules: readonly Module[]): Finding[] {
  const at = { file: module.file, ...module.packageAt };
  const verdicts = module.rules.filter((rule) => nameOf(rule) === 'verdict');
  const first = verdicts[0];
  if (first === undefined) return [findingOf('rule_verdict_missing', at)];
  if (saysClear(verdicts, module, modules)) return [];
  return [findingOf('rule_never_clear', { file: module.file, ...placeIn(first['head'], first) })];
}

/** Whether one of the rules says `clear`, itself or by what it takes from its file or from a library. */
function saysClear(rules: readonly JsonObject[], module: Module, modules: readonly Module[], seen = new Set<string>()): boolean {
  const follow = (name: string | undefined, target: Module): boolean => {
    const key = `${target.file} ${name}`;
    if (name === undefined || seen.has(key)) return false;
    seen.add(key);
    const wanted = target.rules.filter((rule) => nameOf(rule) === name);
    return saysClear(wanted, target, modules, seen);
  };
  for (const node of nodesIn(rules.map(({ location: _location, ...rule }) => rule))) {
    if (node['type'] === 'string' && node['value'] === 'clear') return true;
    const names = referenceOf(node);
    if (names === null) continue;
    if (follow(names[0], module)) return true;
    const imported = module.imports.get(names[0] ?? '');
    const path = imported === undefined ? names : [...imported, ...names.slice(1)];
    if (path[0] !== 'data') continue;
    const library = modules.find((one) => one !== module && isPackageOf(one, path));
    if (library === undefined || isRule(library)) continue;
    if (follow(path[library.package.length + 1], library)) return true;
  }
  return false;
}

/** Whether a reference names a rule right below the package. */
function isPackageOf({ package: names, rules }: Module, path: readonly string[]): boolean {
  return names.every((part, index) => part === path[index + 1]) && rules.some((rule) => nameOf(rule) === path[names.length + 1]);
}

function checkDefaults({ file, rules }: Module): Finding[] {
  const found: Finding[] = [];
  for (const rule of rules) {
    if (rule['default'] === true) found.push(findingOf('rule_default', { file, ...placeIn(rule, rule['head']) }, nameOf(rule)));
    for (const branch of branchesOf(rule).slice(1))
      if (isUnconditional(branch))
        found.push(findingOf('rule_else_unconditional', { file, ...placeIn(branch, branch['head']) }, nameOf(rule)));
  }
  return found;
}

/** A body of nothing but `true`, as OPA writes one that is not there. */
function isUnconditional(branch: JsonObject): boolean {
  const body = branch['body'];
  if (!Array.isArray(body)) return true;
  return body.every((one) => isJsonObject(one) && one['negated'] !== true && isJsonObject(one['terms']) && one['terms']['value'] === true);
}
