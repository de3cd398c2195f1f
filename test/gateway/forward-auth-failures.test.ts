import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import { dribble } from '../support/dribble.ts';
import type { Gateway } from '../support/gateways.ts';
import { type Sent, send } from '../support/http-client.ts';
import { copyPolicies } from '../support/policy-directory.ts';
import { freePorts } from '../support/ports.ts';
import { createForwardWorld, type ForwardWorld } from './forward-auth-world.ts';

/** What goes wrong between client, gateway and service: nothing of it passes a request that was not allowed. */

/** What the client sees while Countersign is away. */
const AWAY = { nginx: [503], haproxy: [503], caddy: [502, 504], envoy: [503] };
const NO_LIMITS = { client: {}, address: {}, token: {}, route: {} };
const SLOW = {
  nginx: [['10s', '1s']],
  haproxy: [['timeout http-request 10s', 'timeout http-request 1s']],
  caddy: [['read_header 10s', 'read_header 1s']],
  envoy: [['request_headers_timeout: 10s', 'request_headers_timeout: 1s']],
} as const;

let world: ForwardWorld;
let service: Countersign;
let writer: string;

beforeAll(async () => {
  world = await createForwardWorld();
  service = await world.forwardService({}, { limits: { rate: NO_LIMITS } });
  writer = await world.bearer('agent-a', 'orders:read', 'orders:write');
});
afterAll(() => world.stop());
beforeEach(() => world.upstream.clear());

/** The status, or `closed` where the gateway closed the connection while the client was still sending. */
async function outcome(port: number, sent: Sent): Promise<number | 'closed'> {
  return await send(port, sent).then(
    ({ status }) => status,
    () => 'closed' as const,
  );
}

