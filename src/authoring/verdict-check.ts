import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { type Finding, findingOf } from './finding.ts';
import { branchesOf, type Module, nameOf, objectsIn, placeIn } from './rego-ast.ts';

/* What a rule says, as far as it is written out: the service takes a verdict that it does not know for undecided, which denies. */

const EFFECTS: ReadonlySet<JsonValue | undefined> = new Set(['allow', 'deny', 'step_up', 'clear']);

/** Definitions of `verdict` that are no single value, and literal values that no decision knows. */
export function verdictFindings({ file, rules }: Module): Finding[] {
  const found: Finding[] = [];
  for (const rule of rules.filter((one) => nameOf(one) === 'verdict')) {
    const at = { file, ...placeIn(rule['head'], rule) };
    const form = formOf(rule['head']);
    if (form !== null) {
      found.push(findingOf('rule_verdict_form', at, form));
      continue;
    }
    for (const branch of branchesOf(rule)) {
      const head = isJsonObject(branch['head']) ? branch['head'] : {};
      const wrong = rule['default'] === true ? null : wrongValue(head['value']);
      if (wrong !== null) found.push(findingOf('rule_verdict_unknown', { file, ...placeIn(branch, head, rule) }, wrong));
    }
  }
  return found;
}

/** Warnings: where two definitions hold at once and say different things, no rule at all is evaluated. */
export function severalVerdicts(rules: readonly Module[]): Finding[] {
  return rules.flatMap(({ file, rules: definitions }) =>
    definitions
      .filter((one) => nameOf(one) === 'verdict' && one['default'] !== true && formOf(one['head']) === null)
      .slice(1)
      .map((one) => findingOf('rule_verdict_several', { file, ...placeIn(one['head'], one) })),
  );
}

function formOf(head: JsonValue | undefined): string | null {
  if (!isJsonObject(head)) return null;
  if (Array.isArray(head['args'])) return 'it takes arguments';
  if (isJsonObject(head['key'])) return 'it is a set';
  return objectsIn(head['ref']).length > 1 ? 'it is an object of several rules' : null;
}

/** What is wrong with a value that is written out, or null; a variable or a call may be anything. */
function wrongValue(value: JsonValue | undefined): string | null {
  if (!isJsonObject(value)) return null;
  const { type, value: content } = value;
  if (type === 'string' || type === 'boolean' || type === 'number' || type === 'null')
    return EFFECTS.has(content) ? null : JSON.stringify(content ?? null);
  if (type === 'array' || type === 'set') return `a value of the type ${type}`;
  return type === 'object' ? wrongMembers(content) : null;
}

function wrongMembers(content: JsonValue | undefined): string | null {
  const members = new Map<JsonValue | undefined, JsonObject>();
  for (const pair of Array.isArray(content) ? content : []) {
    const [key, term] = Array.isArray(pair) ? pair : [];
    // a name that is computed could be any
    if (!isJsonObject(key) || key['type'] !== 'string' || !isJsonObject(term)) return null;
    members.set(key['value'], term);
  }
  const effect = members.get('effect');
  if (effect === undefined) return 'an object without `effect`';
  if (isLiteral(effect) && !EFFECTS.has(effect['value'])) return `\`effect\` is ${JSON.stringify(effect['value'] ?? null)}`;
  const status = members.get('status');
  if (status === undefined || !isLiteral(status)) return null;
  const code = status['value'];
  const isStatus = typeof code === 'number' && Number.isInteger(code) && code >= 400 && code <= 599;
  return isStatus ? null : `\`status\` is ${JSON.stringify(code ?? null)}, and no whole number of 400 to 599`;
}

function isLiteral({ type }: JsonObject): boolean {
  return type === 'string' || type === 'number' || type === 'boolean' || type === 'null';
}
