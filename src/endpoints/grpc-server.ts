import type { Listener } from '../contract/lifecycle.ts';
import { AUTHORIZATION_SERVICE, createExtAuthzMethods, type ExtAuthzOptions } from './ext-authz/routes.ts';
import { createGrpcHealth } from './grpc-health.ts';
import { createGrpcTransport } from './grpc-transport.ts';
import { peerCertificate } from './peer-certificate.ts';
import type { TlsFiles } from './tls-files.ts';

export type GrpcServerOptions = ExtAuthzOptions & {
  readonly host: string;
  /** 0 takes a free one; `start` says which. */
  readonly port: number;
  readonly tls: TlsFiles | null;
  /** What the health service answers by; once `notice` was called it is NOT_SERVING all the same. */
  readonly ready: () => boolean;
};

/** The gRPC listener: Envoy's ext_authz and the health service, on h2c or TLS. */
export function createGrpcServer(options: GrpcServerOptions): Listener {
  const health = createGrpcHealth({ services: ['', AUTHORIZATION_SERVICE], ready: options.ready, logger: options.logger });
  return createGrpcTransport({
    host: options.host,
    port: options.port,
    tls: options.tls,
    methods: new Map([...createExtAuthzMethods(options), ...health.methods]),
    peerCertificate,
    onNotice: health.notice,
    onStop: health.stop,
    clock: options.clock,
    logger: options.logger,
  });
}
