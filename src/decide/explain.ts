import type { Decision } from '../contract/decision.ts';
import type { Explainer, RedactSaid } from '../contract/explain.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { PolicyContract } from './contracts/contract.ts';
import { small, type Thresholds, valueAt } from './thresholds.ts';
import { missingOf, nullsOf } from './undecided.ts';
import type { RuleFacts, Verdict } from './verdict.ts';
import { parseAnswer } from './wasm-policy.ts';

/** What is known of a revision without its module, its data and its routes. */
export type ExplainParts = {
  readonly read: PolicyContract['read'];
  readonly codes: readonly string[];
  readonly rules: ReadonlyMap<string, RuleFacts>;
  readonly thresholds: Thresholds;
  /** Of the bundle, without what was pushed over it. */
  readonly bundle: string;
  /** Number of changes of the pushed data; null where nothing is pushed. */
  readonly data: number | null;
};

const NO_CODES: readonly string[] = [];
const asItIs: RedactSaid = (said) => said;

/** Makes explanations from what was kept: the verdicts are combined once more, nothing is evaluated. */
export function createExplainer(parts: ExplainParts): Explainer {
  return (decision, { input: text, answer, exceptions }, redact, redactSaid = asItIs) => {
    const parsed: JsonValue = text === null ? null : JSON.parse(text);
    const input = redact(parsed);
    const { verdicts: all, own } = parts.read(parseAnswer(answer), exceptions);
    const verdicts = all.map((verdict): Verdict => ({ ...verdict, said: redactSaid(verdict.said) }));
    const spoken = new Map(verdicts.map((verdict): [string, Verdict] => [verdict.code, verdict]));
    // rules that lie beside a policy that decides itself have said nothing
    const codes = own === undefined ? parts.codes : NO_CODES;
    const spoke: JsonObject[] = [];
    const undecided: JsonObject[] = [];
    const clear: string[] = [];
    for (const code of codes) {
      const verdict = spoken.get(code);
      if (verdict === undefined) clear.push(code);
      else if (verdict.effect === 'undecided') undecided.push(undecidedRule(verdict, parts, input));
      else spoke.push(spokenRule(verdict, decision, parts, input));
    }
    const { name, revision } = decision.policy;
    return {
      signals: signalsIn(input),
      verdicts: codes.map((code) => verdictJson(code, spoken.get(code))),
      rules: {
        policy: { name, revision, bundle: parts.bundle, data_revision: parts.data },
        spoke,
        undecided,
        clear,
        lifted_by: remediesOf(decision, parts.rules),
      },
    };
  };
}

/** The signals of an input, with the attributes of sources where it has them. */
export function signalsIn(input: JsonValue): JsonValue {
  if (!isJsonObject(input)) return null;
  const { signals = null, sources = null } = input;
  return isJsonObject(signals) && sources !== null ? { ...signals, sources } : signals;
}

function verdictJson(code: string, verdict: Verdict | undefined): JsonObject {
  return verdict === undefined ? { code, effect: 'clear' } : { ...verdict.said, code, effect: verdict.effect };
}

function spokenRule(verdict: Verdict, { reasons }: Decision, { rules, thresholds }: ExplainParts, input: JsonValue): JsonObject {
  const { code, effect, said } = verdict;
  const rule = rules.get(code);
  return {
    code,
    effect,
    title: rule?.title ?? code,
    counted: reasons.some((reason) => reason.code === code),
    ...(Object.keys(said).length === 0 ? {} : { said }),
    ...readBy(rule, thresholds, input),
  };
}

function undecidedRule({ code }: Verdict, { rules, thresholds }: ExplainParts, input: JsonValue): JsonObject {
  const rule = rules.get(code);
  const absent = (rule?.data ?? []).map((path) => path.join('.')).filter((path) => !Object.hasOwn(thresholds, path));
  return {
    code,
    title: rule?.title ?? code,
    ...(rule?.at === undefined ? {} : { at: rule.at }),
    missing: [...missingOf(rule, input), ...absent.map((path) => `data.${path}`)],
    null: nullsOf(rule, input),
    ...readBy(rule, thresholds, input),
  };
}

/** What a rule read, as far as it was there. */
function readBy(rule: RuleFacts | undefined, thresholds: Thresholds, input: JsonValue): JsonObject {
  const read: Record<string, JsonValue> = {};
  for (const path of rule?.input ?? []) {
    const value = valueAt(input, path);
    if (value !== undefined) read[['input', ...path].join('.')] = small(value);
  }
  const compared: Record<string, JsonValue> = {};
  for (const path of rule?.data ?? []) {
    const name = path.join('.');
    const value = Object.hasOwn(thresholds, name) ? thresholds[name] : undefined;
    if (value !== undefined) compared[`data.${name}`] = value;
  }
  return { input: read, thresholds: compared, ...(rule?.remedy === undefined ? {} : { remedy: rule.remedy }) };
}

/** Of the rules that made the decision, if they stand in the way of a request. */
function remediesOf({ effect, reasons }: Decision, rules: ReadonlyMap<string, RuleFacts>): JsonObject[] {
  if (effect === 'allow') return [];
  return reasons.flatMap(({ code }) => {
    const remedy = rules.get(code)?.remedy ?? HOST_REMEDIES[code];
    return remedy === undefined ? [] : [{ code, remedy }];
  });
}

const HOST_REMEDIES: Readonly<Record<string, string>> = {
  not_applicable: 'Have a rule grant the request: no rule says allow, nor would once a step up is met.',
  step_up_impossible: 'Configure evidence that callers can bring: the step up that a rule asks for has no method.',
  input_undefined: 'Have the rule say what holds where its input is missing, or see to the source that should bring it.',
};
