import { type Gateway, type GatewayName, type GatewayOptions, recipeBlocks, startGateway, withPlaces } from './gateways.ts';

/** Starts a gateway with exactly what its page shows, but for ports, folders and how long Countersign may take: machines that test are busy. */
export function startRecipe(name: GatewayName, options: GatewayOptions): Promise<Gateway> {
  return { nginx, haproxy, caddy, envoy }[name](options);
}

function nginx({ authzPort, upstreamPort, token, server, clientCa, changes = [], files = {} }: GatewayOptions): Promise<Gateway> {
  return startGateway('nginx', { files }, ({ directory, port, tlsPort, file }) => {
    file('server.pem', server.pem);
    file('server-key.pem', server.keyPem);
    file('client-ca.pem', clientCa);
    file('countersign-token.conf', `proxy_set_header X-Countersign-Pep-Token "${token}";\n`);
    const config = withPlaces(recipeBlocks('nginx', 'nginx')[0] ?? '', [
      ['127.0.0.1:10000', `127.0.0.1:${port}`],
      ['127.0.0.1:10443', `127.0.0.1:${tlsPort}`],
      ['127.0.0.1:8080', `127.0.0.1:${authzPort}`],
      ['127.0.0.1:8081', `127.0.0.1:${upstreamPort}`],
      ...changes,
      ['200ms', '2s'],
      ['/etc/nginx', directory],
      ['/run/nginx.pid', `${directory}/pid`],
    ]);
    const own = ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => {
      const directive = kind === 'body' ? 'client_body_temp_path' : `${kind}_temp_path`;
      return `  ${directive} ${directory}/${kind};\n`;
    });
    file('nginx.conf', config.replace('http {\n', `http {\n${own.join('')}`));
    // a worker of another user could not write below our folder
    const user = process.getuid?.() === 0 ? ' user root;' : '';
    return { args: ['-p', directory, '-e', 'stderr', '-c', `${directory}/nginx.conf`, '-g', `daemon off;${user}`] };
  });
}

function haproxy({ authzPort, upstreamPort, token, server, clientCa, changes = [], files = {} }: GatewayOptions): Promise<Gateway> {
  return startGateway('haproxy', { files }, ({ directory, port, tlsPort, innerPort, file }) => {
    file('server.pem', `${server.pem}${server.keyPem}`);
    file('client-ca.pem', clientCa);
    file(
      'countersign.lua',
      withPlaces(recipeBlocks('haproxy', 'lua')[0] ?? '', [
        ['127.0.0.1:10080', `127.0.0.1:${innerPort}`],
        ['timeout_ms = 500', 'timeout_ms = 5000'],
      ]),
    );
    const config = withPlaces(recipeBlocks('haproxy', 'haproxy')[0] ?? '', [
      ['127.0.0.1:10000', `127.0.0.1:${port}`],
      ['127.0.0.1:10443', `127.0.0.1:${tlsPort}`],
      ['127.0.0.1:10080', `127.0.0.1:${innerPort}`],
      ['127.0.0.1:8080', `127.0.0.1:${authzPort}`],
      ['127.0.0.1:8081', `127.0.0.1:${upstreamPort}`],
      ...changes,
      ['200ms', '2s'],
      ['/etc/haproxy', directory],
    ]);
    return { args: ['-db', '-f', file('haproxy.cfg', config)], env: { COUNTERSIGN_PEP_TOKEN: token } };
  });
}

function caddy({ authzPort, upstreamPort, token, server, clientCa, changes = [], files = {} }: GatewayOptions): Promise<Gateway> {
  return startGateway('caddy', { files }, ({ directory, port, tlsPort, file }) => {
    file('server.pem', server.pem);
    file('server-key.pem', server.keyPem);
    file('client-ca.pem', clientCa);
    const config = withPlaces(recipeBlocks('caddy', 'caddyfile')[0] ?? '', [
      [':10000', `:${port}`],
      [':10443', `:${tlsPort}`],
      ['127.0.0.1:8080', `127.0.0.1:${authzPort}`],
      ['127.0.0.1:8081', `127.0.0.1:${upstreamPort}`],
      ...changes,
      ['200ms', '2s'],
      ['/etc/caddy', directory],
    ]);
    return {
      args: ['run', '--config', file('Caddyfile', config), '--adapter', 'caddyfile'],
      env: { COUNTERSIGN_PEP_TOKEN: token },
    };
  });
}

function envoy({ authzPort, upstreamPort, token, server, clientCa, changes = [], files = {} }: GatewayOptions): Promise<Gateway> {
  return startGateway('envoy', { files }, ({ directory, port, tlsPort, file }) => {
    file('server.pem', server.pem);
    file('server-key.pem', server.keyPem);
    file('client-ca.pem', clientCa);
    const config = withPlaces(recipeBlocks('envoy', 'yaml')[0] ?? '', [
      ['port_value: 10000', `port_value: ${port}`],
      ['port_value: 10443', `port_value: ${tlsPort}`],
      ['port_value: 9191', `port_value: ${authzPort}`],
      ['port_value: 8081', `port_value: ${upstreamPort}`],
      ...changes,
      ['timeout: 0.2s', 'timeout: 2s'],
      ['/etc/envoy', directory],
    ]);
    return {
      args: ['-c', file('envoy.yaml', config), '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'],
      env: { COUNTERSIGN_PEP_TOKEN: token },
    };
  });
}
