import { isJsonObject } from '../contract/json.ts';
import { type Finding, findingOf } from './finding.ts';
import { type Module, nodesIn } from './rego-ast.ts';

const OPPOSING: ReadonlySet<unknown> = new Set(['deny', 'step_up']);

/** Rules that say `deny` or `step_up` themselves, and not what would lift it: whoever is refused is told of no way out. Warnings, since they decide as well without. */
export function remedyWarnings(rules: readonly Module[]): Finding[] {
  return rules
    .filter((rule) => opposes(rule) && !hasRemedy(rule))
    .map(({ file, packageAt }) => findingOf('rule_remedy_missing', { file, ...packageAt }));
}

function opposes({ rules }: Module): boolean {
  for (const node of nodesIn([...rules])) {
    if (node['type'] === 'string' && OPPOSING.has(node['value'])) return true;
    if (node['type'] === 'string' && (node['value'] === 'deny_when' || node['value'] === 'deny_with')) return true;
  }
  return false;
}

function hasRemedy({ annotations }: Module): boolean {
  return annotations.some(({ custom }) => isJsonObject(custom) && typeof custom['remedy'] === 'string' && custom['remedy'].trim() !== '');
}
