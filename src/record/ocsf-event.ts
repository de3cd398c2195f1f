import { isIP } from 'node:net';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { LogLabels } from './opa-event.ts';

/* OCSF 1.5.0 (schema.ocsf.io): class API Activity with the profile `security_control`. */

const VERSION = '1.5.0';
const CATEGORY_APPLICATION = 6;
const CLASS_API_ACTIVITY = 6003;
const TYPES_A_CLASS = 100;

const ACTIVITIES: Readonly<Record<string, readonly [id: number, name: string]>> = {
  POST: [1, 'Create'],
  GET: [2, 'Read'],
  HEAD: [2, 'Read'],
  OPTIONS: [2, 'Read'],
  QUERY: [2, 'Read'],
  PUT: [3, 'Update'],
  PATCH: [3, 'Update'],
  DELETE: [4, 'Delete'],
};
const UNKNOWN: readonly [number, string] = [0, 'Unknown'];
/** Those that `http_request.http_method` may have: PATCH is not among them. All of them are in `unmapped.request.method`. */
const HTTP_METHODS: ReadonlySet<string> = new Set(['OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT']);
/** `user.type_id`: of what is no person there is only the word. */
const USER_TYPES: Readonly<Record<string, readonly [id: number, name: string]>> = { user: [1, 'User'] };

type Outcome = {
  readonly action: readonly [number, string];
  readonly disposition: readonly [number, string];
  readonly severity: readonly [number, string];
  readonly status: readonly [number, string];
};

const ALLOWED: Outcome = {
  action: [1, 'Allowed'],
  disposition: [1, 'Allowed'],
  severity: [1, 'Informational'],
  status: [1, 'Success'],
};
const CHALLENGED: Outcome = {
  action: [2, 'Denied'],
  disposition: [23, 'Challenge'],
  severity: [1, 'Informational'],
  status: [2, 'Failure'],
};
const BLOCKED: Outcome = { action: [2, 'Denied'], disposition: [2, 'Blocked'], severity: [2, 'Low'], status: [2, 'Failure'] };
const FAILED: Outcome = { action: [2, 'Denied'], disposition: [27, 'Error'], severity: [4, 'High'], status: [2, 'Failure'] };
/** Decided and not enforced: the request passed. */
const LOGGED: Outcome = { action: [1, 'Allowed'], disposition: [17, 'Logged'], severity: [2, 'Low'], status: [1, 'Success'] };

/** Members of a line that have a place of their own in the event; all others are `unmapped`. */
const MAPPED: ReadonlySet<string> = new Set(['kind', 'time', 'decision_id', 'request_id', 'address', 'status', 'policy', 'pep']);

/** A line of the decision log as an event of OCSF's; what a mask took away is missing, and what OCSF requires is there all the same. */
export function ocsfEventOf(line: JsonObject, labels: LogLabels): JsonObject {
  const outcome = outcomeOf(line);
  const request = objectAt(line, 'request');
  const method = textAt(request, 'method');
  const [activity, activityName] =
    method === null ? UNKNOWN : ((Object.hasOwn(ACTIVITIES, method) ? ACTIVITIES[method] : undefined) ?? [99, method]);
  const decisionId = textAt(line, 'decision_id') ?? '';
  const requestId = textAt(line, 'request_id');
  const time = Date.parse(textAt(line, 'time') ?? '');
  const policy = objectAt(line, 'policy');
  const score = objectAt(line, 'risk')['score'];
  return {
    activity_id: activity,
    activity_name: activityName,
    category_uid: CATEGORY_APPLICATION,
    category_name: 'Application Activity',
    class_uid: CLASS_API_ACTIVITY,
    class_name: 'API Activity',
    type_uid: CLASS_API_ACTIVITY * TYPES_A_CLASS + activity,
    type_name: `API Activity: ${activityName}`,
    time: Number.isNaN(time) ? 0 : time,
    ...pair('severity', outcome.severity),
    ...pair('status', outcome.status),
    ...pair('action', outcome.action),
    ...pair('disposition', outcome.disposition),
    status_detail: textAt(line, 'reason') ?? 'none',
    duration: Math.round(numberAt(objectAt(line, 'times_ms'), 'total') ?? 0),
    metadata: {
      version: VERSION,
      product: { name: 'Countersign', vendor_name: 'Countersign', version: labels['version'] ?? '' },
      profiles: ['security_control'],
      uid: decisionId,
      log_name: 'decision',
      labels: Object.entries(labels).map(([name, value]) => `${name}:${value}`),
      ...(requestId === null ? {} : { correlation_uid: requestId }),
    },
    actor: actorOf(line, outcome, policy),
    api: {
      operation: operationOf(line, method),
      request: { uid: requestId ?? decisionId },
      response: responseOf(line),
      ...(textAt(request, 'host') === null ? {} : { service: { name: textAt(request, 'host') } }),
    },
    src_endpoint: endpointOf(textAt(line, 'address')),
    ...(method === null ? {} : { http_request: httpRequestOf(request, method, requestId) }),
    policy: policyOf(policy),
    ...(typeof score === 'number' ? { risk_score: Math.round(score) } : {}),
    unmapped: Object.fromEntries(Object.entries(line).filter(([name]) => !MAPPED.has(name))),
  };
}

