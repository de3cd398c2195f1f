import { z } from 'zod';
import { ENTITIES, EVIDENCE, object } from '../question-schema.ts';

/**
 * The body of `POST /decide` (DESIGN 3). Unknown members are refused at the top and in the objects that are ours: a misspelt
 * `forwarded_for` that is ignored would be another question.
 */
export const DecideBody = z.strictObject({
  request: EVIDENCE.request.optional(),
  source: EVIDENCE.source.optional(),
  token: EVIDENCE.token.optional(),
  certificate: EVIDENCE.certificate.optional(),
  tls: EVIDENCE.tls.optional(),
  rate: EVIDENCE.rate.optional(),
  subject: ENTITIES.subject.optional(),
  action: ENTITIES.action.optional(),
  resource: ENTITIES.resource.optional(),
  /** At most 16 KiB and 8 levels; passed to the policy as it is. */
  context: object.optional(),
  /** Name of the policy, one of those that the gateway may ask for. */
  policy: z.string().max(128).optional(),
});
export type DecideBody = z.infer<typeof DecideBody>;
