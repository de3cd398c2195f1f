import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { POLICIES } from '../decide/fixtures.ts';
import { sha256 } from '../endpoints/fixtures.ts';
import { startCountersign } from '../support/countersign.ts';
import { dribble } from '../support/dribble.ts';
import { startHttpRecipe } from '../support/envoy-http-recipe.ts';
import { send } from '../support/http-client.ts';
import { freePorts } from '../support/ports.ts';
import { createWorld, type World } from './world.ts';

/* The recipe for ext_authz over HTTP with clients that are slow, and with Countersign killed and started again. */

const TOKEN = 'gateway-token-of-the-tests';

describe('the recipe over HTTP', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.stop());
  beforeEach(() => world.upstream.clear());

  const peps = [{ name: 'edge', tokenSha256: sha256(TOKEN), trusts: ['client_address'] }];

  it('has patience with a client that is slow, and ends one that never ends its head', async () => {
    const service = await world.service({ peps });
    const envoy = await startHttpRecipe({
      ...{ authzPort: service.httpPort, operationsPort: service.operationsPort, upstreamPort: world.upstream.port, token: TOKEN },
    });
    const writer = await world.bearer('agent-a', 'orders:write');
    const head = `POST /orders HTTP/1.1\r\nhost: x\r\nauthorization: ${writer}\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n`;
    const pieces = [...(head.match(/[\s\S]{1,120}/g) ?? []), ...Array.from({ length: 10 }, () => 'x'.repeat(100))];
    expect(await dribble(envoy.port, pieces, 20)).toMatch(/^HTTP\/1\.1 200 /);
    expect(world.upstream.requests.map(({ bodyBytes }) => bodyBytes)).toEqual([1000]);
    world.upstream.clear();
    expect(await dribble(envoy.port, ['GET /health HTTP/1.1\r\nhost: x\r\n', 'x-a: b\r\n'], 50)).not.toMatch(/^HTTP\/1\.1 200 /);
    expect(world.upstream.begun).toBe(0);
    await envoy.stop();
  });

  it('passes nothing while Countersign is killed under load, and goes on when it is there again', async () => {
    const ports = await freePorts(3);
    const [authzPort = 0, , operationsPort = 0] = ports;
    const start = () =>
      startCountersign({ config: world.config({ peps, policy: { bundle: POLICIES } }), ports: [authzPort, ports[1] ?? 0, operationsPort] });
    let running = await start();
    const envoy = await startHttpRecipe({ authzPort, operationsPort, upstreamPort: world.upstream.port, token: TOKEN });
    const seen = { good: new Set<number>(), bad: new Set<number>() };
    let over = false;
    const asking = async (kind: 'good' | 'bad', path: string) => {
      while (!over) {
        seen[kind].add((await send(envoy.port, { path, headers: ['x-countersign-subject', 'forged'] })).status);
        await sleep(20);
      }
    };
    const load = [asking('good', '/health'), asking('bad', '/orders/42'), asking('bad', '/orders/42')];
    try {
      await vi.waitFor(() => expect([seen.good.has(200), seen.bad.has(401)]).toEqual([true, true]), { timeout: 20_000 });
      running.child.kill('SIGKILL');
      await running.child.exited;
      await vi.waitFor(() => expect(seen.good).toContain(503), { timeout: 20_000 });
      seen.good.clear();
      await vi.waitFor(() => expect(seen.good).toContain(503), { timeout: 20_000 });
      expect([...seen.good]).toEqual([503]);
      running = await start();
      await vi.waitFor(() => expect(seen.good).toContain(200), { timeout: 20_000 });
    } finally {
      over = true;
      await Promise.all(load);
      await running.stop();
      await envoy.stop();
    }
    expect([...seen.bad].sort()).toEqual([401, 503]);
  });
});
