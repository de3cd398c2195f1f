import { isForeignPolicy } from '../../contract/pep.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import { JSON_LIMITS, parseJsonBody } from '../json-body.ts';
import { type Asked, contextFits, fieldOf, questionOf, type Refused, receiveEvidence, refuse } from '../question.ts';
import { DecideBody } from './schema.ts';

/** Makes the question from the body's bytes, or says why it cannot. Never throws on foreign bytes. */
export function receiveDecide(bytes: Uint8Array, asked: Asked): DecisionRequest | Refused {
  const parsed = parseJsonBody(bytes, JSON_LIMITS);
  if (!parsed.ok) return refuse(parsed.code, parsed.field);
  const checked = DecideBody.safeParse(parsed.value);
  if (!checked.success) return refuse('request_invalid', fieldOf(checked.error.issues[0]));
  const body = checked.data;
  const { context, policy: policyName = null } = body;
  if (policyName !== null && isForeignPolicy(asked.pep, policyName)) return refuse('policy_not_allowed', 'policy');
  if (context !== undefined && !contextFits(context, bytes.length)) return refuse('context_too_large', 'context');
  const evidence = receiveEvidence(body, asked.pep);
  if ('refused' in evidence) return evidence;
  return questionOf(
    evidence,
    { subject: body.subject, action: body.action, resource: body.resource, context, policyName },
    asked,
    'decide',
  );
}
