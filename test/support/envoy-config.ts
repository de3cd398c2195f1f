/** Files of one TLS side. */
export type TlsFiles = { readonly certFile: string; readonly keyFile: string; readonly caFile: string };

export type EnvoyOptions = {
  readonly upstreamPort: number;
  /** gRPC ports of the service's replicas. */
  readonly authzPorts: readonly number[];
  /** The filter's timeout; Envoy's own default is 200. */
  readonly timeoutMs?: number;
  readonly failureModeAllow?: boolean;
  /** `with_request_body`; null sends no body to the service. */
  readonly requestBody?: { readonly bytesMax: number; readonly allowPartial: boolean } | null;
  readonly encodeRawHeaders?: boolean;
  readonly includePeerCertificate?: boolean;
  /** Sent as RPC metadata `x-countersign-pep-token`. */
  readonly pepToken?: string;
  /** gRPC health checks each 0.5 s (TRAPS 3: what makes a drain lose nothing). */
  readonly healthCheck?: boolean;
  /** mTLS towards the clients. */
  readonly front?: TlsFiles;
  /** Towards the service. */
  readonly authzTls?: TlsFiles;
  readonly forwardClientCertificate?: 'SANITIZE' | 'SANITIZE_SET' | 'ALWAYS_FORWARD_ONLY';
  /** The recipe says DROP_HEADER; ALLOW shows what the service itself does about underscore spellings. */
  readonly underscores?: 'ALLOW' | 'DROP_HEADER' | 'REJECT_REQUEST';
  /** Names of headers that Envoy sets, before it asks, to the fingerprints of the client's TLS connection. */
  readonly fingerprintHeaders?: { readonly ja3: string; readonly ja4: string };
  /** Headers that the route adds to what goes upstream, in Envoy's format language: it shows what the filter's metadata hold. */
  readonly upstreamHeaders?: Readonly<Record<string, string>>;
  /** Port of an OTLP receiver that Envoy sends its own spans to; it then begins traces and continues those of clients. */
  readonly tracerPort?: number;
  readonly escapedSlashes?: 'KEEP_UNCHANGED' | 'REJECT_REQUEST' | 'UNESCAPE_AND_REDIRECT';
};

const TYPE = 'type.googleapis.com/envoy.extensions';

/** The bootstrap of one Envoy: client → ext_authz (gRPC) → echo upstream. JSON is YAML, so it is written as such. */
export function envoyBootstrap(options: EnvoyOptions, adminPort: number): object {
  return {
    admin: { address: address(adminPort) },
    static_resources: {
      listeners: [listener(options)],
      clusters: [upstreamCluster(options), authzCluster(options), ...tracerCluster(options)],
    },
    ...(options.tracerPort === undefined ? {} : TRACER_RUNTIME),
  };
}

function address(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

function listener(options: EnvoyOptions): object {
  return {
    name: 'front',
    address: address(0),
    ...(options.fingerprintHeaders === undefined ? {} : { listener_filters: [tlsInspector()] }),
    filter_chains: [
      {
        filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager(options) }],
        ...(options.front === undefined ? {} : { transport_socket: downstreamTls(options.front) }),
      },
    ],
  };
}

function connectionManager(options: EnvoyOptions): object {
  return {
    '@type': `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'front',
    use_remote_address: true,
    normalize_path: true,
    merge_slashes: true,
    ...tracer(options),
    path_with_escaped_slashes_action: options.escapedSlashes ?? 'REJECT_REQUEST',
    common_http_protocol_options: { headers_with_underscores_action: options.underscores ?? 'DROP_HEADER' },
    ...(options.forwardClientCertificate === undefined
      ? {}
      : {
          forward_client_cert_details: options.forwardClientCertificate,
          set_current_client_cert_details: { subject: true, cert: true, uri: true, dns: true },
        }),
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { path: '/moved' }, redirect: { path_redirect: '/orders' } },
            { match: { path: '/direct' }, direct_response: { status: 200, body: { inline_string: 'direct' } } },
            { match: { prefix: '/' }, route: { cluster: 'upstream' }, request_headers_to_add: headersToAdd(options.upstreamHeaders) },
          ],
        },
      ],
    },
    http_filters: [
      ...(options.fingerprintHeaders === undefined ? [] : [fingerprintMutation(options.fingerprintHeaders)]),
      { name: 'envoy.filters.http.ext_authz', typed_config: extAuthz(options) },
      { name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPE}.filters.http.router.v3.Router` } },
    ],
  };
}

/** Spans leave at once. */
const TRACER_RUNTIME = { layered_runtime: { layers: [{ name: 'tests', static_layer: { 'tracing.opentelemetry.min_flush_spans': 1 } }] } };

