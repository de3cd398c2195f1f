import type { CollectName } from '../contract/collect.ts';
import { type Effect, type Reason, type RiskFactor, STEP_UP_KINDS, type StepUp } from '../contract/decision.ts';
import { CountersignError } from '../contract/errors.ts';
import type { PolicyException, UsedException } from '../contract/exceptions.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { addSources, NOTHING_TO_COLLECT } from './collect.ts';
import type { OwnAnswer } from './contracts/own-answer.ts';
import { exceptionReason, exempt } from './exempt.ts';
import { upstreamNamesOf } from './upstream-names.ts';
import { type ExceededLimit, parseVerdict, type RuleFacts, type Verdict } from './verdict.ts';

/** The contract `rules`: what all verdicts together say. */
export type Combined = {
  readonly effect: Effect;
  /** Those that made the effect, never empty, sorted by class then by code; the first gives the status. */
  readonly reasons: readonly Reason[];
  /** HTTP status for the client; null on allow, and on a step_up that leaves it to its kind. */
  readonly status: number | null;
  readonly assuranceRequired: number;
  readonly risk: { readonly score: number; readonly factors: readonly RiskFactor[] };
  readonly stepUp: StepUp | null;
  readonly obligations: readonly JsonObject[];
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly upstreamHeaders: Readonly<Record<string, string>>;
  /** As `Decision.upstreamNames`. */
  readonly upstreamNames?: readonly string[];
  readonly limits: readonly ExceededLimit[];
  readonly retryAfterSeconds: number | null;
  /** Sources that the rules want asked first: then all the rest counts for nothing. */
  readonly collect: readonly CollectName[];
  /** Names of limits that were exceeded and are not enforced, each once. */
  readonly shadowLimits: readonly string[];
  /** Exceptions that took a verdict back; not there where there is none. */
  readonly exceptions?: readonly UsedException[];
  /** Every verdict that was not exactly clear, for `explain`. */
  readonly verdicts: readonly Verdict[];
  /** What a policy says that makes its decision itself; not there by the contract `rules`. */
  readonly own?: OwnAnswer;
};

/** Reasons of the host itself. */
const HOST_RULES: Readonly<Record<'not_applicable' | 'step_up_impossible', RuleFacts>> = {
  not_applicable: { title: 'No rule grants this request', public: true, status: 403 },
  step_up_impossible: { title: 'No evidence that the caller could bring would be enough', public: true, status: 403 },
};
const UNDECIDED = 'The rule could not be evaluated';
const RISK_MAX = 100;
const EMPTY: Readonly<Record<string, string>> = {};
const NONE: readonly string[] = [];
const NO_EXCEPTIONS: readonly PolicyException[] = [];

/**
 * Combines the entry point's `{"verdicts": [[category, name, verdict], …]}` over a closed union: any deny or undecided verdict denies;
 * an allow, or a step_up that says `grants: true`, is a grant; without a grant the request is denied as `not_applicable`; a grant with a
 * step_up is a step_up; else it is an allow. What rules collect is gathered beside it. Exceptions of the caller take the verdicts back that they name.
 * @throws CountersignError policy_result_invalid where the result is not of that form, policy_collect_unknown
 */
export function combine(
  result: unknown,
  rules: ReadonlyMap<string, RuleFacts>,
  exceptions: readonly PolicyException[] = NO_EXCEPTIONS,
): Combined {
  if (exceptions.length === 0) return combineVerdicts(parseVerdicts(result), rules);
  const { verdicts, used } = exempt(parseVerdicts(result), exceptions, rules);
  const combined = combineVerdicts(verdicts, rules);
  if (used.length === 0) return combined;
  const reasons = combined.effect === 'allow' ? [...combined.reasons, exceptionReason(used)] : combined.reasons;
  return { ...combined, reasons, exceptions: used };
}

