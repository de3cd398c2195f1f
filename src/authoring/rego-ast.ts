import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/*
 * The syntax tree that `opa parse --format json --json-include locations` prints: terms are `{type, value, location}`. What `rego.parse_module`
 * gives is the same without most places.
 */

export type Place = { readonly line: number; readonly column: number };

/** One Rego file. */
export type Module = {
  readonly file: string;
  /** Names below `data`. */
  readonly package: readonly string[];
  readonly packageAt: Place;
  /** Local name to the path that it stands for: `say` to `["data", "countersign", "lib", "say"]`. */
  readonly imports: ReadonlyMap<string, readonly string[]>;
  /** METADATA, by scope. */
  readonly annotations: readonly JsonObject[];
  readonly rules: readonly JsonObject[];
};

const NOWHERE: Place = { line: 1, column: 1 };

/** Reads the tree of one file; null where it is none. */
export function parseModule(file: string, tree: JsonValue): Module | null {
  if (!isJsonObject(tree) || !isJsonObject(tree['package'])) return null;
  const path = textsOf(tree['package']['path']).slice(1);
  const terms = objectsIn(tree['package']['path']);
  const imports = new Map<string, readonly string[]>();
  for (const one of objectsIn(tree['imports'])) {
    const target = isJsonObject(one['path']) ? textsOf(one['path']['value']) : [];
    const alias = typeof one['alias'] === 'string' ? one['alias'] : target.at(-1);
    if (alias !== undefined) imports.set(alias, target);
  }
  return {
    file,
    package: path,
    packageAt: placeIn(tree['package'], terms[1]),
    imports,
    annotations: objectsIn(tree['annotations']),
    rules: objectsIn(tree['rules']),
  };
}

/** Where the first of these nodes that has a place is. */
export function placeIn(...nodes: readonly (JsonValue | undefined)[]): Place {
  for (const node of nodes) {
    const location = isJsonObject(node) ? node['location'] : undefined;
    if (!isJsonObject(location)) continue;
    const { row, col } = location;
    if (typeof row === 'number' && typeof col === 'number') return { line: row, column: col };
  }
  return NOWHERE;
}

/** The objects of a list. */
export function objectsIn(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** Every object of a tree, outer ones first; what `enter` says false of is not looked into. */
export function* nodesIn(value: JsonValue | undefined, enter: (node: JsonObject) => boolean = () => true): Generator<JsonObject> {
  if (Array.isArray(value)) for (const one of value) yield* nodesIn(one, enter);
  if (!isJsonObject(value)) return;
  yield value;
  if (!enter(value)) return;
  for (const [name, one] of Object.entries(value)) if (name !== 'location') yield* nodesIn(one, enter);
}

/** The names of a reference from its first on, up to the first that is no name; a lone variable is a reference of one name; else null. */
export function referenceOf(node: JsonValue | undefined): readonly string[] | null {
  if (!isJsonObject(node)) return null;
  if (node['type'] === 'var' && typeof node['value'] === 'string') return [node['value']];
  return node['type'] === 'ref' ? textsOf(node['value']) : null;
}

/** The name of a rule (its first one), of an `else` too. */
export function nameOf(rule: JsonObject): string {
  const head = isJsonObject(rule['head']) ? rule['head'] : {};
  return textsOf(head['ref'])[0] ?? (typeof head['name'] === 'string' ? head['name'] : '');
}

/** A rule and its `else` branches. */
export function branchesOf(rule: JsonObject): JsonObject[] {
  const branches = [rule];
  for (let next = rule['else']; isJsonObject(next); next = next['else']) branches.push(next);
  return branches;
}

/** A call: the name of what is called, by dots, and its arguments. Infix operators are calls too (`gt`, `assign`). */
export type Call = {
  readonly name: string;
  readonly parts: readonly string[];
  readonly parameters: readonly JsonValue[];
  readonly at: Place;
};

/** The call that a node is, or null. */
export function callOf(node: JsonObject): Call | null {
  const list = node['type'] === 'call' ? node['value'] : node['terms'];
  if (!Array.isArray(list)) return null;
  const [operator, ...parameters] = list;
  const parts = referenceOf(operator);
  return parts === null ? null : { name: parts.join('.'), parts, parameters, at: placeIn(node, operator) };
}

function textsOf(path: JsonValue | undefined): string[] {
  const names: string[] = [];
  for (const [index, term] of objectsIn(path).entries()) {
    const named = term['type'] === 'string' || (index === 0 && term['type'] === 'var');
    if (!named || typeof term['value'] !== 'string') break;
    names.push(term['value']);
  }
  return names;
}
