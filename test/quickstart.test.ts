import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Child, startChild, waitUntil } from './support/child.ts';
import { PROJECT_ROOT } from './support/countersign.ts';
import { fencedBlocks } from './support/markdown.ts';
import { freePorts } from './support/ports.ts';

const sh = promisify(execFile);
const answer = z.looseObject({
  decision: z.string(),
  reasons: z.array(z.looseObject({ code: z.string(), effect: z.string() })).min(1),
  assurance: z.looseObject({}),
  response: z.looseObject({ status: z.number() }).optional(),
});
type Answer = z.infer<typeof answer>;

/** Runs a command as a reader would paste it. */
async function ask(command: string): Promise<Answer> {
  const { stdout } = await sh('sh', ['-c', command], { cwd: PROJECT_ROOT });
  return answer.parse(JSON.parse(stdout));
}

/** The fenced blocks of this language in one document. */
const blocks = (path: string, language: string): string[] =>
  fencedBlocks(readFileSync(join(PROJECT_ROOT, path), 'utf8'))
    .filter(({ info }) => info === language)
    .map(({ text }) => text);
/** Pages that ask another configuration, or the admin API: each has a test of its own that runs its commands. */
const TESTED_APART: ReadonlySet<string> = new Set([
  'docs/admin.md',
  'docs/applications.md',
  'docs/authzen.md',
  'docs/explain.md',
  'docs/rollout.md',
]);
const questions = globSync(['*.md', 'docs/**/*.md'], { cwd: PROJECT_ROOT })
  .flatMap((path) => blocks(path, 'sh').map((text) => ({ path, text })))
  .filter(({ path, text }) => text.startsWith('curl ') && !TESTED_APART.has(path));

describe('npm run quickstart', () => {
  let child: Child;
  let httpPort = 0;
  let commands: string[] = [];

  beforeAll(async () => {
    const [http = 0, grpc = 0, operations = 0] = await freePorts(3);
    httpPort = http;
    child = startChild(process.execPath, ['scripts/quickstart.mjs', '--no-install'], {
      cwd: PROJECT_ROOT,
      env: { COUNTERSIGN_HTTP_PORT: `${http}`, COUNTERSIGN_GRPC_PORT: `${grpc}`, COUNTERSIGN_OPERATIONS_PORT: `${operations}` },
    });
    await waitUntil('the quickstart', child, async () => child.stdout().includes('Ctrl-C'), 100_000);
    commands = child
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('curl '));
  });

  afterAll(async () => {
    await child.stop('SIGTERM');
  });

  test('says which Node.js and which OPA it uses', () => {
    expect(child.stdout()).toMatch(/^Node\.js \d+\.\d+\.\d+ runs this command\.$/m);
    expect(child.stdout()).toMatch(/^Everything else runs under Node\.js \d+\.\d+\.\d+\.$/m);
    expect(child.stdout()).toMatch(/^OPA 1\.22\.\d+ \(.+\) compiles the policies\.$/m);
  });

  test('prints three commands that give an allow, a deny and a step_up', async () => {
    const answers = await Promise.all(commands.map(ask));
    expect(answers.map(({ decision }) => decision)).toEqual(['allow', 'deny', 'step_up']);
    expect(answers.map(({ reasons }) => reasons[0]?.code)).toEqual([
      'access.scope_granted',
      'network.country_blocked',
      'identity.assurance_too_low',
    ]);
    expect(answers.map(({ response }) => response?.status)).toEqual([undefined, 403, 403]);
  });

  const here = (command: string): string => command.replace('127.0.0.1:8080', `127.0.0.1:${httpPort}`);

  test('answers the command of the README as the README shows', async () => {
    const command = questions.find(({ path }) => path === 'README.md')?.text ?? '';
    const [shown] = blocks('README.md', 'json').map((text): Answer => answer.parse(JSON.parse(text)));
    expect(constant(await ask(here(command)))).toEqual(constant(shown));
  });

  test.each(questions)('gives a decision to the command that $path shows', async ({ text }) => {
    expect((await ask(here(text))).decision).toMatch(/^(allow|deny|step_up)$/);
  });

  test('ends with 0 on Ctrl-C, which npm hands on a second time, and leaves nobody on its port', async () => {
    child.kill('SIGINT');
    expect(await child.stop('SIGINT', 15_000)).toEqual({ code: 0, signal: null });
    await expect(fetch(`http://127.0.0.1:${httpPort}/`)).rejects.toThrow();
  });
});

/** What is the same in two answers to the same question: all but the id and the revision; JSON has no order of names. */
function constant(one: Answer | undefined): unknown {
  const text = JSON.stringify(one);
  return JSON.parse(text.replaceAll(/"(decision_id|x-countersign-decision-id|revision)":"[^"]*"/g, '"$1":"…"'));
}
