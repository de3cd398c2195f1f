import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createAdminClient, OPERATORS } from './support/admin-client.ts';
import { type AdminFolder, createAdminFolder, linesOf, revisedBundle } from './support/admin-service.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from './support/countersign.ts';
import { fencedBlocks } from './support/markdown.ts';
import { policyJson } from './support/policy-cli.ts';

const run = promisify(execFile);
let folder: AdminFolder;
let service: Countersign;

beforeAll(async () => {
  folder = await createAdminFolder();
  const next = join(folder.path, 'next.tar.gz');
  writeFileSync(next, await revisedBundle('next'));
  service = await startCountersign({
    config: {
      operations: { tokens: OPERATORS },
      policy: { bundle: folder.bundle, candidate: { bundle: next } },
      policies: { plain: { bundle: folder.bundle } },
      peps: [{ name: 'local', anonymous: true }],
      drain: { noticeMs: 0, boundMs: 1000 },
    },
    until: 'ready',
  });
});
afterAll(async () => {
  await service.stop();
  folder.remove();
});

async function shell(text: string, token = 'admin-token'): Promise<string> {
  const env = { ...process.env, TOKEN: token, ADMIN: `http://127.0.0.1:${service.operationsPort}/admin/v1` };
  return (await run('sh', ['-euc', text], { env })).stdout;
}
const shown = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await shell('curl -fsS -H "authorization: Bearer $TOKEN" "$ADMIN/policies/default"', 'viewer-token'));

test('docs/rollout.md: the candidate is promoted and taken back by the commands as they stand', async () => {
  const blocks = fencedBlocks(readFileSync(join(PROJECT_ROOT, 'docs/rollout.md'), 'utf8')).filter(({ info }) => info === 'sh');
  expect(blocks).toHaveLength(1);
  const { revision } = await shown();
  // readiness does not wait for it
  const ready = { candidate: { state: 'ready', revision: 'next', last_error: null } };
  await vi.waitFor(async () => expect(await shown()).toMatchObject(ready), { timeout: 10_000, interval: 100 });
  const back = JSON.stringify({ name: 'default', revision });
  expect(await shell(blocks[0]?.text ?? '')).toBe(`{"name":"default","revision":"next"}${back}`);
  expect(await shown()).toMatchObject({ revision, candidate: { state: 'resting', revision: 'next' } });
  const away = await shell('curl -fsS -X POST -H "authorization: Bearer $TOKEN" "$ADMIN/policies/default/withdraw"', 'operator-token');
  expect(away).toBe('{"name":"default","candidate":{"revision":"next","state":"resting"}}');
  expect(linesOf(service, 'admin_change').map(({ action, before, after }) => [action, before, after])).toEqual([
    ['policy_promote', revision, 'next'],
    ['policy_rollback', 'next', revision],
    ['candidate_withdraw', 'next', null],
  ]);
});

test.each([
  ['another candidate than was looked at', 'policies/default/promote', { revision: 'gone' }, 404, 'revision_unknown'],
  ['an unknown member', 'policies/default/promote', { to: 'next' }, 400, 'request_invalid'],
  ['a policy without one', 'policies/plain/promote', {}, 404, 'candidate_missing'],
  ['a policy without one', 'policies/plain/withdraw', undefined, 404, 'candidate_missing'],
  ['no policy', 'policies/other/withdraw', undefined, 404, 'policy_not_configured'],
])('%s: %s is refused', async (_name, path, body, status, code) => {
  const before = await shown();
  const { json, ...answer } = await createAdminClient(service.operationsPort)(path, { method: 'POST', body });
  expect([answer.status, json['code']]).toEqual([status, code]);
  expect(await shown()).toEqual(before);
});

test('`countersign policy promote` and `withdraw` ask for the same', async () => {
  const { revision } = await shown();
  const target = ['default', '--url', `http://127.0.0.1:${service.operationsPort}`, '--token-env', 'ADMIN_ROLLOUT_TOKEN'];
  process.env['ADMIN_ROLLOUT_TOKEN'] = 'admin-token';
  const ran = async (command: string, ...more: readonly string[]) => (await policyJson([command, ...target, ...more])).said;
  // it rests by now, and an admin may promote it all the same
  expect(await ran('promote', '--revision', 'gone')).toMatchObject({ error: { code: 'revision_unknown' } });
  expect(await ran('promote', '--revision', 'next')).toEqual({ ok: true, name: 'default', revision: 'next' });
  expect(await ran('rollback')).toEqual({ ok: true, name: 'default', revision });
  expect(await ran('withdraw')).toEqual({ ok: true, name: 'default', revision: 'next' });
  Reflect.deleteProperty(process.env, 'ADMIN_ROLLOUT_TOKEN');
});
