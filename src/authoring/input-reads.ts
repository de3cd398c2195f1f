import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { branchesOf, callOf, type Module, nameOf, nodesIn, objectsIn, type Place, placeIn, referenceOf } from './rego-ast.ts';

/* Where a rule negates the input or collects over it: both take what is missing for what is not so. */

export type HidingPlace = { readonly kind: 'not' | 'comprehension'; readonly at: Place; readonly what: string };

const COMPREHENSIONS = new Set(['arraycomprehension', 'setcomprehension', 'objectcomprehension']);

/** Every place of a file that hides what is missing in the input, through the file's own helpers too. */
export function hidingPlaces(module: Module): HidingPlace[] {
  const readers = readersOf(module);
  const found: HidingPlace[] = [];
  for (const rule of module.rules.flatMap(branchesOf)) {
    const { else: _else, ...own } = rule;
    const bound = boundNames(own, module);
    for (const node of nodesIn(own)) {
      if (node['negated'] === true) {
        const what = readIn(node['terms'], module, readers, bound);
        if (what !== null) found.push({ kind: 'not', at: placeIn(node), what });
      }
      if (typeof node['type'] === 'string' && COMPREHENSIONS.has(node['type'])) {
        const what = readIn(node['value'], module, readers, NONE);
        if (what !== null) found.push({ kind: 'comprehension', at: placeIn(node), what });
      }
    }
  }
  return found;
}

const NONE: ReadonlySet<string> = new Set();

/** The reference to the input that a part of the tree holds, or null. A variable that was bound to the input counts where a field of it is read. */
function readIn(part: JsonValue | undefined, module: Module, readers: ReadonlySet<string>, bound: ReadonlySet<string>): string | null {
  for (const node of nodesIn(part)) {
    const names = referenceOf(node);
    const first = names?.[0];
    if (names === null || first === undefined) continue;
    if (isInput(first, module) || readers.has(first)) return names.join('.');
    const parts = node['type'] === 'ref' && Array.isArray(node['value']) ? node['value'].length : 1;
    if (parts > 1 && bound.has(first)) return names.join('.');
  }
  return null;
}

function isInput(name: string, module: Module): boolean {
  return name === 'input' || module.imports.get(name)?.[0] === 'input';
}

/** Helpers of the file, without arguments, that read the input themselves or by others. */
function readersOf(module: Module): ReadonlySet<string> {
  const values = module.rules.filter((rule) => rule['default'] !== true && !hasArguments(rule));
  const readers = new Set<string>();
  for (let before = -1; before < readers.size; ) {
    before = readers.size;
    for (const rule of values)
      if (readIn({ ...rule, location: null }, module, without(readers, nameOf(rule)), NONE) !== null) readers.add(nameOf(rule));
  }
  return readers;
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return names.has(name) ? new Set([...names].filter((one) => one !== name)) : names;
}

function hasArguments(rule: JsonObject): boolean {
  return isJsonObject(rule['head']) && Array.isArray(rule['head']['args']);
}

/** Variables of a body that stand for a part of the input: `token := input.signals.token`. */
function boundNames(rule: JsonObject, module: Module): ReadonlySet<string> {
  const bound = new Set<string>();
  for (const expression of objectsIn(rule['body'])) {
    const call = callOf(expression);
    if (call === null || (call.name !== 'assign' && call.name !== 'eq')) continue;
    const [target, source] = call.parameters;
    const name = referenceOf(target)?.[0];
    const from = referenceOf(source)?.[0];
    if (name !== undefined && from !== undefined && (isInput(from, module) || bound.has(from))) bound.add(name);
  }
  return bound;
}
