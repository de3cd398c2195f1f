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
};

const HEADER_BYTES_MAX = 16_384;
/** Probes and scrapes are few; more at once than this is somebody's mistake. */
const IN_FLIGHT_MAX = 64;
const REQUEST_TIMEOUT_MS = 5000;

/** The listener for operators: `/livez`, `/readyz`, `/metrics` open, `/status` by token. */
export function createOperationsServer(options: OperationsServerOptions): Listener {
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
    handle: (request, response) => app(request, response),
  });
}