function outcomeOf(line: JsonObject): Outcome {
  if (line['enforced'] === false) return LOGGED;
  if (isJsonObject(line['error'])) return FAILED;
  return line['effect'] === 'allow' ? ALLOWED : line['effect'] === 'step_up' ? CHALLENGED : BLOCKED;
}

function pair(name: string, [id, caption]: readonly [number, string]): JsonObject {
  return { [`${name}_id`]: id, [name]: caption };
}

/** Who asked: the subject and its client; the gateway that asked for them is always known. */
function actorOf(line: JsonObject, { action: [, decision] }: Outcome, policy: JsonObject): JsonObject {
  const subject = objectAt(line, 'subject');
  const [id, client] = [textAt(subject, 'id'), textAt(subject, 'client')];
  return {
    invoked_by: textAt(line, 'pep') ?? 'unknown',
    ...(id === null ? {} : { user: { uid: id, ...pair('type', userType(textAt(subject, 'type') ?? 'unknown')) } }),
    ...(client === null ? {} : { app_uid: client }),
    authorizations: [{ decision, policy: policyOf(policy) }],
  };
}

function userType(type: string): readonly [number, string] {
  return (Object.hasOwn(USER_TYPES, type) ? USER_TYPES[type] : undefined) ?? [99, type];
}

function policyOf(policy: JsonObject): JsonObject {
  return { name: textAt(policy, 'name') ?? '', version: textAt(policy, 'revision') ?? '' };
}

/** Of route ids and methods there are few; paths are the client's. */
function operationOf(line: JsonObject, method: string | null): string {
  const route = textAt(objectAt(line, 'route'), 'id');
  return [method, route].filter((part) => part !== null && part !== '').join(' ') || 'evaluate';
}

function responseOf(line: JsonObject): JsonObject {
  const code = numberAt(line, 'status');
  const error = textAt(objectAt(line, 'error'), 'code');
  return { ...(code === null ? {} : { code }), ...(error === null ? {} : { error }), message: textAt(line, 'effect') ?? 'unknown' };
}

/** An address that was hashed is no address, and is told as an id. */
function endpointOf(address: string | null): JsonObject {
  if (address === null) return { name: 'unknown' };
  return isIP(address) === 0 ? { uid: address } : { ip: address };
}

function httpRequestOf(request: JsonObject, method: string, requestId: string | null): JsonObject {
  const [hostname, path] = [textAt(request, 'host'), textAt(request, 'path')];
  return {
    ...(HTTP_METHODS.has(method) ? { http_method: method } : {}),
    ...(requestId === null ? {} : { uid: requestId }),
    ...(path === null ? {} : { url: { ...(hostname === null ? {} : { hostname }), path } }),
  };
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value: JsonValue | undefined = Object.hasOwn(object, name) ? object[name] : undefined;
  return isJsonObject(value) ? value : {};
}

function textAt(object: JsonObject, name: string): string | null {
  const value = Object.hasOwn(object, name) ? object[name] : null;
  return typeof value === 'string' ? value : null;
}

function numberAt(object: JsonObject, name: string): number | null {
  const value = Object.hasOwn(object, name) ? object[name] : null;
  return typeof value === 'number' ? value : null;
}
