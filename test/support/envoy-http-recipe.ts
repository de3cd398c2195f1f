import { parse } from 'yaml';
import { type Envoy, startEnvoyWith } from './envoy.ts';
import type { TlsFiles } from './envoy-config.ts';
import { recipeBlocks } from './gateways.ts';

export type HttpRecipeOptions = {
  readonly authzPort: number;
  /** Of `/readyz`; null leaves the health check out. */
  readonly operationsPort: number | null;
  readonly upstreamPort: number;
  /** `x-countersign-pep-token`. */
  readonly token: string;
  /** Towards the clients, with client certificates asked for and fingerprints taken. */
  readonly front?: TlsFiles;
  /** Changes the filter as the page does not have it. */
  readonly filter?: Readonly<Record<string, unknown>>;
  /** The same of the connection manager. */
  readonly manager?: Readonly<Record<string, unknown>>;
};

/** The block of `docs/gateways/envoy.md` that asks over HTTP. */
export function httpRecipe(): string {
  const found = recipeBlocks('envoy', 'yaml').filter((block) => block.includes('http_service:') && block.includes('static_resources:'));
  if (found.length !== 1) throw new Error(`${found.length} recipes over HTTP`);
  return found[0] ?? '';
}

/** Starts Envoy with the recipe but for ports, TLS of the listener, and how long Countersign may take: machines that test are busy. */
export function startHttpRecipe(options: HttpRecipeOptions): Promise<Envoy> {
  const config = parse(httpRecipe());
  const { listeners, clusters } = config.static_resources;
  const [listener] = listeners;
  const [chain] = listener.filter_chains;
  listener.address.socket_address.port_value = 0;
  // the first takes away what a client made up
  const [, filter] = chain.filters[0].typed_config.http_filters;
  Object.assign(chain.filters[0].typed_config, options.manager);
  Object.assign(filter.typed_config, options.filter);
  filter.typed_config.http_service.server_uri.timeout = '2s';
  const [countersign, upstream] = clusters;
  const [endpoint] = countersign.load_assignment.endpoints[0].lb_endpoints;
  endpoint.endpoint.address.socket_address.port_value = options.authzPort;
  if (options.operationsPort === null) {
    delete countersign.health_checks;
    delete endpoint.endpoint.health_check_config;
  } else endpoint.endpoint.health_check_config.port_value = options.operationsPort;
  upstream.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value = options.upstreamPort;
  if (options.front !== undefined) {
    const type = 'type.googleapis.com/envoy.extensions';
    listener.listener_filters = [
      {
        name: 'envoy.filters.listener.tls_inspector',
        typed_config: { '@type': `${type}.filters.listener.tls_inspector.v3.TlsInspector`, enable_ja4_fingerprinting: true },
      },
    ];
    chain.transport_socket = {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': `${type}.transport_sockets.tls.v3.DownstreamTlsContext`,
        common_tls_context: {
          tls_certificates: [{ certificate_chain: { filename: options.front.certFile }, private_key: { filename: options.front.keyFile } }],
          validation_context: { trusted_ca: { filename: options.front.caFile } },
        },
      },
    };
  }
  config.admin = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } };
  return startEnvoyWith(config, { COUNTERSIGN_PEP_TOKEN: options.token });
}