function combineVerdicts(verdicts: readonly Verdict[], rules: ReadonlyMap<string, RuleFacts>): Combined {
  let denied = false;
  let granted = false;
  let raised = false;
  let assuranceRequired = 0;
  const factors: RiskFactor[] = [];
  let collect = NOTHING_TO_COLLECT;
  let shadowLimits: readonly string[] = NONE;
  for (const { effect, details } of verdicts) {
    denied ||= effect === 'deny' || effect === 'undecided';
    granted ||= effect === 'allow' || (effect === 'step_up' && details.grants);
    raised ||= effect === 'step_up';
    if (details.required !== null && details.required > assuranceRequired) assuranceRequired = details.required;
    for (const factor of details.factors) factors.push(factor);
    if (details.shadowLimits.length > 0) shadowLimits = distinct([...shadowLimits, ...details.shadowLimits]);
    if (details.collect.length > 0) collect = addSources(collect, details.collect);
  }
  if (factors.length > 1) factors.sort(byWeight);
  const risk = { score: Math.min(RISK_MAX, Math.round(factors.reduce((sum, { points }) => sum + points, 0))), factors };
  const common = { assuranceRequired, risk, collect, verdicts, shadowLimits };
  if (!denied && granted && !raised) return allow(verdicts.filter(isGrant), rules, common);
  const upstreamNames = upstreamNamesOf(verdicts);
  const refused = upstreamNames.length === 0 ? common : { ...common, upstreamNames };
  if (denied) return deny(verdicts.filter(isDenial), rules, refused);
  if (!granted) return deny([hostVerdict('not_applicable')], rules, refused);
  return stepUp(verdicts.filter(isStepUp), rules, refused);
}

type Common = Pick<Combined, 'assuranceRequired' | 'risk' | 'collect' | 'verdicts' | 'shadowLimits' | 'upstreamNames'>;
type Rules = ReadonlyMap<string, RuleFacts>;

const isDenial = ({ effect }: Verdict): boolean => effect === 'deny' || effect === 'undecided';
const isGrant = ({ effect }: Verdict): boolean => effect === 'allow';
const isStepUp = ({ effect }: Verdict): boolean => effect === 'step_up';

function parseVerdicts(result: unknown): Verdict[] {
  const listed = isJsonObject(result) ? result['verdicts'] : undefined;
  if (!Array.isArray(listed)) throw new CountersignError('policy_result_invalid', { field: 'verdicts' });
  return listed.map((entry: JsonValue) => {
    if (!Array.isArray(entry) || entry.length !== 3) throw new CountersignError('policy_result_invalid', { field: 'verdicts' });
    const [category, name, verdict] = entry;
    if (typeof category !== 'string' || typeof name !== 'string')
      throw new CountersignError('policy_result_invalid', { field: 'verdicts' });
    return parseVerdict(`${category}.${name}`, verdict);
  });
}

function hostVerdict(code: 'not_applicable' | 'step_up_impossible'): Verdict {
  return parseVerdict(code, 'deny');
}

function deny(denials: readonly Verdict[], rules: Rules, common: Common): Combined {
  const sorted = denials.map((verdict) => ({ verdict, status: statusOf(verdict, rules) })).sort(byClass);
  const speaking = sorted.map(({ verdict }) => verdict);
  const first = sorted[0]?.status ?? 403;
  return {
    ...common,
    effect: 'deny',
    reasons: speaking.map((verdict) => reasonOf(verdict, rules)),
    status: first,
    stepUp: null,
    obligations: [],
    responseHeaders: mergeHeaders(speaking, 'responseHeaders'),
    upstreamHeaders: EMPTY,
    limits: speaking.flatMap(({ details }) => details.limits),
    // of the rules that gave this status; another rule's time is no promise for it
    retryAfterSeconds: sorted.reduce<number | null>(
      (most, { verdict, status }) => (status === first ? latest(most, verdict.details.retryAfterSeconds) : most),
      null,
    ),
  };
}

function allow(grants: readonly Verdict[], rules: Rules, common: Common): Combined {
  const speaking = [...grants].sort(byCode);
  // headers and obligations may come from any rule that did not object, such as a clear one with details
  const spoken = common.verdicts;
  return {
    ...common,
    effect: 'allow',
    reasons: speaking.map((verdict) => reasonOf(verdict, rules)),
    status: null,
    stepUp: null,
    obligations: spoken.flatMap(({ details }) => details.obligations),
    responseHeaders: mergeHeaders(spoken, 'responseHeaders'),
    upstreamHeaders: mergeHeaders(spoken, 'upstreamHeaders'),
    limits: spoken.flatMap(({ details }) => details.limits),
    retryAfterSeconds: null,
  };
}

