import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/** What a rule may look at: paths below `input`, and below `data` those that no Rego defines, each as its names. */
export type RuleReads = { readonly input: readonly (readonly string[])[]; readonly data: readonly (readonly string[])[] };

type Names = readonly string[];
type Module = {
  readonly package: Names;
  readonly imports: ReadonlyMap<string, Names>;
  readonly rules: ReadonlyMap<string, readonly JsonObject[]>;
};
type Found = { readonly input: Map<string, Names>; readonly data: Map<string, Names>; readonly seen: Set<string> };

const SEPARATOR = '\0';
const INPUT = 'input';
const DATA = 'data';

/**
 * What each rule below `countersign.rules` refers to, its libraries included, by its code. `modules` are syntax trees of `rego.parse_module`; what is no such
 * tree is left out. A path ends where it is computed.
 */
export function readsOfRules(modules: readonly JsonValue[]): ReadonlyMap<string, RuleReads> {
  const read = modules.map(moduleOf).filter((module) => module !== null);
  const reads = new Map<string, RuleReads>();
  for (const module of read) {
    const [root, kind, category, name] = module.package;
    if (root !== 'countersign' || kind !== 'rules' || category === undefined || name === undefined || module.package.length !== 4) continue;
    const found: Found = { input: new Map(), data: new Map(), seen: new Set() };
    follow(module, 'verdict', read, found);
    reads.set(`${category}.${name}`, { input: longest([...found.input.values()]), data: shortest([...found.data.values()]) });
  }
  return reads;
}

/** Goes through all definitions of one name of a package, and through what they call. */
function follow(module: Module, name: string, modules: readonly Module[], found: Found): void {
  const id = [...module.package, name].join(SEPARATOR);
  if (found.seen.has(id)) return;
  found.seen.add(id);
  for (const rule of module.rules.get(name) ?? []) {
    const bound = boundIn(rule, module);
    for (const node of nodesIn(rule)) note(resolve(node, module, bound), modules, found);
  }
}

function note(path: Names | null, modules: readonly Module[], found: Found): void {
  if (path === null || path.length < 2) return;
  const names = path.slice(1);
  if (path[0] === INPUT) found.input.set(names.join(SEPARATOR), names);
  if (path[0] !== DATA) return;
  const owner = modules.find(({ package: own, rules }) => startsWith(names, own) && rules.has(names[own.length] ?? ''));
  if (owner !== undefined) follow(owner, names[owner.package.length] ?? '', modules, found);
  else if (!modules.some(({ package: own }) => startsWith(own, names))) found.data.set(names.join(SEPARATOR), names);
}

/** The path from `input` or `data` on that a reference stands for. */
function resolve(node: JsonValue | undefined, module: Module, bound: ReadonlyMap<string, Names>): Names | null {
  const names = namesOf(node);
  const [first, ...rest] = names;
  if (first === undefined) return null;
  if (first === INPUT || first === DATA) return names;
  const base = bound.get(first) ?? module.imports.get(first);
  if (base !== undefined) return [...base, ...rest];
  return module.rules.has(first) ? [DATA, ...module.package, ...names] : null;
}

/** Variables that stand for a part of the input or of the data: `token := input.signals.token`. */
function boundIn(rule: JsonObject, module: Module): ReadonlyMap<string, Names> {
  const bound = new Map<string, Names>();
  for (const { terms } of nodesIn(rule)) {
    if (!Array.isArray(terms) || terms.length !== 3) continue;
    const [operator, target, source] = terms;
    const [call] = namesOf(operator);
    const [name, more] = namesOf(target);
    if ((call !== 'assign' && call !== 'eq') || name === undefined || more !== undefined) continue;
    const path = resolve(source, module, bound);
    if (path !== null && (path[0] === INPUT || path[0] === DATA) && !module.rules.has(name)) bound.set(name, path);
  }
  return bound;
}

/** A reference's names up to the first that is computed; none where it is no reference. */
function namesOf(node: JsonValue | undefined): string[] {
  if (!isJsonObject(node)) return [];
  if (node['type'] === 'var') return typeof node['value'] === 'string' ? [node['value']] : [];
  if (node['type'] !== 'ref' || !Array.isArray(node['value'])) return [];
  const names: string[] = [];
  for (const [index, term] of node['value'].entries()) {
    const fixed = isJsonObject(term) && (term['type'] === 'string' || (index === 0 && term['type'] === 'var'));
    if (!fixed || typeof term['value'] !== 'string') break;
    names.push(term['value']);
  }
  return names;
}

function* nodesIn(value: JsonValue | undefined): Generator<JsonObject> {
  if (Array.isArray(value)) for (const one of value) yield* nodesIn(one);
  if (!isJsonObject(value)) return;
  yield value;
  // the first name of a reference is a variable too, and says nothing by itself
  const parts = value['type'] === 'ref' && Array.isArray(value['value']) ? value['value'].slice(1) : Object.values(value);
  yield* nodesIn(parts);
}

function moduleOf(tree: JsonValue): Module | null {
  if (!isJsonObject(tree) || !isJsonObject(tree['package'])) return null;
  const imports = new Map<string, Names>();
  for (const one of objectsIn(tree['imports'])) {
    const path = namesOf(one['path']);
    const alias = typeof one['alias'] === 'string' ? one['alias'] : path.at(-1);
    if (alias !== undefined) imports.set(alias, path);
  }
  const rules = new Map<string, JsonObject[]>();
  for (const rule of objectsIn(tree['rules'])) {
    const head = isJsonObject(rule['head']) ? rule['head'] : {};
    const name = namesOf({ type: 'ref', value: head['ref'] ?? [] })[0] ?? head['name'];
    if (typeof name === 'string') rules.set(name, [...(rules.get(name) ?? []), rule]);
  }
  return { package: namesOf({ type: 'ref', value: tree['package']['path'] ?? [] }).slice(1), imports, rules };
}

function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function startsWith(path: Names, start: Names): boolean {
  return start.length <= path.length && start.every((name, index) => name === path[index]);
}

/** Without those that only lead to a longer one, which is what is looked at. */
function longest(paths: readonly Names[]): Names[] {
  return sorted(paths.filter((path) => !paths.some((other) => other.length > path.length && startsWith(other, path))));
}

/** Without those that a shorter one holds already. */
function shortest(paths: readonly Names[]): Names[] {
  return sorted(paths.filter((path) => !paths.some((other) => other.length < path.length && startsWith(path, other))));
}

function sorted(paths: readonly Names[]): Names[] {
  const keyed = paths.map((path): [string, Names] => [path.join(SEPARATOR), path]);
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, path]) => path);
}
