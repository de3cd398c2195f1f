import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newKey } from './support/assertion-keys.ts';
import { type Child, startChild, waitUntil } from './support/child.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from './support/countersign.ts';
import { runCommand } from './support/doc-commands.ts';
import { send } from './support/http-client.ts';
import { fencedBlocks } from './support/markdown.ts';
import { freePorts } from './support/ports.ts';

/* The examples of docs/applications.md, each as a process of its own, beside the real service. */

const TOKEN = 'token-of-the-application';
const folder = mkdtempSync(join(tmpdir(), 'countersign-applications-'));
const PAGE = readFileSync(join(PROJECT_ROOT, 'docs/applications.md'), 'utf8');
const examples = fencedBlocks(PAGE).filter(({ info }) => info === 'ts');
const running: Child[] = [];
let service: Countersign;

beforeAll(async () => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(PROJECT_ROOT, 'node_modules/express'), join(folder, 'node_modules/express'));
  service = await startCountersign({
    config: {
      publicUrl: 'https://countersign.example.com',
      assertion: { keys: [{ id: 'k1', pem: newKey('ES256').pem }] },
      peps: [{ name: 'orders', tokenSha256: createHash('sha256').update(TOKEN).digest('hex'), trusts: ['client_address'] }],
      policy: { bundle: join(PROJECT_ROOT, 'policies') },
    },
  });
});
afterAll(async () => {
  for (const child of running) await child.stop('SIGTERM', 5000);
  await service.stop();
  rmSync(folder, { recursive: true });
});

/** The example as the page has it, but for ports and the place of the package. */
function start(index: number, port = 0): Child {
  const text = (examples[index]?.text ?? '')
    .replaceAll(/'countersign\/(client|express|assertion)'/g, (_all, name) => `'${join(PROJECT_ROOT, 'src/client', name)}.ts'`)
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${service.httpPort}`)
    .replace('listen(3000,', `listen(${port},`);
  const file = join(folder, `example-${index}.ts`);
  writeFileSync(file, text);
  const child = startChild(process.execPath, [file], { cwd: folder, env: { COUNTERSIGN_TOKEN: TOKEN } });
  running.push(child);
  return child;
}
async function listening(index: number): Promise<{ readonly port: number; readonly child: Child }> {
  const [port = 0] = await freePorts(1);
  const child = start(index, port);
  await waitUntil('example', child, async () => (await send(port, { path: '/' })).status >= 400);
  return { port, child };
}

test('there are three', () => expect(examples).toHaveLength(3));

test('the middleware answers what Countersign says', async () => {
  const { port, child } = await listening(0);
  const refused = await send(port, { path: '/orders/7', headers: ['x-countersign-subject', 'root'] });
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Bearer')]);
  // public in the base pack, and nothing that the application has
  expect((await send(port, { path: '/health' })).status).toBe(404);
  expect(child.stdout()).toMatch(/effect: 'allow',\s+failure: null/);
});

test('the client says what was decided', async () => {
  const child = start(1);
  await child.exited;
  expect(child.stdout()).toMatch(/^allowed [0-9a-f-]{36}\n$/);
});

test('the document is where the page says', async () => {
  const [command = ''] = fencedBlocks(PAGE).flatMap(({ info, text }) => (info === 'sh' ? [text] : []));
  const { output } = await runCommand(command.replace('127.0.0.1:8080', `127.0.0.1:${service.httpPort}`), folder);
  expect(output).toBe(readFileSync(join(PROJECT_ROOT, 'docs/openapi.json'), 'utf8'));
});

test('the guard lets pass what has an assertion, and nothing else', async () => {
  const { port, child } = await listening(2);
  expect((await send(port, { path: '/orders/7' })).status).toBe(403);
  const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ request: { method: 'GET', host: 'api.example', path: '/health' } }),
  });
  const assertion: unknown = Object(Object(await answer.json()).upstream).headers_to_set['x-countersign-assertion'];
  expect((await send(port, { path: '/orders/7', headers: ['x-countersign-assertion', String(assertion)] })).status).toBe(403);
  expect(child.stdout().trim().split('\n').slice(-2)).toEqual(['assertion_missing', 'assertion_audience']);
});
