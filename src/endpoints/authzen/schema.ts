import { z } from 'zod';
import { ENTITIES, EVIDENCE, object } from '../question-schema.ts';

/* AuthZEN Authorization API 1.0: members that are not known are ignored, everywhere. */

/** One access evaluation (section 6.1). `context` may be left out (openid/authzen issue 559). */
export const EvaluationBody = z.object({
  subject: ENTITIES.subject,
  action: ENTITIES.action,
  resource: ENTITIES.resource,
  context: object.optional(),
});
export type EvaluationBody = z.infer<typeof EvaluationBody>;

/** What stops a batch (section 7.1.2). */
export const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;

/**
 * Several access evaluations (section 7.1). The members of the top are defaults, each replaced whole by that of an item; an item is judged when both
 * are put together, so that a bad one is its own error.
 */
export const EvaluationsBody = z.object({
  subject: object.optional(),
  action: object.optional(),
  resource: object.optional(),
  context: object.optional(),
  evaluations: z.array(z.unknown()).optional(),
  options: z.object({ evaluations_semantic: z.enum(SEMANTICS).optional() }).optional(),
});
export type EvaluationsBody = z.infer<typeof EvaluationsBody>;

/** Members of `context` that are evidence wherever they are objects; in any other form they are context like the rest. */
export const EVIDENCE_NAMES = ['request', 'source', 'token', 'certificate', 'tls', 'rate'] as const;

/** The evidence in a context. `token` may also be the access token itself. */
export const ContextEvidence = z.object({
  request: EVIDENCE.request.strip().optional(),
  source: EVIDENCE.source.strip().optional(),
  token: z.union([EVIDENCE.token.strip(), z.string().min(1)]).optional(),
  certificate: EVIDENCE.certificate.strip().optional(),
  tls: EVIDENCE.tls.strip().optional(),
  rate: EVIDENCE.rate.strip().optional(),
});
export type ContextEvidence = z.infer<typeof ContextEvidence>;