describe.each(['nginx', 'haproxy', 'caddy', 'envoy'] as const)('%s', (name) => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await world.gateway(name, service, SLOW[name]);
  });
  const works = async () => {
    world.upstream.clear();
    expect((await send(gateway.port, { path: '/orders', headers: ['authorization', writer] })).status).toBe(200);
  };

  it('a body of 900 kB arrives whole with an allow, and not at all without', async () => {
    const body = 'x'.repeat(900_000);
    const post = (headers: readonly string[]) => outcome(gateway.port, { method: 'POST', path: '/orders', headers, body });
    expect(await post(['authorization', writer])).toBe(200);
    expect(world.upstream.requests[0]?.bodyBytes).toBe(900_000);
    world.upstream.clear();
    expect([401, 'closed']).toContain(await post([]));
    expect(world.upstream.begun).toBe(0);
    await works();
  });

  it('a body that is cut in half is no request for the upstream', async () => {
    const head = `POST /orders HTTP/1.1\r\nhost: x\r\nauthorization: ${writer}\r\ncontent-length: 1000\r\n\r\n`;
    await new Promise<void>((resolve) => {
      const socket = connect(gateway.port, '127.0.0.1', () => socket.write(`${head}${'x'.repeat(500)}`));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      setTimeout(() => socket.destroy(), 300);
    });
    expect(world.upstream.requests).toEqual([]);
    await works();
  });

  it('headers of 8 KB pass; those of 1 MiB never do', async () => {
    const padded = (bytes: number, count: number) => Array.from({ length: count }, (_, n) => [`x-pad-${n}`, 'x'.repeat(bytes)]).flat();
    const ask = (pad: readonly string[]) => outcome(gateway.port, { path: '/orders', headers: ['authorization', writer, ...pad] });
    expect(await ask(padded(1000, 8))).toBe(200);
    world.upstream.clear();
    for (const pad of [padded(7000, 150), padded(1_048_576, 1), padded(7900, 2)]) {
      expect([400, 413, 431, 494, 500, 503, 'closed']).toContain(await ask(pad));
    }
    expect(world.upstream.begun).toBe(0);
    await works();
  });

  it('a slow head that ends in time is answered, one that never ends is closed', async () => {
    const head = `GET /orders HTTP/1.1\r\nhost: x\r\nauthorization: ${writer}\r\nconnection: close\r\n\r\n`;
    const pieces = head.match(/[\s\S]{1,120}/g) ?? [];
    expect(await dribble(gateway.port, pieces, 20)).toMatch(/^HTTP\/1\.1 200 /);
    world.upstream.clear();
    const never = await dribble(gateway.port, ['GET /orders HTTP/1.1\r\nhost: x\r\n', 'x-a: b\r\n'], 50);
    expect(never).not.toMatch(/^HTTP\/1\.1 200 /);
    expect(world.upstream.begun).toBe(0);
  });

  it('a slow body arrives whole', async () => {
    const head = `POST /orders HTTP/1.1\r\nhost: x\r\nauthorization: ${writer}\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n`;
    const pieces = Array.from({ length: 10 }, () => 'x'.repeat(100));
    expect(await dribble(gateway.port, [head, ...pieces], 30)).toMatch(/^HTTP\/1\.1 200 /);
    expect(world.upstream.requests.map(({ bodyBytes }) => bodyBytes)).toEqual([1000]);
  });

  it('two lengths, a length beside chunks, and a header line that is folded never make two requests', async () => {
    const smuggled = 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n';
    for (const lines of [
      `content-length: 4\r\ncontent-length: ${smuggled.length}`,
      `content-length: ${smuggled.length}\r\ntransfer-encoding: xchunked`,
      `transfer-encoding : chunked\r\ncontent-length: ${smuggled.length}`,
    ]) {
      const got = await dribble(gateway.port, [`GET /orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${lines}\r\n\r\n${smuggled}`], 50);
      expect(got.match(/HTTP\/1\.1 200 /g) ?? []).toEqual([]);
    }
    expect(world.upstream.requests).toEqual([]);
  });

  it('with the service killed and started again under load nothing passes that was not allowed', async () => {
    const [httpPort = 0, grpcPort = 0] = await freePorts(2);
    const bundle = join(world.directory, `policies-${name}`);
    copyPolicies(bundle, { limits: { rate: NO_LIMITS } });
    const start = () =>
      startCountersign({
        config: { ...world.forwardConfig(), policy: { bundle } },
        env: { COUNTERSIGN_HTTP_PORT: String(httpPort), COUNTERSIGN_GRPC_PORT: String(grpcPort) },
      });
    let running = await start();
    const front = await world.gateway(name, { httpPort, grpcPort });
    const seen = { good: new Set<number>(), bad: new Set<number>() };
    let over = false;
    const asking = async (kind: 'good' | 'bad') => {
      while (!over) {
        const headers = kind === 'good' ? ['authorization', writer] : ['x-countersign-subject', 'forged'];
        const answer = await outcome(front.port, { path: '/orders', headers });
        seen[kind].add(answer === 'closed' ? 0 : answer);
        await sleep(20);
      }
    };
    const load = [asking('good'), asking('bad'), asking('bad')];
    try {
      await vi.waitFor(() => expect(seen.good).toContain(200), { timeout: 20_000 });
      running.child.kill('SIGSTOP');
      await vi.waitFor(() => expect([...seen.good].some((status) => AWAY[name].includes(status))).toBe(true), { timeout: 20_000 });
      running.child.kill('SIGKILL');
      await running.child.exited;
      seen.good.clear();
      await vi.waitFor(() => expect([...seen.good].some((status) => AWAY[name].includes(status))).toBe(true), { timeout: 20_000 });
      expect([...seen.good].filter((status) => !AWAY[name].includes(status))).toEqual([]);
      running = await start();
      await vi.waitFor(() => expect(seen.good).toContain(200), { timeout: 20_000 });
    } finally {
      over = true;
      await Promise.all(load);
      await running.stop();
    }
    // 503: of the service itself, before it has its policy
    expect([...seen.bad].filter((status) => ![401, 503, ...AWAY[name]].includes(status))).toEqual([]);
    expect(world.upstream.requests.filter(({ headers }) => headers['x-countersign-subject'] !== 'agent-a')).toEqual([]);
  }, 120_000);
});
