import { z } from 'zod';
import { CODES } from '../../contract/codes.ts';
import { STEP_UP_KINDS } from '../../contract/decision.ts';

/* What the decision listener answers. More members may come with later versions: who reads an answer ignores what it does not know. */

const object = z.record(z.string(), z.unknown());
const lines = z
  .record(z.string(), z.union([z.string(), z.array(z.string())]))
  .describe('Lower-case names; a header with several lines has a list.');
const effect = z.enum(['allow', 'deny', 'step_up']);

const reason = z.object({
  code: z.string().describe("The rule's path, `rate.exceeded`, or a code of the host such as `not_applicable`."),
  effect: z.enum(['allow', 'deny', 'step_up', 'undecided']),
  title: z.string(),
  details: object.optional(),
});

const stepUp = z.object({
  kind: z.enum(STEP_UP_KINDS),
  methods: z.array(z.string()),
  acr_values: z.array(z.string()).optional(),
  max_age_seconds: z.number().optional(),
  scopes: z.array(z.string()).optional(),
});

const upstream = z.object({
  headers_to_set: lines,
  headers_to_remove: z.array(z.string()),
  response_headers_to_set: lines.optional(),
  response_headers_to_add: lines.optional(),
  query_parameters_to_set: lines.optional(),
  query_parameters_to_remove: z.array(z.string()).optional(),
});

const exception = z.object({
  id: z.string(),
  owner: z.string(),
  reason: z.string(),
  ends_at: z.number(),
  rules: z.array(z.string()),
});

/** Of `POST /decide`. */
export const DecideAnswer = z.object({
  decision_id: z.string(),
  decision: effect,
  would: z.enum(['deny', 'step_up']).optional().describe('Monitor mode: what was decided and is not enforced.'),
  reasons: z.array(reason).min(1),
  assurance: z.object({ level: z.int().min(0).max(4), required: z.number() }),
  risk: z.object({ score: z.number(), factors: z.array(z.object({ code: z.string(), points: z.number() })) }),
  step_up: stepUp.optional(),
  obligations: z.array(object),
  upstream,
  response: z
    .object({ status: z.int().min(300).max(599), headers: lines, body: z.union([object, z.string()]) })
    .optional()
    .describe('What the client is to get, as it is; not there on an allow.'),
  dynamic_metadata: object.optional(),
  policy: z.object({ name: z.string(), revision: z.string() }),
  exceptions: z.array(exception).optional(),
  error: z.object({ code: z.string() }).optional().describe('There only where no decision could be made.'),
  signals: z.unknown().optional().describe('With `explain`, as are `verdicts` and `explanation`.'),
  verdicts: z.unknown().optional(),
  explanation: object.optional(),
});

/** Of one access evaluation. */
export const EvaluationAnswer = z.object({
  decision: z.boolean(),
  context: z.object({
    decision_id: z.string().optional(),
    reasons: z.array(reason).optional(),
    reason: z.string().optional(),
    step_up: stepUp.optional(),
    acr_values: z.string().optional(),
    obligations: z.array(z.object({ id: z.string(), type: z.string(), properties: object })).optional(),
    error: z.object({ status: z.int(), message: z.string(), code: z.string() }).optional(),
  }),
});

/** Of a batch. */
export const EvaluationsAnswer = z.object({ evaluations: z.array(EvaluationAnswer) });

/** RFC 9457; a refusal of the question, and no decision. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(CODES)).describe('Stable.'),
  field: z.string().optional().describe('The path of what was wrong, never its value.'),
});

/** What a client is to get that is not let pass. */
export const ClientProblem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  decision_id: z.string(),
  reasons: z.array(z.object({ code: z.string(), title: z.string() })).optional(),
  methods: z.array(z.string()).optional(),
});

/** AuthZEN section 9.1. */
export const AuthzenMetadata = z.object({
  policy_decision_point: z.string(),
  access_evaluation_endpoint: z.string(),
  access_evaluations_endpoint: z.string(),
  supported_obligations: z.array(z.string()),
});

const jwk = z.object({
  kty: z.enum(['EC', 'OKP']),
  crv: z.enum(['P-256', 'Ed25519']),
  x: z.string(),
  y: z.string().optional(),
  kid: z.string(),
  alg: z.enum(['ES256', 'EdDSA']),
  use: z.literal('sig'),
});

/** RFC 7517. */
export const JwkSet = z.object({ keys: z.array(jwk) });
