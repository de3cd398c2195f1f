import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../../contract/codes.ts';
import type { Decision } from '../../contract/decision.ts';
import type { Pep } from '../../contract/pep.ts';
import type { Clock, Logger, NewId, Pdp } from '../../contract/stages.ts';
import type { CallTrace, Tracing } from '../../contract/trace.ts';
import type { Admission } from '../admission.ts';
import { authenticateCall, GATEWAY_CHALLENGE, refusalOfCall } from '../gateway-call.ts';
import type { PepAuth } from '../pep-auth.ts';
import { sendProblem } from '../problem.ts';
import { readBody } from '../read-body.ts';
import { receiveDecide } from './receive.ts';
import { respondDecide } from './respond.ts';

export type DecideOptions = {
  readonly pdp: Pdp;
  readonly pepAuth: PepAuth;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly bodyMaxBytes: number;
  /** Bytes of unfinished bodies over all connections; beyond it questions are answered `overloaded`. */
  readonly bodiesMaxBytes?: number | undefined;
  /** From the last byte of the question to the answer. */
  readonly deadlineMs: number;
  /** Told the code of every question that was refused at the border. */
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
  /** Left out: this endpoint holds so many bytes by itself. */
  readonly admission?: Admission | undefined;
  /** Left out: calls are not followed. */
  readonly tracing?: Tracing | undefined;
};

const PATH = '/decide';
const SPAN_NAME = 'POST /decide';
const CLOSE = { connection: 'close' };
/** As much as gRPC may hold: `inFlightMax` bodies of full length would be a gigabyte. */
const BODIES_BYTES_MAX = 128 * 1024 * 1024;
const ALLOW = { allow: 'POST' };

/** True for the raw targets of the fast lane: `/decide` with or without a query. */
export function isDecideTarget(target: string): boolean {
  return target.startsWith(PATH) && (target.length === PATH.length || target.charCodeAt(PATH.length) === 63);
}

/** `POST /decide`: 200 for every decision, a problem for everything that is no question. No exception leaves it. */
export function createDecideRoute(options: DecideOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { pdp, pepAuth, clock, logger } = options;
  const budget = options.admission?.held ?? {
    heldBytes: 0,
    bytesMax: Math.max(options.bodiesMaxBytes ?? BODIES_BYTES_MAX, options.bodyMaxBytes),
  };

  function refuse(response: ServerResponse, code: ErrorCode, more: Parameters<typeof sendProblem>[2] = {}): void {
    options.onRefused?.(code);
    sendProblem(response, code, more);
  }

  function fail(response: ServerResponse, cause: unknown, trace: CallTrace | null): void {
    trace?.refused('internal_error');
    logger.error('decide_failed', { cause });
    if (response.headersSent) response.destroy();
    else sendProblem(response, 'internal_error');
  }

  function answer(bytes: Uint8Array, pep: Pep, explain: boolean, response: ServerResponse, trace: CallTrace | null): void {
    const asked = {
      id: options.newId(),
      pep,
      receivedAtMs: clock.now(),
      deadlineAtMs: clock.monotonic() + options.deadlineMs,
      explain,
    };
    const question = receiveDecide(bytes, asked);
    if ('refused' in question) {
      refuse(response, question.refused, { field: question.field });
      trace?.refused(question.refused);
      return;
    }
    const decided = pdp.decide(trace === null ? question : trace.join(question));
    const send = (decision: Decision): void => {
      respondDecide(response, decision);
      trace?.answered(response.statusCode);
    };
    if (decided instanceof Promise) decided.then(send).catch((cause: unknown) => fail(response, cause, trace));
    else send(decided);
  }

  return (request, response) => {
    const refused = refusalOfCall(request);
    if (refused !== null) {
      refuse(response, refused, refused === 'method_not_allowed' ? { headers: ALLOW } : {});
      return;
    }
    const pep = authenticateCall(request, pepAuth);
    if (pep === null) {
      refuse(response, 'pep_unauthenticated', { headers: GATEWAY_CHALLENGE });
      return;
    }
    const explain = wantsExplanation(request.url ?? '');
    const trace = options.tracing?.open(SPAN_NAME, request.headers) ?? null;
    readBody({ request, response }, options.bodyMaxBytes, budget, (body) => {
      try {
        if (body === 'too_large') refuse(response, 'body_too_large', { headers: CLOSE });
        else if (body === 'overloaded')
          refuse(response, 'overloaded', { headers: { ...(request.complete ? {} : CLOSE), 'retry-after': '1' } });
        else answer(body, pep, explain, response, trace);
      } catch (cause) {
        fail(response, cause, trace);
      }
    });
  };
}

function wantsExplanation(target: string): boolean {
  return target.length > PATH.length && new URLSearchParams(target.slice(PATH.length)).get('explain') === 'true';
}
