import { z } from 'zod';
import { type Effect, type NamedText, type Reason, STEP_UP_KINDS, type StepUp } from '../../contract/decision.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { addSources, NOTHING_TO_COLLECT } from '../collect.ts';
import type { Combined } from '../combine.ts';
import { SMOKE_FACTS } from '../smoke.ts';
import type { OwnInput, PolicyContract } from './contract.ts';
import { parseHeaderLines } from './header-lines.ts';
import { NO_ANSWER } from './own-answer.ts';
import { invalidResult, ownCombined, ownReason } from './own-combined.ts';

const REASONS_MAX = 64;
const texts = z.array(z.string().max(1024)).max(64);
const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);
const object = z.custom<JsonObject>(isJsonObject);
const headers = z.custom<JsonObject>((value) => isJsonObject(value) && parseHeaderLines(value) !== null);

/** The value of the entry point; a member that is not known is a mistake and no decoration. */
const Result = z.strictObject({
  effect: z.enum(['allow', 'deny', 'step_up']),
  reasons: z
    .array(z.union([code, z.looseObject({ code, title: z.string().max(1024).optional(), public: z.boolean().optional() })]))
    .max(REASONS_MAX)
    .default([]),
  step_up: z
    .strictObject({
      kind: z.enum(STEP_UP_KINDS),
      methods: texts.default([]),
      acr_values: texts.default([]),
      max_age_seconds: z.int().min(0).max(1e9).nullable().default(null),
      scopes: texts.default([]),
    })
    .nullable()
    .default(null),
  obligations: z.array(object).default([]),
  upstream: z
    .strictObject({
      headers_to_set: headers.default({}),
      headers_to_remove: texts.default([]),
      response_headers_to_set: headers.default({}),
    })
    .nullable()
    .default(null),
  response: z
    .strictObject({
      status: z.int().min(300).max(599).nullable().default(null),
      headers: headers.default({}),
      body: z.union([z.string(), object]).nullable().default(null),
    })
    .nullable()
    .default(null),
  collect: z.array(z.string()).default([]),
});
type Result = z.output<typeof Result>;

/** The contract `decision`: our input, and a decision that the policy makes itself. */
export function createDecisionContract({ build, buildWhole }: OwnInput): PolicyContract {
  return {
    build,
    worst: (facts) => facts,
    logged: (facts, built, mode) => (mode === 'full' ? buildWhole(facts) : (built ?? build(facts))),
    read: readDecision,
    trial: SMOKE_FACTS,
    tried: (result) => {
      if (result !== undefined && !isJsonObject(result)) throw invalidResult('result');
    },
  };
}

/**
 * The decision of a policy.
 * @throws CountersignError policy_result_invalid for none, a wrong type, an unknown effect or an unknown member; policy_collect_unknown
 */
export function readDecision(value: unknown): Combined {
  const parsed = Result.safeParse(value);
  if (!parsed.success) throw invalidResult(parsed.error.issues[0]?.path.join('.') || 'result');
  const result = parsed.data;
  const { effect, collect } = result;
  if (collect.length > 0)
    return { ...ownCombined('deny', [ownReason('deny')], null, NO_ANSWER), collect: addSources(NOTHING_TO_COLLECT, collect) };
  if (effect !== 'step_up' && result.step_up !== null) throw invalidResult('step_up');
  const step = effect === 'step_up' ? stepUpOf(result.step_up) : null;
  if (effect === 'step_up' && step === null) return ownCombined('deny', [IMPOSSIBLE], 403, NO_ANSWER);
  return {
    ...ownCombined(effect, reasonsOf(effect, result.reasons), statusOf(effect, result), {
      ...NO_ANSWER,
      upstream: lines(result.upstream?.headers_to_set),
      upstreamRemove: result.upstream?.headers_to_remove ?? [],
      client: lines(effect === 'allow' ? result.upstream?.response_headers_to_set : result.response?.headers),
      body: result.response?.body ?? null,
    }),
    stepUp: step,
    obligations: effect === 'deny' ? [] : result.obligations,
    collect: NOTHING_TO_COLLECT,
  };
}

const IMPOSSIBLE: Reason = {
  code: 'step_up_impossible',
  effect: 'deny',
  title: 'No evidence that the caller could bring would be enough',
  public: true,
  details: {},
};

function lines(value: JsonValue | undefined): readonly NamedText[] {
  return parseHeaderLines(value) ?? [];
}

function statusOf(effect: Effect, { response }: Result): number | null {
  return effect === 'allow' ? null : (response?.status ?? (effect === 'deny' ? 403 : null));
}

function reasonsOf(effect: Effect, said: Result['reasons']): readonly Reason[] {
  if (said.length === 0) return [ownReason(effect)];
  return said.map((one) => {
    if (typeof one === 'string') return { code: one, effect, title: one, public: false, details: {} };
    const { code: name, title, public: shown, ...details } = one;
    const made = { code: name, effect, public: shown ?? false, details: JSON.parse(JSON.stringify(details)) };
    return title === undefined ? { ...made, title: name } : { ...made, title, titleSaid: true };
  });
}

/** Null where nothing could satisfy it. */
function stepUpOf(said: Result['step_up']): StepUp | null {
  if (said === null) return null;
  const { kind, methods, acr_values: acrValues, max_age_seconds: maxAgeSeconds, scopes } = said;
  const possible =
    kind === 'scope'
      ? scopes.length > 0
      : methods.length > 0 || (kind === 'authentication' && (acrValues.length > 0 || maxAgeSeconds !== null));
  return possible ? { kind, methods, acrValues, maxAgeSeconds, scopes } : null;
}
