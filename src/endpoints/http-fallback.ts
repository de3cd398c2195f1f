import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Logger } from '../contract/stages.ts';
import { sendProblem } from './problem.ts';

/** An Express application without its own opinions: no x-powered-by, no ETag, exact paths, no query parser. */
export function createExpressApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('strict routing');
  app.enable('case sensitive routing');
  app.set('query parser', false);
  return app;
}

/** Puts the end of every application in place: 404 for what no route took, 503 for what a route threw, both as problems. */
export function closeExpressApp(app: Express, logger: Logger): void {
  app.use((_request, response) => sendProblem(response, 'not_found'));
  const onError: ErrorRequestHandler = (cause: unknown, _request, response, _next) => {
    // a target that Express cannot decode is the client's, everything else ours
    if (cause instanceof URIError) {
      sendProblem(response, 'not_found');
      return;
    }
    logger.error('http_route_failed', { cause });
    sendProblem(response, 'internal_error');
  };
  app.use(onError);
}

/** Everything on the gateways' listener that is not the fast lane; later endpoints are mounted here. */
export function createFallback(logger: Logger): (request: IncomingMessage, response: ServerResponse) => void {
  const app = createExpressApp();
  closeExpressApp(app, logger);
  return (request, response) => app(request, response);
}
