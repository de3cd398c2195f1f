import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { type RuleReads, readsOfRules } from './rule-reads.ts';

/* What a build writes into the manifest so that decisions can be explained, beside title and status. */

/** Asks OPA for the syntax trees of all sources at once: the input has `files`, path to text. */
export const PARSE_QUERY = '[module | some path, text in input.files; module := rego.parse_module(path, text)]';

const RULE = /(?:^|\/)rules\/[^/]+\/[^/]+\.rego$/;

/** The input of that query. */
export function parseInput(sources: ReadonlyMap<string, string>): string {
  return JSON.stringify({ files: Object.fromEntries([...sources].sort(([a], [b]) => (a < b ? -1 : 1))) });
}

/** Whether there is any rule whose syntax tree is of use. */
export function hasRules(sources: ReadonlyMap<string, string>): boolean {
  return [...sources.keys()].some((path) => RULE.test(path));
}

/** What each rule reads, out of `opa eval`'s answer; nothing where it has none. */
export function readsIn(evaluated: JsonValue): ReadonlyMap<string, RuleReads> {
  const results = isJsonObject(evaluated) ? evaluated['result'] : undefined;
  const first = Array.isArray(results) ? results[0] : undefined;
  const expressions = isJsonObject(first) ? first['expressions'] : undefined;
  const expression = Array.isArray(expressions) ? expressions[0] : undefined;
  const value = isJsonObject(expression) ? expression['value'] : undefined;
  return Array.isArray(value) ? readsOfRules(value) : new Map();
}

/** File and line of the first `verdict` of each rule, by its code: `countersign/rules/rate/exceeded.rego:8`. */
export function placesOf(sources: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const [path, text] of sources) {
    const lines = text.split('\n');
    const named = lines.map((line) => /^package\s+countersign\.rules\.(\w+\.\w+)\s*$/.exec(line)?.[1]).find((code) => code !== undefined);
    if (named === undefined) continue;
    const line = lines.findIndex((one) => /^verdict\b/.test(one)) + 1;
    const known = places.get(named);
    if (known === undefined && line > 0) places.set(named, `${path}:${line}`);
  }
  return places;
}

/** The members of one rule's entry; none is there that is not known. */
export function explainable(
  code: string,
  custom: JsonObject,
  reads: ReadonlyMap<string, RuleReads>,
  places: ReadonlyMap<string, string>,
): JsonObject {
  const { remedy } = custom;
  const known = reads.get(code);
  const at = places.get(code);
  return {
    ...(typeof remedy === 'string' ? { remedy } : {}),
    ...(known === undefined ? {} : { input: known.input, data: known.data }),
    ...(at === undefined ? {} : { at }),
  };
}
