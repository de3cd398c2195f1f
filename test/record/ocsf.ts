import { z } from 'zod';

/*
 * What OCSF 1.5.0 (schema.ocsf.io) has for API Activity (6003) with the profile `security_control`, as far as we write it: each object closed, with the
 * enums and the "at least one of" of the schema. Members that the schema has and we never write are left out.
 */

const policy = z.strictObject({ name: z.string(), version: z.string().optional() });
const idAndCaption =
  (...pairs: readonly (readonly [number, string])[]) =>
  (id: unknown, caption: unknown): boolean =>
    pairs.some(([known, name]) => known === id && (name === caption || known === 99));
const oneOf = (names: readonly string[]) => (value: object) => names.some((name) => name in value);

const ACTIVITY = idAndCaption([0, 'Unknown'], [1, 'Create'], [2, 'Read'], [3, 'Update'], [4, 'Delete'], [99, 'Other']);
const SEVERITY = idAndCaption(
  [0, 'Unknown'],
  [1, 'Informational'],
  [2, 'Low'],
  [3, 'Medium'],
  [4, 'High'],
  [5, 'Critical'],
  [6, 'Fatal'],
  [99, 'Other'],
);
const STATUS = idAndCaption([0, 'Unknown'], [1, 'Success'], [2, 'Failure'], [99, 'Other']);
const ACTION = idAndCaption([0, 'Unknown'], [1, 'Allowed'], [2, 'Denied'], [3, 'Observed'], [4, 'Modified'], [99, 'Other']);
const DISPOSITION = idAndCaption([1, 'Allowed'], [2, 'Blocked'], [17, 'Logged'], [23, 'Challenge'], [27, 'Error'], [99, 'Other']);
const USER_TYPE = idAndCaption([0, 'Unknown'], [1, 'User'], [2, 'Admin'], [3, 'System'], [99, 'Other']);

/** One event; throws where it is none. */
export const OCSF_API_ACTIVITY = z
  .strictObject({
    activity_id: z.int(),
    activity_name: z.string(),
    category_uid: z.literal(6),
    category_name: z.literal('Application Activity'),
    class_uid: z.literal(6003),
    class_name: z.literal('API Activity'),
    type_uid: z.int(),
    type_name: z.string(),
    time: z.int(),
    severity_id: z.int(),
    severity: z.string(),
    status_id: z.int(),
    status: z.string(),
    status_detail: z.string(),
    action_id: z.int(),
    action: z.string(),
    disposition_id: z.int(),
    disposition: z.string(),
    duration: z.int(),
    metadata: z.strictObject({
      version: z.literal('1.5.0'),
      product: z.strictObject({ name: z.string(), vendor_name: z.string(), version: z.string() }),
      profiles: z.tuple([z.literal('security_control')]),
      uid: z.string(),
      log_name: z.string(),
      labels: z.array(z.string()),
      correlation_uid: z.string().optional(),
    }),
    actor: z
      .strictObject({
        invoked_by: z.string(),
        app_uid: z.string().optional(),
        user: z
          .strictObject({ uid: z.string(), type: z.string(), type_id: z.int() })
          .refine((one) => USER_TYPE(one.type_id, one.type))
          .optional(),
        authorizations: z.array(z.strictObject({ decision: z.string(), policy })),
      })
      .refine(oneOf(['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'])),
    api: z.strictObject({
      operation: z.string().min(1),
      request: z.strictObject({ uid: z.string() }),
      response: z.strictObject({ code: z.int().optional(), error: z.string().optional(), message: z.string() }),
      service: z.strictObject({ name: z.string() }).optional(),
    }),
    src_endpoint: z
      .strictObject({ ip: z.union([z.ipv4(), z.ipv6()]).optional(), uid: z.string().optional(), name: z.string().optional() })
      .refine(oneOf(['ip', 'uid', 'name'])),
    http_request: z
      .strictObject({
        http_method: z.enum(['OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT']).optional(),
        uid: z.string().optional(),
        url: z.strictObject({ hostname: z.string().optional(), path: z.string() }).optional(),
      })
      .optional(),
    policy,
    risk_score: z.int().optional(),
    unmapped: z.record(z.string(), z.json()),
  })
  .refine(
    (event) => event.type_uid === event.class_uid * 100 + event.activity_id && event.type_name === `API Activity: ${event.activity_name}`,
  )
  .refine((event) => ACTIVITY(event.activity_id, event.activity_name))
  .refine((event) => SEVERITY(event.severity_id, event.severity) && STATUS(event.status_id, event.status))
  .refine((event) => ACTION(event.action_id, event.action) && DISPOSITION(event.disposition_id, event.disposition));
