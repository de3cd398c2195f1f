import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { parseStrictJson } from '../formats/strict-json.ts';
import { objectsOf, readReasons, readResponse, readStepUp, readUpstream } from './answer-parts.ts';
import { failed, NO_CHANGES, type Outcome, plainResponse } from './outcome.ts';

const LIMITS = { depthMax: 64, keysMax: 100_000 };

/** What Countersign answered: status, content type and body. */
export type Answered = { readonly status: number; readonly contentType: string; readonly bytes: Uint8Array };

/**
 * Reads an answer of `POST /decide`. An allow is an allow only where every part of it has the form that is known; of anything else a deny is made, and a
 * deny stays one however little of it can be read.
 */
export function readAnswer({ status, contentType, bytes }: Answered): Outcome {
  const answer = objectIn(bytes);
  if (status !== 200) return failed('refused', codeOf(answer, status), answer);
  if (answer === null || !/^application\/json(?:$|[ ;])/.test(contentType)) return failed('answer_invalid', null, answer);
  const { decision } = answer;
  if (decision === 'allow') return allowed(answer) ?? failed('answer_invalid', null, answer);
  if (decision !== 'deny' && decision !== 'step_up') return failed('effect_unknown', null, answer);
  return { ...common(answer), allowed: false, effect: decision, ...refusal(answer) };
}

function allowed(answer: JsonObject): Outcome | null {
  const { decision_id: id, would = null, error, response } = answer;
  const upstream = readUpstream(answer['upstream']);
  const obligations = objectsOf(answer['obligations']);
  if (typeof id !== 'string' || error !== undefined || response !== undefined) return null;
  if (would !== null && would !== 'deny' && would !== 'step_up') return null;
  if (upstream === null || obligations === null || readReasons(answer['reasons']) === null) return null;
  return { ...common(answer), allowed: true, effect: 'allow', would, upstream, obligations, stepUp: null, response: null };
}

function refusal(answer: JsonObject) {
  return {
    would: null,
    upstream: NO_CHANGES,
    obligations: objectsOf(answer['obligations']) ?? [],
    stepUp: readStepUp(answer['step_up']),
    response: readResponse(answer['response']) ?? plainResponse(403),
  };
}

function common(answer: JsonObject) {
  const { decision_id: id } = answer;
  const assurance = isJsonObject(answer['assurance']) ? answer['assurance'] : {};
  const risk = isJsonObject(answer['risk']) ? answer['risk'] : {};
  return {
    failure: null,
    decisionId: typeof id === 'string' ? id : null,
    reasons: readReasons(answer['reasons']) ?? [],
    assurance: { level: numberOf(assurance['level']), required: numberOf(assurance['required']) },
    riskScore: numberOf(risk['score']),
    answer,
  };
}

function numberOf(value: JsonObject[string] | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function objectIn(bytes: Uint8Array): JsonObject | null {
  const parsed = parseStrictJson(bytes, LIMITS);
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}

/** Of a problem, its stable code. */
function codeOf(problem: JsonObject | null, status: number): string {
  const code = problem?.['code'];
  return typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? code : `http_${status}`;
}
