import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { OPA_BIN, POLICIES } from './decide/fixtures.ts';
import { type Countersign, type CountersignOptions, startCountersign } from './support/countersign.ts';
import { encodeCheck } from './support/ext-authz-wire.ts';
import { connectGrpc } from './support/grpc-client.ts';
import { CHECK, checkOf } from './support/grpc-fixture.ts';

/* The real process by itself: how it starts, what it says while it lacks something, and how it goes away. */

const policy = { bundle: POLICIES, opaBin: OPA_BIN };
const HEALTH = { request: { method: 'GET', scheme: 'https', host: 'api.example', path: '/health' } };

let running: Countersign | null = null;
let blocker: Server | null = null;
afterEach(async () => {
  await running?.stop();
  running = null;
  blocker?.close();
  blocker = null;
});

async function start(options: CountersignOptions): Promise<Countersign> {
  running = await startCountersign(options);
  return running;
}

async function decide({ httpPort }: Countersign, body: unknown): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`http://127.0.0.1:${httpPort}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

const probe = async (port: number, path: string) => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, body: await answer.text() };
};

describe('a start', () => {
  it('that is refused ends with 78 and names every problem at once, without a value', async () => {
    const service = await start({
      until: 'spawned',
      config: { policy, nonsense: 1, store: { kind: 'redis' }, decisions: { deadlineMs: 'hunter2' } },
    });
    expect((await service.child.exited).code).toBe(78);
    expect(service.output()).toContain('nonsense');
    expect(service.output()).toContain('store.url');
    expect(service.output()).toContain('decisions.deadlineMs');
    expect(service.output()).not.toContain('hunter2');
  });

  it('whose hash key cannot be read ends with 69, and names the key of the configuration', async () => {
    const registry = { directory: '/nowhere', hashKeys: [{ id: 'a', file: '/nowhere/hash-key' }] };
    const service = await start({ until: 'spawned', config: { policy, registry } });
    expect((await service.child.exited).code).toBe(69);
    expect(service.output()).toContain('registry.hashKeys[0].file');
  });

  it('without its registry is alive, not ready, and denies whoever brings evidence', async () => {
    const service = await start({ until: 'live', config: { policy, registry: { directory: '/nowhere' } } });
    const headers = { 'x-api-key': 'csk_x', authorization: 'Bearer x' };
    await expect.poll(async () => (await decide(service, HEALTH)).body, { timeout: 30_000 }).toMatchObject({ decision: 'allow' });
    expect(await probe(service.operationsPort, '/readyz')).toMatchObject({
      status: 503,
      body: expect.stringContaining('"registry":"not_loaded"'),
    });
    const orders = { request: { ...HEALTH.request, path: '/orders/42', headers } };
    expect((await decide(service, orders)).body).toMatchObject({ decision: 'deny' });
  });

  it('whose port is taken ends with 69, listen_failed, and leaves nothing open', async () => {
    blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker?.once('listening', resolve));
    const address = blocker.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const service = await start({ until: 'spawned', config: { policy }, env: { COUNTERSIGN_GRPC_PORT: `${port}` } });
    expect((await service.child.exited).code).toBe(69);
    expect(service.output()).toContain('"code":"listen_failed"');
  });
});

describe('without a policy', () => {
  it('[asks 53] it lives, is not ready, and denies by policy_not_loaded', async () => {
    const service = await start({ until: 'live', config: { policy: { ...policy, bundle: '/nonexistent/bundle.tar.gz' } } });
    const ready = await probe(service.operationsPort, '/readyz');
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.body)).toMatchObject({ ready: false, parts: { policy: 'not_loaded' } });
    expect(await decide(service, HEALTH)).toMatchObject({
      status: 200,
      body: { decision: 'deny', error: { code: 'policy_not_loaded' }, response: { status: 503 } },
    });
    const client = await connectGrpc(`http://127.0.0.1:${service.grpcPort}`);
    const check = checkOf(await client.unary(CHECK, encodeCheck({ http: { method: 'GET', path: '/health', host: 'api.example' } })));
    client.session.destroy();
    expect(check).toMatchObject({ code: 13, denied: { status: 503 }, ok: null, error: null });
  });
});

describe('without its outside systems', () => {
  it('[asks 73] starts and decides with Redis and the key server away, and says so', async () => {
    const away = 'http://127.0.0.1:9/jwks.json';
    const service = await start({
      config: {
        policy,
        store: { kind: 'redis', url: 'redis://127.0.0.1:9' },
        identity: { issuers: [{ issuer: 'https://as.example', audiences: ['api'], jwksUrl: away }] },
      },
    });
    expect(JSON.parse((await probe(service.operationsPort, '/readyz')).body)).toEqual({
      ready: true,
      parts: { policy: 'ready', keys: 'not_fetched', store: 'unavailable', draining: false },
    });
    expect(await decide(service, HEALTH)).toMatchObject({ body: { decision: 'allow' } });
  });
});

describe('SIGTERM', () => {
  it('is told by health and readiness first, while requests are still answered, and ends with 0', async () => {
    const service = await start({ config: { policy, drain: { noticeMs: 700, boundMs: 2000 } } });
    const client = await connectGrpc(`http://127.0.0.1:${service.grpcPort}`);
    const serving = async () => (await client.unary('/grpc.health.v1.Health/Check', Buffer.alloc(0))).messages[0]?.[1];
    expect(await serving()).toBe(1);
    const ended = service.child.stop('SIGTERM', 10_000);
    await expect.poll(() => serving()).toBe(2);
    expect(await probe(service.operationsPort, '/readyz')).toMatchObject({ status: 503 });
    expect((await probe(service.operationsPort, '/livez')).status).toBe(200);
    expect(await decide(service, HEALTH)).toMatchObject({ body: { decision: 'allow' } });
    expect((await ended).code).toBe(0);
    client.session.destroy();
    expect(service.output().match(/"kind":"decision"/g)).toHaveLength(1);
  });
});
