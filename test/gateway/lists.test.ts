import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import { send } from '../support/http-client.ts';
import { createWorld, jsonObject, type World } from './world.ts';

/* The service as its own process, with a list in a file, one on a real HTTP server, and one that nobody has. */

const TOKEN = 'operator-token-of-the-lists-test';
let world: World;
let service: Countersign;
let server: Server;
let file: string;
let asked = 0;

beforeAll(async () => {
  world = await createWorld();
  file = join(world.directory, 'drop.txt');
  writeFileSync(file, '; DROP\n198.18.0.0/16 ; SBL1\n2001:db8:7::/48\n198.51.100.1\n');
  server = createServer((request, response) => {
    asked += 1;
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
    else response.writeHead(200, { etag: '"1"' }).end('{"ip":"203.0.113.9"}\n{"type":"metadata"}\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}/tor.jsonl`;
  service = await world.service({
    operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update(TOKEN).digest('hex') }] },
    network: {
      lists: [
        { name: 'drop', file, format: 'drop', tags: ['malicious'], badLinesMax: 0.5 },
        { name: 'tor', url, format: 'jsonl', field: 'ip', tags: ['tor_exit'], kinds: ['tor'], refreshSeconds: 10 },
        { name: 'lost', file: join(world.directory, 'none'), tags: ['partner'] },
      ],
    },
  });
});
afterAll(async () => {
  await world.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function decide(ip: string): Promise<Record<string, unknown>> {
  const body = JSON.stringify({
    request: { method: 'GET', scheme: 'https', host: 'api.example.com', path: '/catalogue' },
    source: { ip, forwarded_for: [ip] },
  });
  const headers = ['content-type', 'application/json'];
  return jsonObject((await send(service.httpPort, { method: 'POST', path: '/decide?explain=true', headers, body })).body);
}

async function listStatus(): Promise<Record<string, unknown>[]> {
  const response = await fetch(`http://127.0.0.1:${service.operationsPort}/status`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const { enrich } = jsonObject(await response.text());
  const lists: unknown = typeof enrich === 'object' && enrich !== null && 'lists' in enrich ? enrich.lists : [];
  return Array.isArray(lists) ? lists : [];
}

it('decides by them, and explains by which', async () => {
  await vi.waitFor(async () => expect(await listStatus()).toMatchObject([{ state: 'ready' }, { state: 'ready' }, {}, {}]), {
    timeout: 10_000,
  });
  const lost = { name: 'lost', tags: ['partner'], code: 'never_loaded' };
  expect(await decide('198.18.200.1')).toMatchObject({
    decision: 'deny',
    reasons: [{ code: 'network.list_hit' }],
    signals: { network: { value: { lists: [{ name: 'drop', tags: ['malicious'], stale: false }], lists_unavailable: [lost] } } },
    response: { status: 403 },
  });
  expect(await decide('2001:db8:7::1')).toMatchObject({ decision: 'deny', reasons: [{ code: 'network.list_hit' }] });
  expect(await decide('203.0.113.9')).toMatchObject({
    decision: 'step_up',
    reasons: [{ code: 'network.list_hit' }],
    signals: { network: { value: { kinds: ['tor'], lists: [{ name: 'tor' }] } } },
  });
  expect(await decide('203.0.113.10')).toMatchObject({ decision: 'allow', signals: { network: { value: { lists: [] } } } });
});

it('says how they are, to operators and to scrapes', async () => {
  expect(await listStatus()).toMatchObject([
    { name: 'drop', state: 'ready', entries: 2, bad_lines: 1 },
    { name: 'tor', state: 'ready', entries: 1 },
    { name: 'lost', state: 'never_loaded', last_error: 'fetch_failed', age_seconds: null },
    { name: 'builtin:hosting_asns', kind: 'asns', state: 'ready' },
  ]);
  const metrics = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
  expect(metrics).toContain('countersign_list_state{list="lost",state="never_loaded"} 1');
  expect(metrics).toContain('countersign_list_entries{list="drop"} 2');
});

it('takes a file that was renamed over the old one, and asks the server by its ETag', async () => {
  writeFileSync(join(world.directory, 'next'), '192.0.2.0/24\n192.0.3.0/24\n');
  renameSync(join(world.directory, 'next'), file);
  await vi.waitFor(async () => expect(await decide('192.0.2.1')).toMatchObject({ decision: 'deny' }), { timeout: 10_000, interval: 200 });
  expect(await decide('198.18.200.1')).toMatchObject({ decision: 'allow' });
  await vi.waitFor(() => expect(asked).toBeGreaterThan(1), { timeout: 20_000, interval: 200 });
  expect((await listStatus())[1]).toMatchObject({ state: 'ready', last_error: null });
});
