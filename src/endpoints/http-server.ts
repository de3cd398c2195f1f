import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../contract/codes.ts';
import type { Listener } from '../contract/lifecycle.ts';
import type { Logger } from '../contract/stages.ts';
import { type AuthzenOptions, createAuthzenRoute } from './authzen/routes.ts';
import { createDecideRoute, type DecideOptions, isDecideTarget } from './decide/routes.ts';
import { createDocumentsRoute, type PublicDocument } from './documents.ts';
import { createExtAuthzHttpRoute, type ExtAuthzHttpOptions, isExtAuthzHttpTarget } from './ext-authz-http/routes.ts';
import { createFeedbackRoute, type FeedbackOptions, isFeedbackTarget } from './feedback/routes.ts';
import { createForwardAuthRoute, isForwardAuthTarget } from './forward-auth/routes.ts';
import { createFallback } from './http-fallback.ts';
import { createHttpListener } from './http-listener.ts';
import { createIsOwnHost } from './own-host.ts';
import { sendProblem } from './problem.ts';
import type { TlsFiles } from './tls-files.ts';

export type HttpServerOptions = DecideOptions &
  Pick<FeedbackOptions, 'feedback'> &
  Pick<AuthzenOptions, 'authzen'> &
  Pick<ExtAuthzHttpOptions, 'envoy'> & {
    readonly host: string;
    /** 0 takes a free one. */
    readonly port: number;
    readonly tls: TlsFiles | null;
    /** Host names of this listener beside its own address and localhost. */
    readonly publicHosts: readonly string[];
    readonly headerMaxBytes: number;
    readonly inFlightMax: number;
    /** A question that has not arrived by then is 408. */
    readonly bodyTimeoutMs: number;
    readonly logger: Logger;
    /** Left out: none. */
    readonly documents?: readonly PublicDocument[];
  };

/**
 * The HTTP listener for gateways: `POST /decide`, `POST /feedback` and AuthZEN straight from `node:http`, everything else through Express. Own routing looks at the
 * raw target only, so no spelling of a path reaches `/decide` but its own.
 */
export function createHttpServer(options: HttpServerOptions): Listener {
  const publicUrl = options.authzen?.publicUrl ?? null;
  const named = publicUrl === null ? options.publicHosts : [...options.publicHosts, new URL(publicUrl).host];
  const isOwnHost = createIsOwnHost(options.host, named);
  const decide = createDecideRoute(options);
  const feedback = createFeedbackRoute(options);
  const authzen = createAuthzenRoute(options);
  const forwardAuth = createForwardAuthRoute(options);
  const extAuthz = createExtAuthzHttpRoute(options);
  const documents = createDocumentsRoute(options.documents ?? []);
  const fallback = createFallback(options.logger);

  function refuse(response: ServerResponse, code: ErrorCode): void {
    options.onRefused?.(code);
    sendProblem(response, code);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    // Host and Origin are the client's own there
    if (isExtAuthzHttpTarget(request.url ?? '')) {
      extAuthz.handle(request, response);
      return;
    }
    // a browser must not be able to ask, whatever page it shows and whatever name was re-bound to this address
    const forwards = isForwardAuthTarget(request.url ?? '');
    // what forward auth forwards is the client's own, its Origin too
    if (request.headers.origin !== undefined && !forwards) refuse(response, 'origin_forbidden');
    else if (!isOwnHost(request.headers.host, request.socket.localAddress)) refuse(response, 'host_misdirected');
    else if (forwards) forwardAuth(request, response);
    else if (isDecideTarget(request.url ?? '')) decide(request, response);
    else if (isFeedbackTarget(request.url ?? '')) feedback(request, response);
    else if (!authzen(request, response) && !documents(request, response)) fallback(request, response);
  }

  return createHttpListener({
    name: 'http',
    host: options.host,
    port: options.port,
    tls: options.tls,
    headerMaxBytes: options.headerMaxBytes,
    inFlightMax: options.inFlightMax,
    requestTimeoutMs: options.bodyTimeoutMs,
    logger: options.logger,
    onRefused: options.onRefused,
    handle,
    // a 503 could make Envoy's failure mode pass what there was no room for
    onOverloaded: (request, response) => {
      if (isExtAuthzHttpTarget(request.url ?? '')) extAuthz.overloaded(response);
    },
  });
}
