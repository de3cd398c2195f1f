import { type Batch, isLast } from '../../contract/batch.ts';
import { CODES } from '../../contract/codes.ts';
import type { Decision, StepUp } from '../../contract/decision.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import { reasonJson, stepUpJson } from '../decision-json.ts';
import type { Refused } from '../question.ts';

/** One decision on AuthZEN's wire: a boolean, and what the gateway may want to know. */
export type EvaluationAnswer = { readonly decision: boolean; readonly context: Record<string, unknown> };

/** Obligation types of the AuthZEN obligations profile that a policy may name; every other one is sent as `custom`. */
export const OBLIGATION_TYPES = ['step-up', 'notification', 'session_termination', 'custom'] as const;

/**
 * `true` is an allow and nothing else is; a step_up is `false` with what would turn it (section 6.2). An allow of monitor mode says what it
 * would have been, and why.
 */
export function evaluationAnswer(decision: Decision): EvaluationAnswer {
  const { id, effect, reasons, stepUp, error, would } = decision;
  const context: Record<string, unknown> = { decision_id: id };
  if (would !== undefined) context['would'] = would;
  if (effect !== 'allow' || would !== undefined) context['reasons'] = reasons.map(reasonJson);
  if (stepUp !== null) addStepUp(context, stepUp);
  const obligations = obligationsOf(decision);
  if (obligations.length > 0) context['obligations'] = obligations;
  if (error !== null) context['error'] = { status: CODES[error.code].http, message: CODES[error.code].text, code: error.code };
  return { decision: effect === 'allow', context };
}

/** The answer for an item of a batch that is no question. */
export function refusedAnswer({ refused, field }: Refused): EvaluationAnswer {
  return { decision: false, context: { error: { status: CODES[refused].http, message: messageOf({ refused, field }), code: refused } } };
}

/** What may be shown of a refusal: it names a field, never a value. */
export function messageOf({ refused, field }: { readonly refused: Refused['refused']; readonly field?: string | undefined }): string {
  return field === undefined ? CODES[refused].text : `${CODES[refused].text}: ${field}`;
}

/**
 * Puts the decisions to their items. @param decisions of the items that are questions, in order; fewer where the batch stopped
 */
export function batchAnswers(
  items: readonly (object | Refused)[],
  decisions: readonly Decision[],
  stopAfter: Batch['stopAfter'],
): readonly EvaluationAnswer[] {
  const answers: EvaluationAnswer[] = [];
  let next = 0;
  for (const item of items) {
    if ('refused' in item) {
      answers.push(refusedAnswer(item));
      if (stopAfter === 'deny') break;
      continue;
    }
    const decision = decisions[next++];
    if (decision === undefined) break;
    answers.push(evaluationAnswer(decision));
    if (isLast(decision, stopAfter)) break;
  }
  return answers;
}

/** The hints of the specification for authentication, and all that /decide says. */
function addStepUp(context: Record<string, unknown>, stepUp: StepUp): void {
  context['step_up'] = stepUpJson(stepUp);
  if (stepUp.acrValues.length > 0) context['acr_values'] = stepUp.acrValues.join(' ');
  if (stepUp.kind === 'approval') context['reason'] = 'approval_required';
}

function obligationsOf({ stepUp, obligations }: Decision): readonly JsonObject[] {
  const all = obligations.map(obligationOf);
  return (stepUp === null ? all : [stepUpObligation(stepUp), ...all]).map((one, index) => ({ id: `obligation-${index + 1}`, ...one }));
}

/** `step-up` of the profile has an ACR; what is to be proven in another way is a `custom` one, which a gateway that does not know it denies. */
function stepUpObligation(stepUp: StepUp): JsonObject {
  const [acr] = stepUp.acrValues;
  if (stepUp.kind === 'authentication' && acr !== undefined) return { type: 'step-up', properties: { acr_value: acr, amr_values: [] } };
  return { type: 'custom', properties: { vendor: 'countersign', action: 'step_up', kind: stepUp.kind, methods: stepUp.methods } };
}

/** A policy's own obligation in the profile's form: `id`, `type`, `properties`. */
function obligationOf(said: JsonObject): JsonObject {
  const { id, type, properties } = said;
  const named: Record<string, JsonValue> = typeof id === 'string' ? { id } : {};
  if (typeof type === 'string' && OBLIGATION_TYPES.some((known) => known === type) && isJsonObject(properties)) {
    return { ...named, type, properties };
  }
  return { ...named, type: 'custom', properties: said };
}
