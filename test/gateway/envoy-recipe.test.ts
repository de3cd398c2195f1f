import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Decision } from '../../src/contract/decision.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import { createAuthority } from '../support/certificates.ts';
import { type Child, startChild, waitUntil } from '../support/child.ts';
import { type EchoUpstream, startEchoUpstream } from '../support/echo-upstream.ts';
import { envoyBinary } from '../support/envoy.ts';
import { recipeBlocks, withPlaces } from '../support/gateways.ts';
import { decision, denial, type Fixture, PEP_TOKEN, startGrpc, tokenPep } from '../support/grpc-fixture.ts';

/** The first YAML block of the recipe, with ports and files of our own: what the page shows is what is tried. */
function recipe(ports: { readonly authz: number; readonly upstream: number }): string {
  const places = withPlaces(recipeBlocks('envoy', 'yaml')[0] ?? '', [
    ['port_value: 10000', 'port_value: 0'],
    ['port_value: 10443', 'port_value: 0'],
    ['port_value: 9191', `port_value: ${ports.authz}`],
    ['port_value: 8081', `port_value: ${ports.upstream}`],
    // machines that test are busy
    ['timeout: 0.2s', 'timeout: 2s'],
    ['/etc/envoy', directory],
  ]);
  return `admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n${places}`;
}

let server: Fixture;
let upstream: EchoUpstream;
let envoy: Child;
let admin = '';
let front = '';
let decide: (request: DecisionRequest) => Decision = () => decision();
const directory = mkdtempSync(join(tmpdir(), 'countersign-recipe-'));

beforeAll(async () => {
  server = await startGrpc({ peps: [tokenPep(['client_address'])], decide: (request) => decide(request) });
  upstream = await startEchoUpstream();
  const authority = createAuthority();
  const { pem, keyPem } = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  writeFileSync(join(directory, 'server.pem'), pem);
  writeFileSync(join(directory, 'server-key.pem'), keyPem);
  writeFileSync(join(directory, 'client-ca.pem'), authority.pem);
  writeFileSync(join(directory, 'envoy.yaml'), recipe({ authz: server.port, upstream: upstream.port }));
  const adminFile = join(directory, 'admin');
  envoy = startChild(
    envoyBinary(),
    [
      ...['-c', join(directory, 'envoy.yaml'), '--admin-address-path', adminFile],
      ...['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'],
    ],
    { env: { COUNTERSIGN_PEP_TOKEN: PEP_TOKEN } },
  );
  await waitUntil('envoy', envoy, async () => {
    admin = `http://${readFileSync(adminFile, 'utf8').trim()}`;
    return (await fetch(`${admin}/ready`)).status === 200;
  });
  const listeners = await (await fetch(`${admin}/listeners`)).text();
  front = `http://127.0.0.1:${/^front::127\.0\.0\.1:(\d+)/m.exec(listeners)?.[1]}`;
});
afterAll(async () => {
  await envoy.stop('SIGTERM', 5_000);
  await server.close();
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

const stat = async (name: string) => {
  const text = await (await fetch(`${admin}/stats?filter=^${encodeURIComponent(name)}$`)).text();
  return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
};

describe('the recipe of docs/gateways/envoy.md', () => {
  test('an allow reaches the upstream with our headers in place of those of the client', async () => {
    decide = () => decision();
    const answer = await fetch(`${front}/orders//7/../8?x=1`, {
      headers: { 'x-countersign-subject': 'forged', x_countersign_subject: 'forged' },
    });
    expect(answer.status).toBe(200);
    const reached = upstream.requests.at(-1);
    expect(reached?.url).toBe('/orders/8?x=1');
    expect(reached?.headers['x-countersign-subject']).toBe('agent-7');
    expect(JSON.stringify(reached?.rawHeaders)).not.toContain('forged');
    const asked = server.asked.at(-1);
    expect([asked?.pep.name, asked?.source.ip, asked?.http?.path]).toEqual(['edge', '127.0.0.1', '/orders/8']);
  });

  test.each([400, 401, 403, 404, 409, 413, 418, 421, 422, 425, 429, 451, 500, 503])(
    'a refusal with status %i comes back as it is',
    async (status) => {
      decide = () =>
        denial(status, {
          response: { status, headers: { 'content-type': 'application/problem+json', 'x-why': 'test' }, body: { status } },
        });
      upstream.clear();
      const answer = await fetch(`${front}/orders`);
      expect([answer.status, answer.headers.get('content-type'), answer.headers.get('x-why')]).toEqual([
        status,
        'application/problem+json',
        'test',
      ]);
      expect(await answer.json()).toEqual({ status });
      expect(upstream.requests).toEqual([]);
    },
  );

  test('header values of any text arrive, and never make Envoy answer 500', async () => {
    const headersToSet = { 'x-countersign-subject': 'Zoë\r\nx-admin: 1', 'x-countersign-actor': '' };
    decide = () => decision({ upstream: { headersToSet, headersToRemove: [], responseHeadersToSet: { 'x-risk': '3' } } });
    const answer = await fetch(`${front}/orders`, { headers: { 'x-countersign-actor': 'forged' } });
    expect([answer.status, answer.headers.get('x-risk')]).toEqual([200, '3']);
    const reached = upstream.requests.at(-1)?.headers;
    expect(reached?.['x-countersign-subject']).toMatch(/^=\?base64\?[A-Za-z0-9+/=]+\?=$/);
    expect(reached).not.toHaveProperty('x-admin');
    expect(reached).not.toHaveProperty('x-countersign-actor');
  });

  test('a body is read, a longer one is marked as cut', async () => {
    decide = () => decision();
    const post = (body: string) => fetch(`${front}/orders`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await post('{"a":1}');
    expect(server.asked.at(-1)?.http?.body).toMatchObject({ status: 'parsed', json: { a: 1 } });
    await post(JSON.stringify({ a: 'x'.repeat(100_000) }));
    expect(server.asked.at(-1)?.http?.body).toMatchObject({ status: 'truncated', json: null });
  });

  test('health checks pass; with Countersign away the client gets 503 and the upstream nothing', async () => {
    expect(await stat('cluster.countersign.health_check.success')).toBeGreaterThan(0);
    expect(await stat('cluster.countersign.health_check.failure')).toBe(0);
    await server.listener.stop(1_000);
    upstream.clear();
    expect((await fetch(`${front}/orders`)).status).toBe(503);
    expect(upstream.requests).toEqual([]);
  });
});
