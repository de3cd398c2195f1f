import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AdminFolder, createAdminFolder, decide, startAdminService } from './support/admin-service.ts';
import { type Countersign, PROJECT_ROOT } from './support/countersign.ts';
import { fencedBlocks } from './support/markdown.ts';

const run = promisify(execFile);
let folder: AdminFolder;
let service: Countersign;

beforeAll(async () => {
  folder = await createAdminFolder();
  service = await startAdminService(folder, 'explain-docs');
});
afterAll(async () => {
  await service.stop();
  folder.remove();
});

test('docs/explain.md: its commands work as they stand, and answer the members that its table names', async () => {
  const text = readFileSync(join(PROJECT_ROOT, 'docs/explain.md'), 'utf8');
  const commands = fencedBlocks(text).filter(({ info }) => info === 'sh');
  expect(commands).toHaveLength(2);
  const decided = await decide(service.httpPort, '/orders/42');
  const ADMIN = `http://127.0.0.1:${service.operationsPort}/admin/v1`;
  const env = { ...process.env, TOKEN: 'operator-token', ADMIN, DECISION_ID: String(decided['decision_id']) };
  const members = [...text.matchAll(/^\| `explanation\.(\w+)`/gm)].map(([, name]) => name);
  for (const { text: command } of commands) {
    const { stdout } = await run('sh', ['-euc', command], { env });
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ decision: 'deny', reasons: decided['reasons'], signals: {}, verdicts: expect.any(Array) });
    expect(Object.keys(answer.explanation).sort()).toEqual([...members].sort());
  }
});
