import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Listener } from '../../../src/contract/lifecycle.ts';
import type { Readiness } from '../../../src/contract/status.ts';
import { createOperationsServer, type OperationsServerOptions } from '../../../src/endpoints/operations/operations-server.ts';
import { createMemoryLogger, sha256 } from '../fixtures.ts';
import { CACHE, STATUS } from './status-fixture.ts';

const PARTS: Readiness['parts'] = { policy: 'ready', keys: 'ready', store: 'ready', draining: false };

let readiness: Readiness = { ready: true, parts: PARTS };
let metrics: OperationsServerOptions['metrics'] = async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'up 1\n' });
const logger = createMemoryLogger();
let listener: Listener;
let url: string;
beforeAll(async () => {
  listener = createOperationsServer({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'ops', role: 'viewer', tokenSha256: sha256('ops-token').toUpperCase() }],
    readiness: () => readiness,
    status: () => STATUS,
    metrics: () => metrics(),
    logger,
  });
  url = `http://127.0.0.1:${(await listener.start()).port}`;
});
afterAll(() => listener.stop(1000));

describe('open to everybody', () => {
  test('/livez lives whatever the parts say', async () => {
    readiness = { ready: false, parts: { ...PARTS, policy: 'not_loaded' } };
    const answer = await fetch(`${url}/livez`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'live' }]);
  });

  test.each<[number, Readiness]>([
    [200, { ready: true, parts: PARTS }],
    [200, { ready: true, parts: { ...PARTS, store: 'unavailable' } }],
    [503, { ready: false, parts: { ...PARTS, policy: 'not_loaded' } }],
    [503, { ready: false, parts: { ...PARTS, draining: true } }],
  ])('[asks 53] /readyz %i tells its parts apart: %j', async (status, now) => {
    readiness = now;
    const answer = await fetch(`${url}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([status, now]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('/metrics has the content type of its maker, and a failure of it is a 503 and a log line', async () => {
    const answer = await fetch(`${url}/metrics`);
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['text/plain; version=0.0.4; charset=utf-8', 'up 1\n']);
    metrics = () => Promise.reject(new Error('broken'));
    const failed = await fetch(`${url}/metrics`);
    expect([failed.status, await failed.json()]).toMatchObject([503, { code: 'internal_error' }]);
    expect(logger.lines.filter((line) => line.event === 'http_route_failed')).toHaveLength(1);
  });
});

describe('/status', () => {
  test.each([undefined, 'Bearer wrong', 'Basic b3BzLXRva2Vu', 'Bearer', 'ops-token', 'Bearer ops-token x'])(
    '401 for %j',
    async (authorization) => {
      const answer = await fetch(`${url}/status`, authorization === undefined ? {} : { headers: { authorization } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="Countersign operations"');
      expect([answer.status, await answer.json()]).toMatchObject([401, { code: 'operator_unauthenticated' }]);
    },
  );

  test('[asks 100] by token, in snake_case, and says that it is strict', async () => {
    const answer = await fetch(`${url}/status`, { headers: { authorization: 'Bearer ops-token' } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      version: '0.1.0',
      started_at: 1_700_000_000,
      draining: false,
      policies: [{ name: 'default', state: 'active', revision: 'r1', activated_at: 1, rules: 2, routes: 3, last_error: null }],
      identify: {
        key_sets: [],
        token_cache: CACHE,
        negative_cache: CACHE,
        certificate_cache: CACHE,
        certificates: { trust_bundles: [], crls: [], denied: { state: 'none', entries: 0 } },
        txn_token_cache: CACHE,
        proof_key_cache: CACHE,
        replays: { kind: 'memory', state: 'ready', entries: 0, last_error: null },
        signatures: null,
      },
      enrich: {
        databases: [],
        store: { kind: 'memory', state: 'ready', entries: 0, last_error: null },
        lists: [],
        remembered: { entries: {}, feedback: null },
      },
      record: { written: 1, dropped: 0 },
      strict: true,
    });
  });

  test('without tokens nobody gets it', async () => {
    const closed = createOperationsServer({
      host: '127.0.0.1',
      port: 0,
      tokens: [],
      readiness: () => readiness,
      status: () => STATUS,
      metrics,
      logger,
    });
    const { port } = await closed.start();
    expect((await fetch(`http://127.0.0.1:${port}/status`, { headers: { authorization: 'Bearer ' } })).status).toBe(401);
    await closed.stop(1000);
  });
});

test.each(['/livez', '/readyz', '/metrics', '/status'])('%s is read only', async (path) => {
  const answer = await fetch(`${url}${path}`, { method: 'POST' });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test.each(['/', '/livez/', '/LIVEZ', '/admin', '/%zz'])('%s is nothing', async (path) => {
  const answer = await fetch(`${url}${path}`);
  expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'not_found' }]);
});
