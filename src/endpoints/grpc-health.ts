import type { Logger } from '../contract/stages.ts';
import type { GrpcCall, GrpcMethod, MessageStream } from './grpc-call.ts';
import { compileSchema } from './grpc-codec.ts';
import type { Incoming } from './grpc-framing.ts';
import { GRPC_STATUS } from './grpc-status.ts';

/** grpc/health/v1/health.proto */
const HEALTH_PROTO = `
syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse {
  enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
  ServingStatus status = 1;
}
`;

const SERVING = 1;
const NOT_SERVING = 2;
/** Only in Watch: the service is not known (yet). */
const SERVICE_UNKNOWN = 3;
type ServingStatus = typeof SERVING | typeof NOT_SERVING | typeof SERVICE_UNKNOWN;

const REQUEST_MAX_BYTES = 4_096;
const RECEIVE_BOUND_MS = 5_000;
/** Watchers look at readiness this often; `notice` tells them at once. */
const WATCH_INTERVAL_MS = 1_000;
const WATCHERS_MAX = 256;

export type GrpcHealth = {
  /** By `:path`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  /** From now on the answer is NOT_SERVING. */
  notice(): void;
  /** Ends the open watches, so that the sessions can close. */
  stop(): void;
};

export type GrpcHealthOptions = {
  /** Full names of the services; '' is the whole server. */
  readonly services: readonly string[];
  readonly ready: () => boolean;
  readonly logger: Logger;
};

type Watcher = { readonly stream: MessageStream; last: ServingStatus };

/**
 * `grpc.health.v1.Health`. Check answers an unknown service by the RPC status NOT_FOUND; Watch answers it by SERVICE_UNKNOWN
 * and stays open, as health.proto wants it. It is open to everybody: a probe has no token, and the answer says nothing else.
 */
export function createGrpcHealth(options: GrpcHealthOptions): GrpcHealth {
  const schema = compileSchema(HEALTH_PROTO);
  const request = schema.codec<{ service: string }>('grpc.health.v1.HealthCheckRequest');
  const response = schema.codec<{ status: ServingStatus }>('grpc.health.v1.HealthCheckResponse');
  const encoded: Readonly<Record<ServingStatus, Uint8Array>> = {
    [SERVING]: response.encode({ status: SERVING }),
    [NOT_SERVING]: response.encode({ status: NOT_SERVING }),
    [SERVICE_UNKNOWN]: response.encode({ status: SERVICE_UNKNOWN }),
  };
  const services = new Set(options.services);
  const watchers = new Set<Watcher>();
  let leaving = false;
  let interval: NodeJS.Timeout | null = null;

  const status = (): ServingStatus => (!leaving && options.ready() ? SERVING : NOT_SERVING);

  /** Null where the call was answered by a failure. */
  function serviceOf(call: GrpcCall, incoming: Incoming): string | null {
    if (incoming.kind === 'message') {
      try {
        return request.decode(incoming.bytes).service;
      } catch {
        // The bytes are the caller's; what is wrong with them is said by the status.
      }
    }
    call.fail(GRPC_STATUS.invalidArgument, 'The request could not be read');
    return null;
  }

  function check(call: GrpcCall, incoming: Incoming): void {
    const service = serviceOf(call, incoming);
    if (service === null) return;
    if (services.has(service)) call.reply(encoded[status()]);
    else call.fail(GRPC_STATUS.notFound, 'The service is not known');
  }

  function watch(call: GrpcCall, incoming: Incoming): void {
    const service = serviceOf(call, incoming);
    if (service === null) return;
    if (watchers.size >= WATCHERS_MAX) {
      call.fail(GRPC_STATUS.resourceExhausted, 'There are too many watches');
      return;
    }
    const stream = call.openStream();
    if (stream === null) return;
    const known = services.has(service);
    const watcher: Watcher = { stream, last: known ? status() : SERVICE_UNKNOWN };
    stream.write(encoded[watcher.last]);
    watchers.add(watcher);
    stream.onClose(() => forget(watcher));
    interval ??= setInterval(tell, WATCH_INTERVAL_MS).unref();
  }

  function tell(): void {
    const now = status();
    for (const watcher of watchers) {
      if (watcher.last === SERVICE_UNKNOWN || watcher.last === now) continue;
      watcher.last = now;
      watcher.stream.write(encoded[now]);
    }
  }

  function forget(watcher: Watcher): void {
    watchers.delete(watcher);
    if (watchers.size > 0 || interval === null) return;
    clearInterval(interval);
    interval = null;
  }

  const method = (receive: GrpcMethod['receive']): GrpcMethod => ({
    messageMaxBytes: REQUEST_MAX_BYTES,
    boundMs: RECEIVE_BOUND_MS,
    accepts: () => true,
    receive,
    expire: (call) => call.fail(GRPC_STATUS.deadlineExceeded, 'The request did not arrive in time'),
    failed: (call, cause) => {
      options.logger.error('grpc_health_failed', { cause });
      call.fail(GRPC_STATUS.internal, 'The status could not be told');
    },
  });

  return {
    methods: new Map([
      ['/grpc.health.v1.Health/Check', method(check)],
      ['/grpc.health.v1.Health/Watch', method(watch)],
    ]),
    notice: () => {
      leaving = true;
      tell();
    },
    stop: () => {
      for (const { stream } of watchers) stream.finish(GRPC_STATUS.unavailable, 'The server is shutting down');
    },
  };
}
