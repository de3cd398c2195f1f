import type { Decision, Reason } from '../contract/decision.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { valueAt } from './thresholds.ts';
import type { RuleFacts } from './verdict.ts';

/* Why a rule said nothing: WebAssembly does not tell, so what the rule reads is held against what was there. */

const TITLE = 'A rule was left undecided, and what it reads is not in the input';

/** Paths that a rule refers to and that are not there, as `input.…`; none where the build did not say what it reads. */
export function missingOf(rule: RuleFacts | undefined, input: JsonValue): string[] {
  const missing = (rule?.input ?? []).filter((path) => valueAt(input, path) === undefined);
  return missing.map((path) => ['input', ...path].join('.'));
}

/** Paths that a rule refers to and that are null there. */
export function nullsOf(rule: RuleFacts | undefined, input: JsonValue): string[] {
  const nulls = (rule?.input ?? []).filter((path) => valueAt(input, path) === null);
  return nulls.map((path) => ['input', ...path].join('.'));
}

/** True where a rule could not be evaluated; the common decision is told in one look. */
export function hasUndecided({ effect, reasons }: Pick<Decision, 'effect' | 'reasons'>): boolean {
  return effect === 'deny' && reasons.some((reason) => reason.effect === 'undecided');
}

/**
 * Says with each undecided rule why: `cause` is `input_undefined` where a path that it refers to is missing, else `evaluation_error` (a wrong type, a null, an
 * error of a builtin) with the types that were there. Values are told by nothing here. Where a path is missing there is the reason `input_undefined` besides.
 */
export function explainUndecided(decision: Decision, rules: ReadonlyMap<string, RuleFacts>, input: JsonValue): Decision {
  const undefinedRules: string[] = [];
  const reasons = decision.reasons.map((reason): Reason => {
    if (reason.effect !== 'undecided') return reason;
    const rule = rules.get(reason.code);
    const missing = missingOf(rule, input);
    if (missing.length > 0) undefinedRules.push(reason.code);
    const why = missing.length > 0 ? { cause: 'input_undefined', missing } : { cause: 'evaluation_error', types: typesOf(rule, input) };
    return { ...reason, details: { ...reason.details, ...why, ...(rule?.at === undefined ? {} : { at: rule.at }) } };
  });
  if (undefinedRules.length > 0)
    reasons.push({ code: 'input_undefined', effect: 'undecided', title: TITLE, public: false, details: { rules: undefinedRules } });
  return { ...decision, reasons };
}

function typesOf(rule: RuleFacts | undefined, input: JsonValue): JsonObject {
  return Object.fromEntries((rule?.input ?? []).map((path) => [['input', ...path].join('.'), typeOf(valueAt(input, path))]));
}

function typeOf(value: JsonValue | undefined): string {
  if (value === undefined) return 'undefined';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'list' : typeof value;
}
