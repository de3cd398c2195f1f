import type { ServerResponse } from 'node:http';
import type { FeedbackResult } from '../../contract/behaviour.ts';
import { sendProblem } from '../problem.ts';

/** 204 for a report that counts, and for one that was made before, which a header tells; 404 for a decision that is not known, 503 where nobody can tell. */
export function respondFeedback(response: ServerResponse, result: FeedbackResult): void {
  if (response.headersSent || response.destroyed) return;
  if (result === 'unknown') {
    sendProblem(response, 'decision_unknown');
    return;
  }
  if (result === 'unavailable') {
    sendProblem(response, 'store_unavailable', { headers: { 'retry-after': '1' } });
    return;
  }
  response.writeHead(204, { 'cache-control': 'no-store', 'x-countersign-feedback': result });
  response.end();
}
