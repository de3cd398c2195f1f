import { z } from 'zod';
import { type FeedbackReport, OUTCOMES } from '../../contract/behaviour.ts';
import type { ErrorCode } from '../../contract/codes.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import { JSON_LIMITS, parseJsonBody } from '../json-body.ts';

/** More units than this are no price list. */
const UNITS_MAX = 16;
/** Sums of a million such amounts are still exact in a double. */
const AMOUNT_MAX = 1e9;
const FIELD_MAX = 128;
const UNIT = /^[a-z][a-z0-9_]{0,31}$/;

/** The body of `POST /feedback`. */
export const FeedbackBody = z.strictObject({
  decision_id: z.string().min(1).max(64),
  outcome: z.enum(OUTCOMES),
  status: z.int().min(100).max(599).optional(),
  cost: z.custom<JsonObject>(isJsonObject).optional(),
});

/** Why there is no report; `field` is a path such as `cost.tokens`, never a value. */
export type RefusedReport = { readonly refused: ErrorCode; readonly field?: string };

/** Makes the report from the body's bytes, or says why it cannot. Never throws on foreign bytes. */
export function receiveFeedback(bytes: Uint8Array): FeedbackReport | RefusedReport {
  const parsed = parseJsonBody(bytes, JSON_LIMITS);
  if (!parsed.ok) return parsed.field === undefined ? { refused: parsed.code } : { refused: parsed.code, field: parsed.field };
  const checked = FeedbackBody.safeParse(parsed.value);
  if (!checked.success) return { refused: 'request_invalid', field: fieldOf(checked.error.issues[0]) };
  const { decision_id: decisionId, outcome, status = null, cost = {} } = checked.data;
  const amounts = readCost(cost);
  return 'refused' in amounts ? amounts : { decisionId, outcome, status, cost: amounts };
}

/** By hand, since zod leaves a unit named `__proto__` out without a word. */
function readCost(cost: JsonObject): ReadonlyMap<string, number> | RefusedReport {
  const amounts = new Map<string, number>();
  for (const [unit, amount] of Object.entries(cost)) {
    if (!UNIT.test(unit) || typeof amount !== 'number' || !(amount >= 0 && amount <= AMOUNT_MAX)) {
      return { refused: 'request_invalid', field: `cost.${unit}`.slice(0, FIELD_MAX) };
    }
    amounts.set(unit, amount);
  }
  return amounts.size > UNITS_MAX ? { refused: 'request_invalid', field: 'cost' } : amounts;
}

function fieldOf(issue: { readonly path: readonly PropertyKey[]; readonly keys?: readonly string[] } | undefined): string {
  const path = issue?.path.map(String) ?? [];
  const unknown = issue?.keys?.[0];
  return [...path, ...(unknown === undefined ? [] : [unknown])].join('.').slice(0, FIELD_MAX);
}
