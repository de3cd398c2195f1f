import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import type { Gateway, GatewayName } from '../support/gateways.ts';
import { type Received, send } from '../support/http-client.ts';
import { createKey, createRegistryFolder, HASH_KEY_ID, HASH_SECRET } from '../support/registry.ts';
import { createForwardWorld, type ForwardWorld } from './forward-auth-world.ts';
import { headerValues } from './world.ts';

/** What lies between gateway and service, or gateway and upstream, where a client could say one thing to one and another to the other. */

const NAMES = ['nginx', 'haproxy', 'caddy', 'envoy'] as const;
/** What the client sees while Countersign is away, by the pages. */
const AWAY = { nginx: 503, haproxy: 503, caddy: 502, envoy: 503 };
const OURS = ['decision-id', 'subject', 'client-id', 'assurance'].map((name) => `x-countersign-${name}`);

let world: ForwardWorld;
let service: Countersign;
let reader: string;
let other: string;
const gateways = new Map<GatewayName, Gateway>();
const key = createKey('agent-a', { scopes: ['usage:read'] });

beforeAll(async () => {
  world = await createForwardWorld();
  const folder = createRegistryFolder();
  folder.write('clients.yaml', {
    clients: [{ clientId: 'agent-a', type: 'agent', scopes: ['usage:read', 'orders:read', 'payments:write'] }],
  });
  folder.write('keys.yaml', { keys: [key.entry] });
  const registry = { directory: folder.directory, hashKeys: [{ id: HASH_KEY_ID, secret: HASH_SECRET }] };
  service = await world.forwardService({ registry });
  reader = await world.bearer('agent-a', 'orders:read');
  other = await world.bearer('agent-b', 'orders:read');
  for (const [name, gateway] of await Promise.all(NAMES.map(async (one) => [one, await world.gateway(one, service)] as const))) {
    gateways.set(name, gateway);
  }
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

describe.each(NAMES)('%s', (name) => {
  const ask = (path: string, headers: readonly string[]): Promise<Received> => send(gateways.get(name)?.port ?? 0, { path, headers });

  it('what a client names in Connection takes none of our headers from the upstream, nor does it reach it', async () => {
    const named = [...OURS, 'x-countersign-pep-token', 'x-client-cert', 'x-forwarded-uri', 'x-original-uri'].join(', ');
    for (const connection of [named, `keep-alive, ${named}`, `close, ${named.toUpperCase()}`]) {
      world.upstream.clear();
      // Envoy refuses some of them, which is as good
      const { status } = await ask('/orders', ['authorization', reader, 'connection', connection]);
      expect([200, 400]).toContain(status);
      if (status === 400) continue;
      const raw = world.upstream.requests[0]?.rawHeaders ?? [];
      expect(OURS.filter((header) => headerValues(raw, header).length !== 1)).toEqual([]);
      expect(headerValues(raw, 'x-countersign-subject')).toEqual(['agent-a']);
      expect(headerValues(raw, 'connection').join().toLowerCase()).not.toContain('x-');
    }
    expect((await ask('/orders', ['authorization', reader, 'connection', 'x-a'])).status).toBe(200);
  });

  it('nor does the certificate go missing by it', async () => {
    const payer = await world.bearer('agent-a', 'payments:write');
    const { pem: cert, keyPem: key } = world.ofA;
    const { status } = await send(gateways.get(name)?.tlsPort ?? 0, {
      method: 'POST',
      path: '/payments',
      headers: ['host', 'localhost', 'authorization', payer, 'connection', 'x-client-cert, x-countersign-assurance'],
      tls: { ca: world.authority.pem, cert, key },
    });
    expect(status).toBe(200);
    expect(world.upstream.requests[0]?.headers['x-countersign-assurance']).toBe('3');
  });

  it('an upgrade passes, and names itself alone', async () => {
    const upgrade = ['connection', 'x-countersign-subject, Upgrade', 'upgrade', 'websocket'];
    const { status } = await ask('/orders', ['authorization', reader, ...upgrade]);
    expect([200, 400, 403]).toContain(status);
    for (const { rawHeaders } of world.upstream.requests) {
      expect(headerValues(rawHeaders, 'x-countersign-subject')).toEqual(['agent-a']);
      expect(['', 'keep-alive', 'close', 'upgrade']).toContain(headerValues(rawHeaders, 'connection').join().toLowerCase());
    }
  });

  it('of an absolute target nobody sees another host than the one that is decided about', async () => {
    for (const host of ['api.example', 'other.example', 'other.example:8080']) {
      const { status } = await ask('http://other.example/orders', ['host', host, 'authorization', reader]);
      expect([200, 400]).toContain(status);
    }
    const hosts = world.upstream.requests.map(({ headers }) => String(headers.host));
    expect(hosts.filter((host) => !host.startsWith('other.example'))).toEqual([]);
  });

  it('the host arrives with its port, whatever its case', async () => {
    expect((await ask('/orders', ['host', 'API.example:8080', 'authorization', reader])).status).toBe(200);
    expect(String(world.upstream.requests[0]?.headers.host).toLowerCase()).toBe('api.example:8080');
  });

  it.each([
    ['two tokens of two clients', () => ['authorization', reader, 'authorization', other]],
    ['one token twice', () => ['authorization', reader, 'authorization', reader]],
    ['a token and nonsense', () => ['authorization', reader, 'authorization', 'Basic YTpi']],
    ['nonsense and a token', () => ['authorization', 'Basic YTpi', 'authorization', reader]],
    ['two tokens in one line', () => ['authorization', `${reader}, ${other}`]],
  ])('[asks 11] of %s none is chosen', async (_, headers) => {
    expect([400, 401]).toContain((await ask('/orders', headers())).status);
    expect(world.upstream.begun).toBe(0);
  });

  it('[asks 11] of two API keys none is chosen, in whatever order', async () => {
    expect((await ask('/usage/today', ['x-api-key', key.text])).status).toBe(200);
    world.upstream.clear();
    for (const pair of [
      [key.text, 'junk'],
      ['junk', key.text],
      [key.text, key.text],
    ]) {
      const { status } = await ask(
        '/usage/today',
        pair.flatMap((one) => ['x-api-key', one]),
      );
      expect([400, 401]).toContain(status);
    }
    expect(world.upstream.begun).toBe(0);
  });
});

describe('Envoy', () => {
  it("[asks 20] writes the connection's fingerprints, and where there are none no client's own stays", async () => {
    const forged = ['x-tls-ja3', 'a'.repeat(32), 'x-tls-ja4', 't13d1516h2_8daaf6152771_b186095e22b6'];
    const envoy = gateways.get('envoy');
    const sent = { path: '/orders', headers: ['host', 'localhost', 'authorization', reader, ...forged] };
    expect((await send(envoy?.port ?? 0, sent)).status).toBe(200);
    expect((await send(envoy?.tlsPort ?? 0, { ...sent, tls: { ca: world.authority.pem } })).status).toBe(200);
    const [plain, secure] = world.upstream.requests.map(({ headers }) => [headers['x-tls-ja3'], headers['x-tls-ja4']]);
    expect(plain).toEqual([undefined, undefined]);
    expect(secure).toEqual([expect.stringMatching(/^(?!a{32})[0-9a-f]{32}$/), expect.stringMatching(/^t13d(?!1516h2_8daa)/)]);
  });
});

// the last: the service is gone after it
describe('Countersign stopped', () => {
  beforeAll(() => service.stop());

  it.each(NAMES)('%s lets nobody pass, not even where everybody may', async (name) => {
    const port = gateways.get(name)?.port ?? 0;
    const all = [
      { path: '/orders', headers: ['authorization', reader, 'x-countersign-subject', 'forged'] },
      { path: '/orders', headers: [] },
      { path: '/health', headers: [] },
      { method: 'POST', path: '/orders', headers: ['authorization', reader], body: '{}' },
    ];
    const statuses = await Promise.all(all.map(async (sent) => (await send(port, sent)).status));
    expect(statuses).toEqual(all.map(() => AWAY[name]));
    expect(world.upstream.begun).toBe(0);
  });
});
