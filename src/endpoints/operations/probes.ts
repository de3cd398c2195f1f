import type { Express, RequestHandler } from 'express';
import type { Readiness } from '../../contract/status.ts';
import { sendProblem } from '../problem.ts';

export type ProbeSources = {
  readonly readiness: () => Readiness;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
};

/** Answers 405 to what is neither GET nor HEAD; registered behind the real handler of a path. */
export const onlyGet: RequestHandler = (_request, response) =>
  sendProblem(response, 'method_not_allowed', { headers: { allow: 'GET, HEAD' } });

/**
 * `/livez` says only that the event loop turns: a broken dependency must not have the process restarted. `/readyz` is 503 until a policy
 * is active and from SIGTERM on, and tells its parts apart. `/metrics` is Prometheus text.
 */
export function mountProbes(app: Express, sources: ProbeSources): void {
  app.get('/livez', (_request, response) => {
    response.set('cache-control', 'no-store').json({ status: 'live' });
  });
  app.get('/readyz', (_request, response) => {
    const readiness = sources.readiness();
    response
      .status(readiness.ready ? 200 : 503)
      .set('cache-control', 'no-store')
      .json({ ready: readiness.ready, parts: readiness.parts });
  });
  app.get('/metrics', async (_request, response) => {
    const { contentType, text } = await sources.metrics();
    response.set('cache-control', 'no-store').set('content-type', contentType).send(text);
  });
  app.all(['/livez', '/readyz', '/metrics'], onlyGet);
}