function tracer({ tracerPort }: EnvoyOptions): object {
  if (tracerPort === undefined) return {};
  const http_service = { http_uri: { uri: `http://127.0.0.1:${tracerPort}/v1/traces`, cluster: 'otlp', timeout: '5s' } };
  const typed_config = { '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig', http_service, service_name: 'front' };
  return { tracing: { provider: { name: 'envoy.tracers.opentelemetry', typed_config } } };
}

function tracerCluster({ tracerPort }: EnvoyOptions): object[] {
  if (tracerPort === undefined) return [];
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(tracerPort) } }] }];
  return [{ name: 'otlp', type: 'STATIC', load_assignment: { cluster_name: 'otlp', endpoints } }];
}

function headersToAdd(headers: NonNullable<EnvoyOptions['upstreamHeaders']> = {}): object[] {
  return Object.entries(headers).map(([key, value]) => ({ header: { key, value } }));
}

function tlsInspector(): object {
  return {
    name: 'envoy.filters.listener.tls_inspector',
    typed_config: {
      '@type': `${TYPE}.filters.listener.tls_inspector.v3.TlsInspector`,
      enable_ja3_fingerprinting: true,
      enable_ja4_fingerprinting: true,
    },
  };
}

/** Overwrites what the client has sent under these names; it has to stand before ext_authz. */
function fingerprintMutation({ ja3, ja4 }: NonNullable<EnvoyOptions['fingerprintHeaders']>): object {
  const set = (key: string, value: string) => ({ append: { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' } });
  return {
    name: 'envoy.filters.http.header_mutation',
    typed_config: {
      '@type': `${TYPE}.filters.http.header_mutation.v3.HeaderMutation`,
      mutations: { request_mutations: [set(ja3, '%TLS_JA3_FINGERPRINT%'), set(ja4, '%TLS_JA4_FINGERPRINT%')] },
    },
  };
}

function extAuthz(options: EnvoyOptions): object {
  return {
    '@type': `${TYPE}.filters.http.ext_authz.v3.ExtAuthz`,
    transport_api_version: 'V3',
    failure_mode_allow: options.failureModeAllow ?? false,
    ...(options.encodeRawHeaders === undefined ? {} : { encode_raw_headers: options.encodeRawHeaders }),
    ...(options.includePeerCertificate === undefined ? {} : { include_peer_certificate: options.includePeerCertificate }),
    ...(options.requestBody === undefined || options.requestBody === null
      ? {}
      : {
          with_request_body: {
            max_request_bytes: options.requestBody.bytesMax,
            allow_partial_message: options.requestBody.allowPartial,
            pack_as_bytes: true,
          },
        }),
    grpc_service: {
      envoy_grpc: { cluster_name: 'authz' },
      timeout: seconds(options.timeoutMs ?? 200),
      ...(options.pepToken === undefined ? {} : { initial_metadata: [{ key: 'x-countersign-pep-token', value: options.pepToken }] }),
    },
  };
}

function upstreamCluster(options: EnvoyOptions): object {
  return { name: 'upstream', connect_timeout: '1s', type: 'STATIC', load_assignment: assignment('upstream', [options.upstreamPort]) };
}

function authzCluster(options: EnvoyOptions): object {
  return {
    name: 'authz',
    connect_timeout: '0.25s',
    type: 'STATIC',
    load_assignment: assignment('authz', options.authzPorts),
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPE}.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    ...(options.healthCheck !== true
      ? {}
      : {
          health_checks: [
            {
              timeout: '0.5s',
              interval: '0.5s',
              no_traffic_interval: '0.5s',
              unhealthy_threshold: 2,
              healthy_threshold: 1,
              grpc_health_check: {},
            },
          ],
        }),
    ...(options.authzTls === undefined ? {} : { transport_socket: upstreamTls(options.authzTls) }),
  };
}

function assignment(name: string, ports: readonly number[]): object {
  return { cluster_name: name, endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: address(port) } })) }] };
}

function downstreamTls(files: TlsFiles): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${TYPE}.transport_sockets.tls.v3.DownstreamTlsContext`,
      require_client_certificate: true,
      common_tls_context: tlsContext(files),
    },
  };
}

function upstreamTls(files: TlsFiles): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${TYPE}.transport_sockets.tls.v3.UpstreamTlsContext`,
      sni: 'localhost',
      common_tls_context: { ...tlsContext(files), alpn_protocols: ['h2'] },
    },
  };
}

function tlsContext(files: TlsFiles): object {
  return {
    tls_certificates: [{ certificate_chain: { filename: files.certFile }, private_key: { filename: files.keyFile } }],
    validation_context: { trusted_ca: { filename: files.caFile } },
  };
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}
