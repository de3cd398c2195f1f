import { z } from 'zod';
import { CODES } from '../contract/codes.ts';
import type { Decision } from '../contract/decision.ts';
import type { JsonValue } from '../contract/json.ts';
import type { ShadowDiff } from '../contract/rollout.ts';
import { buildLine, type InputMode } from './build-line.ts';
import { DECISION_LINE } from './decision-line.ts';
import { redactInput } from './redact.ts';

const SIDE = z.strictObject({
  revision: z.string(),
  effect: z.enum(['allow', 'deny', 'step_up']),
  reason: z.string().describe('Code of the primary reason.'),
  reasons: z.array(z.string()),
  status: z.int().nullable().describe('HTTP status for the client; null on allow.'),
  risk: z.number(),
  error: z.enum(Object.keys(CODES)).nullable(),
});

/** A line about a request that the candidate of a policy would have decided otherwise; `docs/rollout.md` explains it. */
export const SHADOW_LINE = z.strictObject({
  kind: z.literal('shadow_diff').describe('Tells these lines from those of decisions.'),
  time: DECISION_LINE.shape.time,
  decision_id: DECISION_LINE.shape.decision_id.describe('Of the decision that was answered.'),
  pep: DECISION_LINE.shape.pep,
  policy: z.string(),
  reason: z.string().describe('What makes the difference: the primary reason of the side that lets less pass.'),
  active: SIDE.describe('What was decided and answered.'),
  candidate: SIDE.describe('What would have been.'),
  request: DECISION_LINE.shape.request,
  route: DECISION_LINE.shape.route,
  subject: DECISION_LINE.shape.subject,
  input: z.json().nullable().describe("The candidate's input by `decisions.log.input`, redacted."),
});

export type ShadowLine = Omit<z.output<typeof SHADOW_LINE>, 'input'> & { input: JsonValue };

/** The line of one difference. Like that of the decision it reads no credential. */
export function buildShadowLine({ record, candidate, input, reason }: ShadowDiff, mode: InputMode): ShadowLine {
  const { time, decision_id, pep, request, route, subject } = buildLine({ ...record, input: nothing }, mode);
  const { decision } = record;
  return {
    kind: 'shadow_diff',
    time,
    decision_id,
    pep,
    policy: decision.policy.name,
    reason,
    active: sideOf(decision),
    candidate: sideOf(candidate),
    request,
    route,
    subject,
    input: mode === 'none' ? null : redactInput(input(mode)),
  };
}

const nothing = (): JsonValue => null;

function sideOf({ policy, effect, reasons, response, risk, error }: Decision): z.output<typeof SIDE> {
  const codes = reasons.map(({ code }) => code);
  return {
    revision: policy.revision,
    effect,
    reason: codes[0] ?? 'none',
    reasons: codes,
    status: response?.status ?? null,
    risk: risk.score,
    error: error?.code ?? null,
  };
}
