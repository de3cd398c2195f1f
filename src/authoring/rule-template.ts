/* A new rule and its test: they pass `policy check` and `policy test` as they are, and are then edited. */

export const TEMPLATE_EFFECTS = ['deny', 'step_up', 'allow'] as const;
export type TemplateEffect = (typeof TEMPLATE_EFFECTS)[number];

export type RuleName = { readonly category: string; readonly name: string };

export type NewFile = { readonly path: string; readonly text: string };

/** `<category>.<rule>`, as reasons show it; null where it is no such name. */
export function parseRuleName(text: string): RuleName | null {
  const found = /^([a-z][a-z0-9_]{0,63})\.([a-z][a-z0-9_]{0,63})$/.exec(text);
  if (found === null || found.some((part) => RESERVED.has(part))) return null;
  return { category: found[1] ?? '', name: found[2] ?? '' };
}

/** Words that Rego keeps for itself. */
const RESERVED = new Set([
  'as',
  'contains',
  'data',
  'default',
  'else',
  'every',
  'false',
  'if',
  'import',
  'in',
  'input',
  'not',
  'null',
  'package',
  'some',
  'true',
  'with',
]);

/** The files of a new rule, by paths below the folder of the policy. */
export function ruleFiles({ category, name }: RuleName, title: string, effect: TemplateEffect): readonly [NewFile, NewFile] {
  return [
    { path: `countersign/rules/${category}/${name}.rego`, text: ruleText(`countersign.rules.${category}.${name}`, title, effect) },
    { path: `countersign_test/rules/${category}_${name}_test.rego`, text: testText(category, name, effect) },
  ];
}

const VERDICTS: Readonly<Record<TemplateEffect, string>> = {
  deny: '{"effect": "deny", "status": 403}',
  step_up: '{"effect": "step_up", "kind": "approval", "methods": ["approval"]}',
  allow: '"allow"',
};

/** YAML of one line. */
function quoted(title: string): string {
  return /^[A-Za-z][A-Za-z0-9 ,.'()/-]*$/.test(title) ? title : JSON.stringify(title);
}

function ruleText(path: string, title: string, effect: TemplateEffect): string {
  return `# METADATA
# title: ${quoted(title)}
# description: what it looks at, and why
# custom:
#   public: false
${effect === 'allow' ? '' : '#   remedy: what the caller, or you, could do about it\n'}package ${path}

import data.countersign.lib.route

# each branch has its own condition: an input that meets none of them leaves the rule undecided, and the request is denied
verdict := ${VERDICTS[effect]} if {
	input.route.status == "matched"
	input.route.id == "replace_me"
} else := "clear" if {
	input.route.status == "matched"
	input.route.id != "replace_me"
} else := "clear" if {
	route.outside
}
`;
}

function testText(category: string, name: string, effect: TemplateEffect): string {
  return `package countersign_test.rules.${category}_${name}_test

import data.countersign.rules.${category}.${name}

test_says_${effect} if {
	${name}.verdict == ${VERDICTS[effect]} with input as {"route": {"status": "matched", "id": "replace_me"}}
}

test_clear_on_other_routes if {
	${name}.verdict == "clear" with input as {"route": {"status": "matched", "id": "another"}}
}

test_clear_without_a_route if {
	${name}.verdict == "clear" with input as {"route": {"status": "unknown", "id": "unknown"}}
}

test_no_verdict_when_a_part_of_the_input_is_missing if {
	not ${name}.verdict with input as {"route": {"status": "matched"}}
	not ${name}.verdict with input as {}
}
`;
}
