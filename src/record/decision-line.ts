import { z } from 'zod';
import { CODES } from '../contract/codes.ts';
import { STEP_UP_KINDS } from '../contract/decision.ts';
import type { JsonValue } from '../contract/json.ts';
import { REQUEST_FLAGS } from '../contract/request.ts';
import { TIERS } from '../contract/route.ts';

const SIGNAL = z.strictObject({
  status: z
    .enum(['present', 'absent', 'invalid', 'unavailable'])
    .describe('Whether it is known, was not offered, was refused, or our source failed.'),
  code: z.string().optional().describe('Why it is not present.'),
});
const milliseconds = z.number().nonnegative();

/** One line of the decision log; what a line may hold and nothing else. `docs/decision-log.md` explains it. */
export const DECISION_LINE = z.strictObject({
  kind: z.literal('decision').describe('Tells these lines from those of the operational log.'),
  time: z.iso.datetime().describe('When the request was received, RFC 3339 in UTC.'),
  decision_id: z.string().describe('UUIDv7; the same in headers, dynamic metadata and the answer.'),
  trace_id: z.string().optional().describe('Trace that it belongs to, 32 hexadecimal digits; only where `tracing` is configured.'),
  span_id: z.string().optional().describe('Our span of it.'),
  request_id: z.string().nullable().describe('The id that the gateway gave, cut to 128 characters.'),
  endpoint: z.enum(['decide', 'ext_authz', 'forward_auth', 'authzen', 'ext_authz_http']).describe('How it was asked.'),
  pep: z.string().describe('Name of the gateway that asked.'),
  policy: z.strictObject({ name: z.string(), revision: z.string() }).describe('What decided.'),
  effect: z.enum(['allow', 'deny', 'step_up']),
  reason: z.string().describe('Code of the primary reason, the first of `reasons`.'),
  reasons: z.array(z.string()).describe('Codes of every reason that counted.'),
  enforced: z.literal(false).optional().describe('Where it is there, the request passed whatever `effect` says (monitor mode).'),
  monitored_by: z.enum(['pep', 'route']).optional().describe('Whose `enforce: false` let it pass.'),
  status: z.int().nullable().describe('HTTP status for the client; null on allow.'),
  step_up: z.enum(STEP_UP_KINDS).nullable().describe('What kind of evidence would turn it into an allow.'),
  request: z
    .strictObject({
      method: z.string(),
      host: z.string(),
      path: z
        .string()
        .nullable()
        .describe('Canonical path without its query, cut to 1024 characters; null where `decisions.log.input` is `none`.'),
      flags: z.array(z.enum(REQUEST_FLAGS)).describe('What was noticed about the request.'),
    })
    .nullable()
    .describe('Null where the question was not about an HTTP request.'),
  route: z.strictObject({ status: z.enum(['matched', 'unknown', 'ambiguous', 'none']), id: z.string(), tier: z.enum(TIERS) }).nullable(),
  subject: z
    .strictObject({ type: z.string(), id: z.string().nullable(), client: z.string().nullable(), asserted: z.boolean() })
    .nullable()
    .describe('Who asked; null where identification did not end.'),
  actors: z.array(z.string()).describe('Subjects of the `act` chain (RFC 8693), the current actor first.'),
  evidence: z.array(z.string()).describe('What was verified.'),
  api_key: z.string().nullable().describe('Id of the API key that was verified.'),
  address: z.string().nullable().describe('Client address, where it is known.'),
  assurance: z.strictObject({ level: z.int(), required: z.number() }),
  risk: z.strictObject({ score: z.number(), factors: z.array(z.strictObject({ code: z.string(), points: z.number() })) }),
  shadow_limits: z
    .array(z.string())
    .optional()
    .describe('Names of rate limits in shadow that were exceeded; not there where there is none.'),
  exceptions: z
    .array(z.strictObject({ id: z.string(), owner: z.string(), reason: z.string(), ends_at: z.int(), rules: z.array(z.string()) }))
    .optional()
    .describe('Time-boxed exceptions that took verdicts of rules back; not there where there is none.'),
  signals: z.record(z.string(), SIGNAL).describe('State of each signal; empty where its stage did not end.'),
  times_ms: z
    .strictObject({ identify: milliseconds, enrich: milliseconds, decide: milliseconds, total: milliseconds })
    .describe('Milliseconds by stage.'),
  slow: z.boolean().describe('The evaluation took longer than `policy.slowMs`.'),
  error: z
    .strictObject({
      code: z.enum(Object.keys(CODES)).describe('See codes.md.'),
      cause: z.string().nullable().describe('Text of the failure without values.'),
    })
    .nullable()
    .describe('Set where no decision could be made.'),
  erased: z.array(z.string()).optional().describe("What the policy's mask took away, as its rules name it: those members are missing."),
  masked: z.array(z.string()).optional().describe("What the policy's mask put another value to."),
  input: z.json().nullable().describe('The policy input by `decisions.log.input`, redacted.'),
});

/** One line of the decision log. */
export type DecisionLine = Omit<z.output<typeof DECISION_LINE>, 'input'> & { input: JsonValue };
