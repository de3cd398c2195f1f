import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AdminFolder, createAdminFolder, decide, revisedBundle, startAdminService } from './support/admin-service.ts';
import { type Countersign, PROJECT_ROOT } from './support/countersign.ts';
import { fencedBlocks } from './support/markdown.ts';

const run = promisify(execFile);
let folder: AdminFolder;
let service: Countersign;

beforeAll(async () => {
  folder = await createAdminFolder();
  service = await startAdminService(folder, 'docs');
  mkdirSync(join(folder.path, 'desk'));
  writeFileSync(join(folder.path, 'desk', 'bundle.tar.gz'), await revisedBundle('r2'));
});
afterAll(async () => {
  await service.stop();
  folder.remove();
});

/** A shell in the folder of the bundle, as the reader of the page has it. */
async function shell(text: string): Promise<string> {
  const env = { ...process.env, TOKEN: 'admin-token', ADMIN: `http://127.0.0.1:${service.operationsPort}/admin/v1` };
  const { stdout } = await run('sh', ['-euc', text], { cwd: join(folder.path, 'desk'), env });
  return stdout;
}

test('docs/admin.md: every command works as it stands, one after the other', async () => {
  const blocks = fencedBlocks(readFileSync(join(PROJECT_ROOT, 'docs/admin.md'), 'utf8')).filter(({ info }) => info === 'sh');
  expect(blocks).toHaveLength(4);
  const [policies = '', data = '', revocations = '', exceptions = ''] = blocks.map(({ text }) => text);
  expect(await shell(policies)).toMatch(/"revision":"r2"\}\{"name":"default","revision":"(?!r2)/);
  const said = await shell(data);
  expect(said).toMatch(/etag: "[\w-]{22}"\r\n/i);
  expect(said).toContain('"by":"admin-1"');
  expect(await decide(service.httpPort, '/orders/1', '203.0.113.7')).toMatchObject({ reasons: [{ code: 'network.address_blocked' }, {}] });
  expect(await shell(revocations)).toMatch(/"client":"stolen-laptop","reason":"INC-7".*"kind":"issued_before".*"subject":"alice"/s);
  const [put = '', take = ''] = exceptions.split('\n');
  await shell(put);
  expect(await decide(service.httpPort, '/orders/1', '198.51.100.9')).toMatchObject({
    exceptions: [{ id: 'inc-7', rules: ['network.address_blocked'] }],
  });
  await shell(take);
  expect(await decide(service.httpPort, '/orders/1', '198.51.100.9')).not.toHaveProperty('exceptions');
});
