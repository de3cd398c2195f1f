import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FeedbackResult, FeedbackSink } from '../../contract/behaviour.ts';
import type { ErrorCode } from '../../contract/codes.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import { authenticateCall, GATEWAY_CHALLENGE, refusalOfCall } from '../gateway-call.ts';
import type { PepAuth } from '../pep-auth.ts';
import { sendProblem } from '../problem.ts';
import { readBody } from '../read-body.ts';
import { receiveFeedback } from './receive.ts';
import { respondFeedback } from './respond.ts';

export type FeedbackOptions = {
  /** Null where no gateway is trusted to report. */
  readonly feedback?: FeedbackSink | null | undefined;
  readonly pepAuth: PepAuth;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
};

const PATH = '/feedback';
const BODY_BYTES_MAX = 8192;
/** A thousand unfinished reports. */
const BODIES_BYTES_MAX = 8 * 1024 * 1024;

/** True for the raw target `/feedback`. */
export function isFeedbackTarget(target: string): boolean {
  return target === PATH;
}

/** `POST /feedback`: what became of a request that was decided here. No exception leaves it. */
export function createFeedbackRoute(options: FeedbackOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { feedback = null, pepAuth, clock, logger } = options;
  const budget = { heldBytes: 0, bytesMax: BODIES_BYTES_MAX };

  function refuse(response: ServerResponse, code: ErrorCode, more: Parameters<typeof sendProblem>[2] = {}): void {
    options.onRefused?.(code);
    sendProblem(response, code, more);
  }

  function answer(response: ServerResponse, result: FeedbackResult): void {
    if (result === 'unknown') options.onRefused?.('decision_unknown');
    if (result === 'unavailable') options.onRefused?.('store_unavailable');
    respondFeedback(response, result);
  }

  function fail(response: ServerResponse, cause: unknown): void {
    logger.error('feedback_failed', { cause });
    if (response.headersSent) response.destroy();
    else sendProblem(response, 'internal_error');
  }

  return (request, response) => {
    const refused = refusalOfCall(request);
    if (refused !== null) return refuse(response, refused, refused === 'method_not_allowed' ? { headers: { allow: 'POST' } } : {});
    const pep = authenticateCall(request, pepAuth);
    if (pep === null) return refuse(response, 'pep_unauthenticated', { headers: GATEWAY_CHALLENGE });
    if (feedback === null || !pep.trusts.has('feedback')) return refuse(response, 'feedback_not_allowed');
    readBody({ request, response }, BODY_BYTES_MAX, budget, (body) => {
      try {
        if (typeof body === 'string') {
          return refuse(response, body === 'too_large' ? 'body_too_large' : 'overloaded', { headers: { connection: 'close' } });
        }
        const report = receiveFeedback(body);
        if ('refused' in report) return refuse(response, report.refused, { field: report.field });
        const result = feedback.report(report, clock.now(), pep);
        if (result instanceof Promise) result.then((told) => answer(response, told)).catch((cause: unknown) => fail(response, cause));
        else answer(response, result);
      } catch (cause) {
        fail(response, cause);
      }
    });
  };
}
