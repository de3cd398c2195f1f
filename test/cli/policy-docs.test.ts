import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FINDINGS } from '../../src/authoring/finding.ts';
import { IMPORT_NOTES } from '../../src/authoring/routes/catalogue.ts';
import { POLICIES, PROJECT_ROOT } from '../decide/fixtures.ts';
import { startAdminServer } from '../support/admin-server.ts';
import { commandsOf, outputPattern, runCommand } from '../support/doc-commands.ts';
import { fencedBlocks } from '../support/markdown.ts';

/* Every command of docs/policy-cli.md runs, in its order, in a folder with what the page shows, and prints what the page says. */

const TEXT = readFileSync(join(PROJECT_ROOT, 'docs/policy-cli.md'), 'utf8');
const SHOWN_URL = 'https://countersign.internal:9090';
const folder = mkdtempSync(join(tmpdir(), 'countersign-policy-cli-docs-'));
let admin: Awaited<ReturnType<typeof startAdminServer>>;

/** Blocks that the page gives a file name in the line before: `name`. */
const FILE = /`([a-z]+\.(?:yaml|json|rego))`[^`\n]*:\n\n```[a-z]+\n([\s\S]*?)^```$/gm;
const FILE_IN = /file `([a-z]+\.yaml)` in the folder `([a-z]+)`:\n\n```[a-z]+\n([\s\S]*?)^```$/m;

beforeAll(async () => {
  const withdrawn = '{"name":"default","candidate":{"revision":"r1","state":"resting"}}';
  admin = await startAdminServer(({ path }) => ({
    status: 200,
    body: path.endsWith('/withdraw') ? withdrawn : '{"name":"default","revision":"r1"}',
  }));
  for (const name of ['policies', 'before']) cpSync(POLICIES, join(folder, name), { recursive: true });
  for (const [, name = '', text = ''] of TEXT.matchAll(FILE)) writeFileSync(join(folder, name), text);
  const [, file = '', parent = '', text = ''] = FILE_IN.exec(TEXT) ?? [];
  mkdirSync(join(folder, parent));
  writeFileSync(join(folder, parent, file), text);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(join(folder, 'signing-key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(folder, 'operator-token'), 'a-token\n');
});
afterAll(async () => {
  await admin.stop();
  rmSync(folder, { recursive: true });
});

const shown = fencedBlocks(TEXT)
  .filter(({ info }) => info === 'console')
  .flatMap(({ text }) => commandsOf(text));

describe('docs/policy-cli.md', () => {
  it('shows every command, and names every code', () => {
    for (const name of [
      'init',
      'check',
      'test',
      'eval',
      'bench',
      'build',
      'inspect',
      'diff',
      'routes import',
      'push',
      'rollback',
      'promote',
      'withdraw',
    ])
      expect(
        shown.some(({ command }) => command.includes(`countersign policy ${name} `)),
        name,
      ).toBe(true);
    for (const code of [...Object.keys(FINDINGS), ...Object.keys(IMPORT_NOTES)]) expect(TEXT).toContain(`\`${code}\``);
  });

  it.each(shown)('$command', { timeout: 120_000 }, async ({ command, output }) => {
    const ran = await runCommand(command.replace(SHOWN_URL, admin.url), folder);
    expect(ran.output).toMatch(outputPattern(output));
    expect(ran.code).toBe(output.some((line) => / findings; /.test(line)) ? 1 : 0);
  });
});
