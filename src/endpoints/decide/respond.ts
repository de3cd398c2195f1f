import type { ServerResponse } from 'node:http';
import type { Decision } from '../../contract/decision.ts';
import type { UsedException } from '../../contract/exceptions.ts';
import { reasonJson, stepUpJson } from '../decision-json.ts';
import { responseJson, upstreamJson } from './own-parts.ts';

/** The decision as DESIGN 3 writes it: `step_up` only on a step-up, `response` not on allow, `error` only where no decision could be made. */
export function decideAnswer(decision: Decision): Record<string, unknown> {
  const answer: Record<string, unknown> = {
    decision_id: decision.id,
    decision: decision.effect,
    ...(decision.would === undefined ? {} : { would: decision.would }),
    reasons: decision.reasons.map(reasonJson),
    assurance: decision.assurance,
    risk: decision.risk,
  };
  if (decision.stepUp !== null) answer['step_up'] = stepUpJson(decision.stepUp);
  answer['obligations'] = decision.obligations;
  answer['upstream'] = upstreamJson(decision.upstream);
  if (decision.response !== null) answer['response'] = responseJson(decision.response);
  if (decision.dynamicMetadata !== undefined) answer['dynamic_metadata'] = decision.dynamicMetadata;
  answer['policy'] = decision.policy;
  if (decision.exceptions !== undefined) answer['exceptions'] = decision.exceptions.map(exceptionOf);
  if (decision.error !== null) answer['error'] = decision.error;
  if (decision.explanation !== null) {
    answer['signals'] = decision.explanation.signals;
    answer['verdicts'] = decision.explanation.verdicts;
    answer['explanation'] = decision.explanation.rules;
  }
  return answer;
}

/** Answers 200, whatever was decided: the status says that a decision was made, never which. */
export function respondDecide(response: ServerResponse, decision: Decision): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify(decideAnswer(decision));
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-countersign-decision-id': decision.id,
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function exceptionOf({ id, owner, reason, endsAt, rules }: UsedException): Record<string, unknown> {
  return { id, owner, reason, ends_at: endsAt, rules };
}
