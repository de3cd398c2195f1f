import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BatchPdp } from '../../contract/batch.ts';
import { CODES, type ErrorCode } from '../../contract/codes.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Clock, Logger, NewId, Pdp } from '../../contract/stages.ts';
import type { CallTrace, Tracing } from '../../contract/trace.ts';
import type { Admission, HeldBytes } from '../admission.ts';
import { authenticateCall, GATEWAY_CHALLENGE, refusalOfCall } from '../gateway-call.ts';
import type { PepAuth } from '../pep-auth.ts';
import type { Refused } from '../question.ts';
import { readBody } from '../read-body.ts';
import { authzenMetadata, authzenPaths } from './metadata.ts';
import { type Call, type ReceivedBatch, receiveEvaluation, receiveEvaluations } from './receive.ts';
import { batchAnswers, evaluationAnswer, messageOf } from './respond.ts';

export type AuthzenOptions = {
  readonly pdp: Pdp;
  /** Left out: there are no AuthZEN endpoints. */
  readonly authzen?:
    | {
        readonly batch: BatchPdp;
        /** The id of this PDP; null: it is not told. */
        readonly publicUrl: string | null;
        /** Most items of one batch. */
        readonly evaluationsMax: number;
      }
    | undefined;
  readonly pepAuth: PepAuth;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly bodyMaxBytes: number;
  /** From the last byte of the question to the answer, of a whole batch too. */
  readonly deadlineMs: number;
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
  /** Left out: this endpoint holds so many bytes by itself. */
  readonly admission?: Admission | undefined;
  /** Left out: calls are not followed. */
  readonly tracing?: Tracing | undefined;
};

/**
 * Answers the request if its raw target is one of AuthZEN's; false where it is not, and nothing has happened. `overloaded`: there is no room for it,
 * which is counted already.
 */
export type AuthzenRoute = (request: IncomingMessage, response: ServerResponse, overloaded?: boolean) => boolean;

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

const BODIES_BYTES_MAX = 128 * 1024 * 1024;
const CLOSE = { connection: 'close' };
const RETRY = { 'retry-after': '1' };
/** An id as it came is sent back; a longer one is no id, and not worth twice its bytes. */
const REQUEST_ID_MAX = 1024;

