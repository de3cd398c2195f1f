import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { ErrorCode } from '../../contract/codes.ts';
import type { Decision } from '../../contract/decision.ts';
import type { Dialect, Pep } from '../../contract/pep.ts';
import type { Clock, Logger, NewId, Pdp } from '../../contract/stages.ts';
import type { CallTrace, Tracing } from '../../contract/trace.ts';
import { peerCertificate } from '../peer-certificate.ts';
import type { PepAuth } from '../pep-auth.ts';
import { createRefusalLog } from '../refusal-log.ts';
import { receiveForwardAuth } from './receive.ts';
import { refuseForwardAuth, respondForwardAuth } from './respond.ts';

export type ForwardAuthOptions = {
  readonly pdp: Pdp;
  readonly pepAuth: PepAuth;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly deadlineMs: number;
  /** Told the code of every question that was refused at the border. */
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
  /** Left out: calls are not followed. */
  readonly tracing?: Tracing | undefined;
};

const PATH = '/forward-auth';
const SPAN_NAME = '/forward-auth';

/** True for the raw targets `/forward-auth` and `/forward-auth?…`. */
export function isForwardAuthTarget(target: string): boolean {
  return target.startsWith(PATH) && (target.length === PATH.length || target.charCodeAt(PATH.length) === 63);
}

/**
 * `/forward-auth`, by any method: what a gateway forwards of its client's request, in the dialect of that gateway, answered by the status that
 * the client is to get. Straight from `node:http`, as `/decide`. A body of the question is not read. No exception leaves it.
 */
export function createForwardAuthRoute(options: ForwardAuthOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { pdp, pepAuth, clock, newId, logger } = options;
  const tellRefusal = createRefusalLog(logger, clock);

  function refuse(response: ServerResponse, code: ErrorCode, id: string, pep: Pep | null, field?: string): void {
    options.onRefused?.(code);
    tellRefusal('forward_auth_refused', code, { decision_id: id, pep: pep?.name ?? null, field });
    refuseForwardAuth(response, code, id, pep?.dialect ?? null, field);
  }

  function fail(response: ServerResponse, cause: unknown, id: string, dialect: Dialect, trace: CallTrace | null): void {
    trace?.refused('internal_error');
    logger.error('forward_auth_failed', { decision_id: id, cause });
    if (response.headersSent) response.destroy();
    else refuseForwardAuth(response, 'internal_error', id, dialect);
  }

  return (request, response) => {
    const id = newId();
    const pep = authenticate(request, pepAuth);
    if (pep === null) return refuse(response, 'pep_unauthenticated', id, null);
    const { dialect = null } = pep;
    if (dialect === null) return refuse(response, 'dialect_missing', id, pep);
    const trace = options.tracing?.open(SPAN_NAME, request.headers) ?? null;
    try {
      const asked = receiveForwardAuth(request.rawHeaders, {
        id,
        pep,
        dialect,
        receivedAtMs: clock.now(),
        deadlineAtMs: clock.monotonic() + options.deadlineMs,
        policyName: policyOf(request.url ?? ''),
      });
      if ('refused' in asked) {
        trace?.refused(asked.refused);
        return refuse(response, asked.refused, id, pep, asked.field);
      }
      const decided = pdp.decide(trace === null ? asked : trace.join(asked));
      const send = (decision: Decision): void => {
        respondForwardAuth(response, decision, dialect);
        trace?.answered(response.statusCode);
      };
      if (!(decided instanceof Promise)) return send(decided);
      decided.then(send).catch((cause: unknown) => fail(response, cause, id, dialect, trace));
    } catch (cause) {
      fail(response, cause, id, dialect, trace);
    }
  };
}

/** By `x-countersign-pep-token` or by certificate: `authorization` is the client's. A token in two lines is none that is known. */
function authenticate(request: IncomingMessage, pepAuth: PepAuth): Pep | null {
  const { socket } = request;
  const certificate = socket instanceof TLSSocket ? peerCertificate(socket) : null;
  const token = request.headers['x-countersign-pep-token'];
  return pepAuth.authenticate({ token: typeof token === 'string' ? token : null, certificate });
}

function policyOf(target: string): string | null {
  return target.length > PATH.length ? new URLSearchParams(target.slice(PATH.length)).get('policy') : null;
}
