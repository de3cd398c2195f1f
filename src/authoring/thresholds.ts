import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { branchesOf, type Call, callOf, type Module, nodesIn, type Place, referenceOf } from './rego-ast.ts';

/* Numbers that a rule compares with, and that operators want to change without a build. */

const COMPARISONS = new Set(['gt', 'gte', 'lt', 'lte']);
/** Of `data.countersign.lib.is`. */
const TYPED_COMPARISONS = new Set(['above', 'below', 'at_most']);

/** None and one are how many there are, not how many there may be. */
const COUNTED = new Set([0, 1]);

/** A closed scale of 0 to 4, whose numbers are names. */
const SCALES = new Set(['input.evidence.assurance']);

export type ThresholdPlace = { readonly at: Place; readonly what: string };

/** Comparisons with a number that is written in the rule, directly or by a constant of its file. */
export function thresholdPlaces(module: Module): ThresholdPlace[] {
  const constants = constantsOf(module);
  const found: ThresholdPlace[] = [];
  for (const rule of module.rules.flatMap(branchesOf)) {
    const { else: _else, ...own } = rule;
    for (const node of nodesIn(own)) {
      const call = callOf(node);
      if (call === null || !isComparison(call, module)) continue;
      const number = call.parameters.map((one) => numberOf(one, constants)).find((one) => one !== null);
      if (number === undefined || call.parameters.some(isOfScale)) continue;
      found.push({ at: call.at, what: String(number) });
    }
  }
  return found;
}

function isComparison({ name, parts, parameters }: Call, module: Module): boolean {
  if (parameters.length !== 2) return false;
  if (COMPARISONS.has(name)) return true;
  const [first = '', ...rest] = parts;
  const path = [...(module.imports.get(first) ?? [first]), ...rest];
  return path.slice(0, 4).join('.') === 'data.countersign.lib.is' && TYPED_COMPARISONS.has(path[4] ?? '');
}

function numberOf(term: JsonValue, constants: ReadonlyMap<string, number>): number | null {
  if (!isJsonObject(term)) return null;
  if (term['type'] === 'number' && typeof term['value'] === 'number') return COUNTED.has(term['value']) ? null : term['value'];
  if (term['type'] === 'call') return reckoned(term, constants);
  const name = term['type'] === 'var' ? referenceOf(term)?.[0] : undefined;
  return name === undefined ? null : (constants.get(name) ?? null);
}

/** `16 + 1`: one of the numbers of a call that has nothing but numbers. */
function reckoned(term: JsonObject, constants: ReadonlyMap<string, number>): number | null {
  const numbers =
    callOf(term)?.parameters.map((one) => (isJsonObject(one) && one['type'] === 'number' ? one['value'] : numberOf(one, constants))) ?? [];
  const [first] = numbers;
  return typeof first === 'number' && numbers.every((one) => typeof one === 'number') ? first : null;
}

function isOfScale(term: JsonValue): boolean {
  return SCALES.has(referenceOf(term)?.join('.') ?? '');
}

/** Names that the file gives to a number: `_limit := 300`, in a rule or in a body. */
function constantsOf({ rules }: Module): ReadonlyMap<string, number> {
  const constants = new Map<string, number>();
  const put = (name: string | undefined, value: JsonValue | undefined): void => {
    const number = isJsonObject(value) && value['type'] === 'number' ? value['value'] : null;
    if (name !== undefined && typeof number === 'number' && !COUNTED.has(number)) constants.set(name, number);
  };
  for (const rule of rules) {
    const head: JsonObject = isJsonObject(rule['head']) ? rule['head'] : {};
    if (head['args'] === undefined && typeof head['name'] === 'string') put(head['name'], head['value']);
  }
  for (const node of nodesIn(rules.map((rule) => rule))) {
    const call = callOf(node);
    if (call?.name === 'assign' || call?.name === 'eq') put(referenceOf(call.parameters[0])?.[0], call.parameters[1]);
  }
  return constants;
}
