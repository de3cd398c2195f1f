import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { MadeCertificate } from '../support/certificates.ts';
import type { Countersign } from '../support/countersign.ts';
import { recipeBlocks } from '../support/gateways.ts';
import { send } from '../support/http-client.ts';
import { createForwardWorld, FORMS, type ForwardWorld } from './forward-auth-world.ts';

/** Gateways that Countersign knows by their certificates, as the pages show it in place of the token. */

const NAMES = ['nginx', 'haproxy', 'caddy'] as const;
const uriOf = (name: string) => `spiffe://td.test/gateway/${name}`;

let world: ForwardWorld;
let service: Countersign;
let reader: string;

beforeAll(async () => {
  world = await createForwardWorld();
  const server = world.authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  service = await world.forwardService({
    http: {
      tls: {
        certFile: file('s.pem', server.pem),
        keyFile: file('s-key.pem', server.keyPem),
        clientCaFile: file('ca.pem', world.authority.pem),
      },
    },
    peps: NAMES.map((name) => ({
      name,
      dialect: name,
      certificate: { uri: uriOf(name) },
      trusts: ['client_address', 'client_certificate'],
      certificateHeader: { name: 'x-client-cert', form: FORMS[name] },
    })),
  });
  reader = await world.bearer('agent-a', 'orders:read');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

function file(name: string, text: string): string {
  const path = join(world.directory, name);
  writeFileSync(path, text);
  return path;
}

/** What the page says to put in place of what. */
function changesOf(name: (typeof NAMES)[number]): (readonly [string, string])[] {
  const language = name === 'caddy' ? 'caddyfile' : name;
  const block = recipeBlocks(name, language).at(-1) ?? '';
  if (name === 'nginx') {
    return [
      ['proxy_pass http://countersign/forward-auth;', block],
      ['include /etc/nginx/countersign-token.conf;', ''],
    ];
  }
  // its address was replaced already in the recipe
  if (name === 'haproxy')
    return [['server one 127.0.0.1:', block.replace('127.0.0.1:8080', `127.0.0.1:${service.httpPort}`).replace(/\n$/, ' # ')]];
  return [
    ['header_up X-Countersign-Pep-Token {env.COUNTERSIGN_PEP_TOKEN}', ''],
    ['transport http {', `transport http {\n${block}`],
  ];
}

function filesOf(name: string, { pem, keyPem }: MadeCertificate): Record<string, string> {
  return {
    'gateway.pem': name === 'haproxy' ? `${pem}${keyPem}` : pem,
    'gateway-key.pem': keyPem,
    'countersign-ca.pem': world.authority.pem,
  };
}

it.each(NAMES)('%s: one is known, and of another nobody passes', async (name) => {
  const known = world.authority.client({ commonName: name, uris: [uriOf(name)] });
  const gateway = await world.gateway(name, service, changesOf(name), { files: filesOf(name, known), token: '' });
  const ask = (port: number, headers: readonly string[]) => send(port, { path: '/orders', headers });
  expect((await ask(gateway.port, ['authorization', reader])).status).toBe(200);
  expect(world.upstream.requests[0]?.headers['x-countersign-subject']).toBe('agent-a');
  world.upstream.clear();
  expect((await ask(gateway.port, [])).status).toBe(401);
  const stranger = world.authority.client({ commonName: 'x', uris: [uriOf('unknown')] });
  const foreign = await world.gateway(name, service, changesOf(name), { files: filesOf(name, stranger), token: '' });
  const refused = await ask(foreign.port, ['authorization', reader]);
  expect(refused.status).toBe(403);
  expect(refused.headers['www-authenticate']).toBeUndefined();
  expect(world.upstream.begun).toBe(0);
});
