import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { ErrorCode } from '../../contract/codes.ts';
import type { Decision } from '../../contract/decision.ts';
import type { Pep } from '../../contract/pep.ts';
import type { Clock, Logger, NewId, Pdp } from '../../contract/stages.ts';
import type { CallTrace, Tracing } from '../../contract/trace.ts';
import type { Admission } from '../admission.ts';
import { peerCertificate } from '../peer-certificate.ts';
import type { PepAuth } from '../pep-auth.ts';
import { readBody } from '../read-body.ts';
import { createRefusalLog } from '../refusal-log.ts';
import { receiveHttpCheck } from './receive.ts';
import { createHttpCheckResponder } from './respond.ts';
import { PREFIX } from './schema.ts';

export type ExtAuthzHttpOptions = {
  readonly pdp: Pdp;
  readonly pepAuth: PepAuth;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly bodyMaxBytes: number;
  readonly deadlineMs: number;
  /** Left out: failures to decide are 503, which Envoy counts as errors. */
  readonly envoy?: { readonly errorsAs: 503 | 403 } | undefined;
  /** Told the code of every question that was refused at the border. */
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
  /** Left out: this endpoint holds so many bytes by itself. */
  readonly admission?: Admission | undefined;
  /** Left out: calls are not followed. */
  readonly tracing?: Tracing | undefined;
};

export type ExtAuthzHttpRoute = {
  /** No exception leaves it. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Denies a question that there is no room for. */
  readonly overloaded: (response: ServerResponse) => void;
};

const SPAN_NAME = `${PREFIX}/*`;

/** Unfinished bodies over all connections: as much as gRPC may hold. */
const BODIES_BYTES_MAX = 128 * 1024 * 1024;

/** True for the raw targets `/envoy/…`. */
export function isExtAuthzHttpTarget(target: string): boolean {
  return target.startsWith(PREFIX) && target.charCodeAt(PREFIX.length) === 47;
}

/**
 * `/envoy/…`, by any method: the client's request as Envoy's ext_authz hands it on over HTTP, with its Host, its path behind the prefix and its
 * body. Straight from `node:http`, as `/decide`.
 */
export function createExtAuthzHttpRoute(options: ExtAuthzHttpOptions): ExtAuthzHttpRoute {
  const { pdp, pepAuth, clock, newId, logger } = options;
  const responder = createHttpCheckResponder({ errorsAs: options.envoy?.errorsAs ?? 503 });
  const tellRefusal = createRefusalLog(logger, clock);
  const budget = options.admission?.held ?? { heldBytes: 0, bytesMax: Math.max(BODIES_BYTES_MAX, options.bodyMaxBytes) };

  function refuse(response: ServerResponse, code: ErrorCode, pep: Pep | null, id = newId(), field?: string): void {
    options.onRefused?.(code);
    tellRefusal('http_check_refused', code, { decision_id: id, pep: pep?.name ?? null, field });
    responder.refused(response, code, id, field);
  }

  function fail(response: ServerResponse, cause: unknown, id: string, trace: CallTrace | null): void {
    trace?.refused('internal_error');
    logger.error('http_check_failed', { decision_id: id, cause });
    if (response.headersSent) response.destroy();
    else responder.undecided(response, 'internal_error', id);
  }

  function answer(request: IncomingMessage, response: ServerResponse, pep: Pep, body: Uint8Array | null, trace: CallTrace | null): void {
    const id = newId();
    try {
      const asked = receiveHttpCheck({
        id,
        pep,
        receivedAtMs: clock.now(),
        nowMs: clock.monotonic(),
        deadlineMs: options.deadlineMs,
        method: request.method ?? '',
        target: request.url ?? '',
        lines: request.rawHeaders,
        body,
      });
      if ('refused' in asked) {
        refuse(response, asked.refused, pep, id, asked.field);
        trace?.refused(asked.refused);
        return;
      }
      const decided = pdp.decide(trace === null ? asked : trace.join(asked));
      const send = (decision: Decision): void => {
        responder.decided(response, decision);
        trace?.answered(response.statusCode);
      };
      if (!(decided instanceof Promise)) send(decided);
      else decided.then(send).catch((cause: unknown) => fail(response, cause, id, trace));
    } catch (cause) {
      fail(response, cause, id, trace);
    }
  }

  return {
    handle(request, response) {
      const pep = authenticate(request, pepAuth);
      if (pep === null) return refuse(response, 'pep_unauthenticated', null);
      const trace = options.tracing?.open(SPAN_NAME, request.headers) ?? null;
      if (!hasBody(request)) return answer(request, response, pep, null, trace);
      readBody({ request, response }, options.bodyMaxBytes, budget, (body) => {
        if (typeof body !== 'string') return answer(request, response, pep, body.length === 0 ? null : body, trace);
        if (!request.complete) response.setHeader('connection', 'close');
        refuse(response, body === 'too_large' ? 'body_too_large' : 'overloaded', pep);
      });
    },
    overloaded: (response) => responder.refused(response, 'overloaded', newId()),
  };
}

/** Envoy says `content-length: 0` where it hands on no body. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** By `x-countersign-pep-token` or by certificate: `authorization` is the client's. A token in two lines is none that is known. */
function authenticate(request: IncomingMessage, pepAuth: PepAuth): Pep | null {
  const { socket } = request;
  const certificate = socket instanceof TLSSocket ? peerCertificate(socket) : null;
  const token = request.headers['x-countersign-pep-token'];
  return pepAuth.authenticate({ token: typeof token === 'string' ? token : null, certificate });
}