function stepUp(raised: readonly Verdict[], rules: Rules, common: Common): Combined {
  if (!raised.every(isPossible)) return deny([hostVerdict('step_up_impossible')], rules, common);
  const sorted = [...raised].sort((a, b) => kindOrder(a) - kindOrder(b) || byCode(a, b));
  const kind = sorted[0]?.details.kind ?? 'authentication';
  // one step at a time: evidence before scope before approval; several rules of one kind are met by what all of them name
  const same = sorted.filter(({ details }) => details.kind === kind).map(({ details }) => details);
  const ages = same.map(({ maxAgeSeconds }) => maxAgeSeconds).filter((age) => age !== null);
  return {
    ...common,
    effect: 'step_up',
    reasons: sorted.map((verdict) => reasonOf(verdict, rules)),
    status: statusSaid(sorted[0], rules),
    stepUp: {
      kind,
      methods: distinct(same.flatMap(({ methods }) => methods)),
      acrValues: distinct(same.flatMap(({ acrValues }) => acrValues)),
      maxAgeSeconds: ages.length === 0 ? null : Math.min(...ages),
      scopes: distinct(same.flatMap(({ scopes }) => scopes)),
    },
    obligations: same.flatMap(({ obligations }) => obligations),
    responseHeaders: mergeHeaders(sorted, 'responseHeaders'),
    upstreamHeaders: EMPTY,
    limits: [],
    retryAfterSeconds: null,
  };
}

/** Whether the verdict names something that would satisfy it. */
function isPossible({ details }: Verdict): boolean {
  switch (details.kind) {
    case 'authentication':
      return details.acrValues.length > 0 || details.maxAgeSeconds !== null || details.methods.length > 0;
    case 'binding':
    case 'approval':
      return details.methods.length > 0;
    case 'scope':
      return details.scopes.length > 0;
    case null:
      return false;
  }
}

function kindOrder({ details }: Verdict): number {
  return details.kind === null ? STEP_UP_KINDS.length : STEP_UP_KINDS.indexOf(details.kind);
}

function statusSaid(verdict: Verdict | undefined, rules: Rules): number | null {
  return verdict === undefined ? null : (verdict.details.status ?? rules.get(verdict.code)?.status ?? null);
}

function statusOf(verdict: Verdict, rules: Rules): number {
  return verdict.effect === 'undecided' ? 503 : (statusSaid(verdict, rules) ?? 403);
}

type Denial = { readonly verdict: Verdict; readonly status: number };

/** DESIGN 3: could not decide, then 403 of network and lists, 429, 401, then the rest. */
function classOf({ verdict, status }: Denial): number {
  if (verdict.effect === 'undecided' || status >= 500) return 0;
  if (status === 403 && (verdict.code.startsWith('network.') || verdict.code.startsWith('lists.'))) return 1;
  if (status === 429) return 2;
  return status === 401 ? 3 : 4;
}

function byClass(a: Denial, b: Denial): number {
  return classOf(a) - classOf(b) || byCode(a.verdict, b.verdict);
}

/** The heaviest factor first: in which order a source named them says nothing. */
function byWeight(a: RiskFactor, b: RiskFactor): number {
  return b.points - a.points || (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
}

function byCode(a: Verdict, b: Verdict): number {
  return a.code < b.code ? -1 : a.code > b.code ? 1 : 0;
}

function reasonOf({ code, effect, said }: Verdict, rules: Rules): Reason {
  // the rule's title would say what is not known to be so
  if (effect === 'undecided' || effect === 'clear') return { code, effect: 'undecided', title: UNDECIDED, public: false, details: said };
  const rule = rules.get(code) ?? (code === 'not_applicable' || code === 'step_up_impossible' ? HOST_RULES[code] : null);
  // `hidden: true`: what this client may not learn, whatever its rule shows others
  return { code, effect, title: rule?.title ?? code, public: (rule?.public ?? false) && said['hidden'] !== true, details: said };
}

function mergeHeaders(verdicts: readonly Verdict[], which: 'responseHeaders' | 'upstreamHeaders'): Readonly<Record<string, string>> {
  let merged: Record<string, string> | null = null;
  for (const { details } of verdicts) {
    if (Object.keys(details[which]).length > 0) merged = { ...details[which], ...(merged ?? {}) };
  }
  return merged ?? EMPTY;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}

function latest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}
