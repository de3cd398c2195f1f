import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Case } from '../../src/cases/schema.ts';
import { NOT_REPLAYABLE } from '../../src/decide/recorded/recorded-decision.ts';
import { loadCases } from '../cases/load.ts';
import { baseBundle, createTestPolicies, OPA_BIN, POLICIES, PROJECT_ROOT } from '../decide/fixtures.ts';
import { fencedBlocks } from '../support/markdown.ts';
import { copyPolicies } from '../support/policy-directory.ts';
import { lineOfCase } from './recorded.ts';

/* Every command of docs/replay.md runs on a log of a thousand decisions, and prints what the page says. */

const TEXT = readFileSync(join(PROJECT_ROOT, 'docs/replay.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'countersign-replay-docs-'));

function caseOf(wanted: (one: Case) => boolean): Case {
  const found = loadCases().find((one) => one.levels.includes('wasm') && wanted(one));
  if (found === undefined) throw new Error('no such case');
  return found;
}

beforeAll(async () => {
  const base = await baseBundle();
  const policy = await createTestPolicies().activate('default', base);
  const traffic = [
    [993, caseOf(({ want }) => want.effect === 'allow' && want.record.route === 'orders_read')],
    [4, caseOf(({ want }) => want.effect === 'allow' && want.record.route === 'catalogue')],
    [3, caseOf(({ want }) => want.reasons[0] === 'identity.token_required' && want.record.route === 'orders_read')],
  ] as const;
  let written = 0;
  const lines = traffic.flatMap(([times, one]) => {
    const line = lineOfCase(policy, one, 'referenced');
    return Array.from({ length: times }, () => {
      const id = `019bf2c0-7a11-7000-8000-${(written++).toString(16).padStart(12, '0')}`;
      return JSON.stringify({ ...line, decision_id: id });
    });
  });
  writeFileSync(join(folder, 'decisions.jsonl'), `${lines.join('\n')}\n{"kind":"decision","time":"2026-`);
  mkdirSync(join(folder, 'policies'));
  const routes: Record<string, object> = parse(readFileSync(join(POLICIES, 'countersign/routes/data.yaml'), 'utf8'));
  copyPolicies(join(folder, 'policies'), { limits: { counters: { by_tenant: { key: ['header:x-tenant'] } } } });
  const closed = { ...routes, catalogue: { ...routes['catalogue'], public: false, tier: 'medium' } };
  writeFileSync(join(folder, 'policies/countersign/routes/data.yaml'), JSON.stringify(closed));
  mkdirSync(join(folder, 'stricter'));
  copyPolicies(join(folder, 'stricter'), {});
  mkdirSync(join(folder, 'stricter/countersign/rules/acme'));
  writeFileSync(
    join(folder, 'stricter/countersign/rules/acme/acr.rego'),
    fencedBlocks(TEXT).find(({ info }) => info === 'rego')?.text ?? '',
  );
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const shown = fencedBlocks(TEXT)
  .filter(({ info }) => info === 'console')
  .flatMap(({ text }) => text.split(/^\$ /m).slice(1))
  .map((entry) => {
    const [command = '', ...output] = entry.trimEnd().split('\n');
    return { command, output };
  });

/** Runs a line as a shell does, with `countersign` as the process that it is. */
function run(line: string): Promise<string> {
  const countersign = `countersign() { ${JSON.stringify(process.execPath)} ${JSON.stringify(join(PROJECT_ROOT, 'src/main.ts'))} "$@"; }`;
  const env = { ...process.env, OPA_BIN };
  return new Promise((done) => {
    execFile('bash', ['-c', `${countersign}\nexec 2>&1\n${line}`], { cwd: folder, env }, (_error, output) => done(output));
  });
}

/** The output as the page has it; `…` is anything in a line. */
function patternOf(output: readonly string[]): RegExp {
  const lines = output.map((line) =>
    line
      .split('…')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.*'),
  );
  return new RegExp(`^${lines.join('\n')}\n$`);
}

describe('docs/replay.md', () => {
  it.each(shown)('$command', { timeout: 120_000 }, async ({ command, output }) => {
    expect(await run(command)).toMatch(patternOf(output));
  });

  it('explains why a record cannot be replayed, and every option', () => {
    expect(shown.length).toBeGreaterThan(1);
    for (const why of Object.keys(NOT_REPLAYABLE)) expect(TEXT).toContain(`| \`${why}\` |`);
    const help = readFileSync(join(PROJECT_ROOT, 'src/cli/replay.ts'), 'utf8');
    for (const [option = ''] of help.matchAll(/--[a-z-]+(?= <|')/g)) expect(TEXT).toContain(`\`${option}`);
  });
});
