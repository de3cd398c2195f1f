import type { RequestListener } from 'node:http';
import type { Listener } from '../../contract/lifecycle.ts';
import type { Logger } from '../../contract/stages.ts';
import type { Readiness, ServiceStatus } from '../../contract/status.ts';
import { closeExpressApp, createExpressApp } from '../http-fallback.ts';
import { createHttpListener } from '../http-listener.ts';
import { createOperatorAuth, type OperatorToken } from './operator-auth.ts';
import { mountProbes } from './probes.ts';
import { mountStatus } from './status.ts';

export type OperationsServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly OperatorToken[];
  readonly readiness: () => Readiness;
  readonly status: () => ServiceStatus;
  /** The exposition text with its content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly logger: Logger;
  /** The admin API, a protocol of its own: which raw targets are its, and its answers. */
  readonly admin?: { readonly isTarget: (target: string) => boolean; readonly handle: RequestListener } | undefined;
};

const HEADER_BYTES_MAX = 16_384;
/** Probes and scrapes are few; more at once than this is somebody's mistake. */
const IN_FLIGHT_MAX = 64;
/** A bundle of 32 MB by a slow line is to arrive. */
const REQUEST_TIMEOUT_MS = 30_000;

/** The listener for operators: `/livez`, `/readyz`, `/metrics` open, `/status` and the admin API by token. */
export function createOperationsServer(options: OperationsServerOptions): Listener {
  const { admin } = options;
  const app = createExpressApp();
  mountProbes(app, options);
  mountStatus(app, options.status, createOperatorAuth(options.tokens));
  closeExpressApp(app, options.logger);
  return createHttpListener({
    name: 'operations',
    host: options.host,
    port: options.port,
    tls: null,
    headerMaxBytes: HEADER_BYTES_MAX,
    inFlightMax: IN_FLIGHT_MAX,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    logger: options.logger,
    handle: (request, response) => (admin?.isTarget(request.url ?? '') ? admin.handle(request, response) : app(request, response)),
  });
}