/** AuthZEN Authorization API 1.0. Errors are texts (section 10.1.2); no exception leaves it. */
export function createAuthzenRoute(options: AuthzenOptions): AuthzenRoute {
  const { pdp, authzen, pepAuth, clock, logger, newId } = options;
  if (authzen === undefined) return () => false;
  const { batch, publicUrl, evaluationsMax } = authzen;
  const budget: HeldBytes = options.admission?.held ?? { heldBytes: 0, bytesMax: Math.max(BODIES_BYTES_MAX, options.bodyMaxBytes) };

  function refuse(response: ServerResponse, code: ErrorCode, more: { field?: string | undefined; headers?: Record<string, string> } = {}) {
    options.onRefused?.(code);
    sendError(response, code, more.field, more.headers);
  }

  function fail(response: ServerResponse, cause: unknown, trace: CallTrace | null): void {
    trace?.refused('internal_error');
    logger.error('authzen_failed', { cause });
    if (response.headersSent) response.destroy();
    else sendError(response, 'internal_error');
  }

  function answerOne(question: DecisionRequest, response: ServerResponse, trace: CallTrace | null): void {
    const decided = pdp.decide(trace === null ? question : trace.join(question));
    const send = (decision: Awaited<typeof decided>): void => {
      sendJson(response, evaluationAnswer(decision), { 'x-countersign-decision-id': decision.id });
      trace?.answered(response.statusCode);
    };
    if (decided instanceof Promise) decided.then(send).catch((cause: unknown) => fail(response, cause, trace));
    else send(decided);
  }

  function answerBatch({ items, stopAfter }: ReceivedBatch, response: ServerResponse, trace: CallTrace | null): void {
    const questions = questionsOf(items, stopAfter);
    const decided = batch.decideBatch({ items: trace === null ? questions : questions.map((one) => trace.join(one)), stopAfter });
    const send = (decisions: Awaited<typeof decided>): void => {
      const evaluations = batchAnswers(items, decisions, stopAfter);
      for (const item of items.slice(0, evaluations.length)) if ('refused' in item) options.onRefused?.(item.refused);
      sendJson(response, { evaluations });
      trace?.answered(response.statusCode);
    };
    if (decided instanceof Promise) decided.then(send).catch((cause: unknown) => fail(response, cause, trace));
    else send(decided);
  }

  function call(
    spanName: string,
    answer: (bytes: Uint8Array, call: Call, response: ServerResponse, trace: CallTrace | null) => void,
  ): Handle {
    return (request, response) => {
      const refused = refusalOfCall(request);
      if (refused !== null) return refuse(response, refused, refused === 'method_not_allowed' ? { headers: { allow: 'POST' } } : {});
      const pep = authenticateCall(request, pepAuth);
      if (pep === null) return refuse(response, 'pep_unauthenticated', { headers: GATEWAY_CHALLENGE });
      const requestId = requestIdOf(request);
      const trace = options.tracing?.open(spanName, request.headers) ?? null;
      readBody({ request, response }, options.bodyMaxBytes, budget, (body) => {
        try {
          if (body === 'too_large') return refuse(response, 'body_too_large', { headers: CLOSE });
          if (body === 'overloaded')
            return refuse(response, 'overloaded', { headers: { ...(request.complete ? {} : CLOSE), 'retry-after': '1' } });
          const times = { receivedAtMs: clock.now(), deadlineAtMs: clock.monotonic() + options.deadlineMs };
          answer(body, { pep, newId, requestId, ...times }, response, trace);
        } catch (cause) {
          fail(response, cause, trace);
        }
      });
    };
  }

  function refuseQuestion({ refused, field }: Refused, response: ServerResponse, trace: CallTrace | null): void {
    refuse(response, refused, { field });
    trace?.refused(refused);
  }

  const evaluation = call('POST /access/v1/evaluation', (bytes, asked, response, trace) => {
    const question = receiveEvaluation(bytes, asked);
    if ('refused' in question) refuseQuestion(question, response, trace);
    else answerOne(question, response, trace);
  });
  const evaluations = call('POST /access/v1/evaluations', (bytes, asked, response, trace) => {
    const received = receiveEvaluations(bytes, asked, evaluationsMax);
    if ('refused' in received) refuseQuestion(received, response, trace);
    else if ('items' in received) answerBatch(received, response, trace);
    else answerOne(received, response, trace);
  });
  const search: Handle = (request, response) => {
    if (authenticateCall(request, pepAuth) === null) refuse(response, 'pep_unauthenticated', { headers: GATEWAY_CHALLENGE });
    else refuse(response, 'search_not_supported');
  };
  const metadata: Handle = (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') refuse(response, 'method_not_allowed', { headers: { allow: 'GET, HEAD' } });
    else sendJson(response, authzenMetadata(publicUrl ?? ''), { 'cache-control': 'max-age=300' });
  };

  const paths = authzenPaths(publicUrl);
  const handlers = new Map<string, Handle>([
    ...paths.evaluation.map((path): [string, Handle] => [path, evaluation]),
    ...paths.evaluations.map((path): [string, Handle] => [path, evaluations]),
    ...paths.searches.map((path): [string, Handle] => [path, search]),
    ...(paths.metadata === null ? [] : [[paths.metadata, metadata] as const]),
  ]);

  return (request, response, overloaded = false) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const handle = handlers.get(path);
    if (handle === undefined) return false;
    const requestId = requestIdOf(request);
    if (requestId !== null) response.setHeader('x-request-id', requestId);
    if (overloaded) sendError(response, 'overloaded', undefined, RETRY);
    else handle(request, response);
    return true;
  };
}

/** What is decided: nothing after an item that is an error where the first deny ends the batch. */
function questionsOf(items: ReceivedBatch['items'], stopAfter: ReceivedBatch['stopAfter']): readonly DecisionRequest[] {
  const questions: DecisionRequest[] = [];
  for (const item of items) {
    if (!('refused' in item)) questions.push(item);
    else if (stopAfter === 'deny') break;
  }
  return questions;
}

function requestIdOf({ headers }: IncomingMessage): string | null {
  const id = headers['x-request-id'];
  return typeof id === 'string' && id.length <= REQUEST_ID_MAX ? id : null;
}

/** AuthZEN's own statuses: a wrong content type is a bad request there, and a failure without any decision is a 500. */
export function authzenStatusOf(code: ErrorCode): number {
  if (code === 'content_type_unsupported') return 400;
  return code === 'internal_error' ? 500 : CODES[code].http;
}

function sendError(response: ServerResponse, code: ErrorCode, field?: string, headers: Readonly<Record<string, string>> = {}): void {
  const text = messageOf({ refused: code, field });
  send(response, authzenStatusOf(code), text, { 'content-type': 'text/plain; charset=utf-8', 'x-countersign-error': code, ...headers });
}

function sendJson(response: ServerResponse, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  send(response, 200, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

function send(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>>): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'cache-control': 'no-store', 'content-length': Buffer.byteLength(body), ...headers });
  response.end(body);
}
