import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminRefused, DataAdmin, Operator, OperatorRole, PolicyAdmin } from '../../contract/admin.ts';
import { asCountersignError } from '../../contract/errors.ts';
import type { RevocationAdmin } from '../../contract/revocations.ts';
import type { Clock, Logger, NewId } from '../../contract/stages.ts';
import { createIsOwnHost } from '../own-host.ts';
import { readBody } from '../read-body.ts';
import { createRefusalLog } from '../refusal-log.ts';
import { type Call, createActions } from './actions.ts';
import type { DecisionAdmin } from './decisions.ts';
import { type AdminTarget, type BodyKind, bodyKindOf, parseTarget } from './receive.ts';
import { refusalAnswer, sendAnswer, sendRefusal } from './respond.ts';

export type AdminOptions = {
  readonly policies: PolicyAdmin;
  readonly data: DataAdmin;
  readonly revocations: RevocationAdmin;
  readonly decisions: DecisionAdmin;
  /** The operator of an `Authorization` header, or null. */
  readonly operatorOf: (authorization: string | undefined) => Operator | null;
  /** Of the operations listener: only under its names is anything answered. */
  readonly host: string;
  readonly publicHosts: readonly string[];
  readonly bundleMaxBytes: number;
  readonly documentMaxBytes: number;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
};

type Method = {
  readonly role: OperatorRole;
  /** Kinds of body that are accepted; none where the method has no body. */
  readonly bodies: readonly BodyKind[];
};

const READ: Method = { role: 'viewer', bodies: [] };
const METHODS: Readonly<Record<AdminTarget['resource'], Readonly<Record<string, Method>>>> = {
  policies: { GET: READ },
  // a bundle may be anything, and what can be gone back to was active before
  policy: { GET: READ, PUT: { role: 'admin', bodies: ['bundle'] } },
  revocations: { GET: READ, POST: { role: 'operator', bodies: ['json'] } },
  // whoever is let in again was shut out for a reason
  revocation: { GET: READ, DELETE: { role: 'admin', bodies: [] } },
  rollback: { POST: { role: 'operator', bodies: ['json'] } },
  // what was never active may be anything, and a candidate that rests decides nothing
  promote: { POST: { role: 'admin', bodies: ['json'] } },
  withdraw: { POST: { role: 'operator', bodies: [] } },
  decision: { GET: READ },
  simulate: { POST: { role: 'operator', bodies: ['json'] } },
  data: {
    GET: READ,
    PUT: { role: 'operator', bodies: ['json'] },
    PATCH: { role: 'operator', bodies: ['merge_patch', 'json_patch'] },
    DELETE: { role: 'operator', bodies: [] },
  },
};
const RANKS: Readonly<Record<OperatorRole, number>> = { viewer: 0, operator: 1, admin: 2 };
const CHALLENGE = { 'www-authenticate': 'Bearer realm="Countersign operations"' };
const ACCEPT_PATCH = { 'accept-patch': 'application/merge-patch+json, application/json-patch+json' };
const CLOSE = { connection: 'close' };
/** Few operators push at once; more bodies than this are somebody's mistake. */
const BODIES_AT_ONCE = 2;
const TARGET_CHARS_MAX = 256;
const NO_BODY = new Uint8Array();

/** Everything below `/admin/v1/`. No exception leaves it; each refusal of a known operator is logged, and of anybody else at most one a second. */
export function createAdminRoute(options: AdminOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { operatorOf, clock, logger, bundleMaxBytes, documentMaxBytes } = options;
  const isOwnHost = createIsOwnHost(options.host, options.publicHosts);
  const tellUnknown = createRefusalLog(logger, clock);
  const actions = createActions(options);
  const budget = { heldBytes: 0, bytesMax: BODIES_AT_ONCE * Math.max(bundleMaxBytes, documentMaxBytes) };

  function handle(request: IncomingMessage, response: ServerResponse): void {
    // a browser must not be able to push, whatever page it shows and whatever name was re-bound to this address
    const operator = operatorOf(request.headers.authorization);
    if (request.headers.origin !== undefined) stranger(response, 'origin_forbidden');
    else if (!isOwnHost(request.headers.host, request.socket.localAddress)) stranger(response, 'host_misdirected');
    else if (operator === null) stranger(response, 'operator_unauthenticated', CHALLENGE);
    else answer(request, response, operator);
  }

  function answer(request: IncomingMessage, response: ServerResponse, operator: Operator): void {
    const refuse = (refusal: AdminRefused, headers: Readonly<Record<string, string>> = {}): void => {
      const { name, role } = operator;
      const target = (request.url ?? '').split('?', 1)[0]?.slice(0, TARGET_CHARS_MAX);
      logger.warn('admin_refused', { operator: name, role, method: request.method, target, code: refusal.refused, field: refusal.field });
      sendAnswer(response, refusalAnswer(refusal, headers));
    };
    const judged = judge(request, operator);
    if ('refused' in judged) {
      refuse(judged, judged.headers);
      return;
    }
    const { target, kind } = judged;
    const call: Call = { request, response, operator, target, kind, refuse };
    const run = (bytes: Uint8Array): void => {
      actions(call, bytes).catch((thrown: unknown) => failed(refuse, thrown));
    };
    if (kind === null) {
      request.resume();
      run(NO_BODY);
      return;
    }
    readBody({ request, response }, kind === 'bundle' ? bundleMaxBytes : documentMaxBytes, budget, (body) => {
      if (body === 'too_large') refuse({ refused: 'body_too_large' }, CLOSE);
      else if (body === 'overloaded') refuse({ refused: 'overloaded' }, { ...CLOSE, 'retry-after': '1' });
      else run(body);
    });
  }

  /** What the parts throw has a code; anything else is ours, and its text stays in the log. */
  function failed(refuse: Call['refuse'], thrown: unknown): void {
    const error = asCountersignError(thrown, 'internal_error');
    if (error.code === 'internal_error') logger.error('admin_failed', { cause: thrown });
    const detail = error.code === 'internal_error' ? {} : { detail: error.message };
    refuse({
      refused: error.code === 'policy_unknown' ? 'policy_not_configured' : error.code,
      ...(error.field === null ? {} : { field: error.field }),
      ...detail,
    });
  }

  function stranger(
    response: ServerResponse,
    code: Parameters<typeof sendRefusal>[1],
    headers: Readonly<Record<string, string>> = {},
  ): void {
    tellUnknown('admin_refused', code, {});
    sendRefusal(response, code, headers);
  }

  return handle;
}

type Judged =
  | { readonly target: AdminTarget; readonly kind: BodyKind | null }
  | (AdminRefused & { readonly headers?: Readonly<Record<string, string>> });

/** What is asked for, and whether the operator may ask for it in this form. */
function judge(request: IncomingMessage, { role }: Operator): Judged {
  const target = parseTarget(request.url ?? '');
  if (target === null) return { refused: 'not_found' };
  if ('refused' in target) return target;
  const methods = METHODS[target.resource];
  const method = methods[request.method ?? ''];
  if (method === undefined) return { refused: 'method_not_allowed', headers: { allow: Object.keys(methods).join(', ') } };
  if (RANKS[role] < RANKS[method.role]) return { refused: 'operator_not_allowed' };
  if (method.bodies.length === 0) return { target, kind: null };
  const kind = bodyKindOf(request.headers, method.bodies);
  if (kind !== null) return { target, kind };
  return { refused: 'media_type_unsupported', ...(request.method === 'PATCH' ? { headers: ACCEPT_PATCH } : {}) };
}
