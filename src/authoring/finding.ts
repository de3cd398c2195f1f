/** One thing that is wrong with a policy, where it is; `line` and `column` count from 1. */
export type Finding = {
  /** Path below the folder of the policy, or as it was handed in. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Stable: one of FINDINGS, of `rego_*` (OPA's own) or of `bundle_*` (docs/codes.md). */
  readonly code: string;
  readonly text: string;
};

/** What our own checks find, each with what it means; docs/policy-cli.md lists them. */
export const FINDINGS = {
  rule_metadata_missing: 'the rule has no METADATA for its package',
  rule_title_missing: 'the METADATA has no title',
  rule_custom_invalid: 'a field of the METADATA does not have its form',
  rule_remedy_missing: 'warning: the rule can refuse, and `custom.remedy` does not say what would lift it',
  rule_package_depth: 'the package is not `countersign.rules.<category>.<rule>`',
  rule_file_name: 'the file is not called as the rule is',
  rule_verdict_missing: 'the rule has no `verdict`',
  rule_never_clear: 'no verdict of the rule is `clear`',
  rule_verdict_form: '`verdict` is one value without arguments',
  rule_verdict_unknown: 'the service takes this verdict for undecided, which denies',
  rule_verdict_several:
    'warning: `verdict` is defined more than once; where two hold and differ, nothing is decided. Join them with `else`',
  rule_default: '`default` hides what could not be evaluated',
  rule_else_unconditional: 'an `else` without a condition hides what could not be evaluated',
  rule_threshold: 'a number is compared that should be in the data',
  rule_not_over_input: '`not` over the input hides what is missing in it',
  rule_comprehension_over_input: 'a comprehension over the input hides what is missing in it',
  builtin_missing: 'WebAssembly and the service both lack the builtin',
  data_invalid: 'the file is not read as it is written',
  data_ignored: 'warning: a bundle takes data of `data.json` and `data.yaml` only, and not of this file',
  mutable_unknown: 'warning: `metadata.mutable` names what the bundle does not have, or where nothing can be pushed',
  schema_unused: 'no METADATA of the policy names the schema of the input, so nothing is checked against it',
  test_failed: 'a Rego test failed',
  tests_missing: 'there is no Rego test',
  coverage_low: 'the Rego tests reach fewer lines than is asked for',
  case_invalid: 'a case does not have the form, or cannot be asked',
  case_failed: 'the compiled policy decides a case otherwise',
} as const;

/** The codes of our own findings. */
export type FindingCode = keyof typeof FINDINGS;

/** A finding of ours; `more` says what it is this time. */
export function findingOf(code: FindingCode, at: Pick<Finding, 'file' | 'line' | 'column'>, more?: string): Finding {
  const { file, line, column } = at;
  return { file, line, column, code, text: more === undefined ? FINDINGS[code] : `${FINDINGS[code]}: ${more}` };
}

/** By file, then by place. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.code, b.code) || compareText(a.text, b.text),
  );
}

/** As compilers write it, so that editors find the place. */
export function findingText({ file, line, column, code, text }: Finding): string {
  return `${file}:${line}:${column}: ${code}: ${text}`;
}

/** The order of texts that no locale changes. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
