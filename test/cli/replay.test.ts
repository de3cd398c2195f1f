import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { createReplayTools } from '../../src/compose/replay-tools.ts';
import { loadCases } from '../cases/load.ts';
import { bundleWith, editBundle } from '../decide/bundles.ts';
import { baseBundle, createTestPolicies } from '../decide/fixtures.ts';
import { lineOfCase } from '../replay/recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-replay-'));
const at = (name: string): string => join(folder, name);
const cases = loadCases().filter(({ levels }) => levels.includes('wasm'));

beforeAll(async () => {
  const base = await baseBundle();
  const policy = await createTestPolicies().activate('default', base);
  writeFileSync(at('base.tar.gz'), base);
  writeFileSync(at('broken.tar.gz'), 'no bundle');
  writeFileSync(at('log.jsonl'), cases.map((one) => `${JSON.stringify(lineOfCase(policy, one, 'full'))}\n`).join(''));
  const rule =
    '# METADATA\n# title: No\npackage countersign.rules.acme.no\n\nverdict := "deny" if input.evidence.agreement.client == "single"\n\nverdict := "clear" if input.evidence.agreement.client != "single"\n';
  writeFileSync(at('stricter.tar.gz'), await bundleWith({ 'countersign/rules/acme/no.rego': rule }));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(['replay', ...args], {
    version: '1.2.3',
    serve: () => Promise.reject(new Error('not asked for')),
    checkList: () => expect.fail(),
    replay: createReplayTools(),
    randomBytes: () => expect.fail(),
    geoip: { inspect: () => expect.fail(), update: () => expect.fail() },
    stdin: Readable.from([]),
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

const LOG = ['--log', at('log.jsonl')];

describe('countersign replay', () => {
  it('ends with 0 where nothing changes', async () => {
    const { code, stdout, stderr } = await run(...LOG, '--policy', at('base.tar.gz'), '--max-changes', '0', '--max-not-replayable', '0');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`records         ${cases.length}, replayed ${cases.length} (100%)\nsame            ${cases.length} (100%)\n`);
  });

  it('says what changes, for whom, and where', async () => {
    const { code, stdout } = await run(...LOG, '--policy', at('stricter.tar.gz'), '--max-new-denies', '0.1%', '--examples', '1');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /\n\d+ records: allow access\.scope_granted -> deny 403 acme\.no\n {2}clients {3}\S+ \d+.*\n {2}examples {2}\S+\n/,
    );
    expect(stdout).toMatch(/\nover the threshold:\n {2}--max-new-denies 0\.1%: \d+ records\n$/);
    expect((await run(...LOG, '--policy', at('stricter.tar.gz'))).code).toBe(0);
    expect((await run(...LOG, '--policy', at('stricter.tar.gz'), '--max-new-denies', '100%')).code).toBe(0);
  });

  it('the JSON has the same', async () => {
    const { stdout } = await run(...LOG, '--policy', at('stricter.tar.gz'), '--json', '--max-changes', '0');
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ records: cases.length, exceeded: [{ option: '--max-changes', limit: '0' }] });
    expect(report.same + report.changed).toBe(report.replayed);
    expect(report.new_denies + report.new_step_ups + report.new_allows + report.not_enforced + report.other_reasons).toBe(report.changed);
    expect(report).toMatchObject({ policy_revision_is_hash: true, broken_logs: [] });
    expect(report.changes.reduce((sum: number, { records }: { records: number }) => sum + records, 0)).toBe(report.changed);
  });

  it('a log that breaks off ends with 66, whatever of it could be read', async () => {
    const packed = gzipSync(readFileSync(at('log.jsonl')));
    writeFileSync(at('cut.gz'), packed.subarray(0, packed.byteLength >> 1));
    const { code, stdout, stderr } = await run(...LOG, at('cut.gz'), '--policy', at('base.tar.gz'), '--max-changes', '0');
    expect([code, stderr]).toEqual([66, 'Not read to the end: cut.gz\n']);
    expect(stdout).toMatch(/\n {2}cut\.gz:\d+ gzip_broken\n/);
  });

  it('lines that cannot be read have a threshold too', async () => {
    writeFileSync(at('torn.jsonl'), `${readFileSync(at('log.jsonl'), 'utf8')}{"kind":"dec\n`);
    const torn = ['--log', at('torn.jsonl'), '--policy', at('base.tar.gz')];
    expect((await run(...torn)).code).toBe(0);
    const { code, stdout } = await run(...torn, '--max-damaged', '0');
    expect([code, stdout]).toEqual([1, expect.stringMatching(/\n {2}--max-damaged 0: 1 records\n$/)]);
  });

  it('a name of a revision that was chosen is said to prove nothing', async () => {
    const named = async (edit: (files: Map<string, Uint8Array | string>) => unknown): Promise<string> => {
      writeFileSync(at('named.tar.gz'), await editBundle(await baseBundle(), edit));
      return (await run(...LOG, '--policy', at('named.tar.gz'))).stdout;
    };
    expect(await named(() => undefined)).not.toContain('no proof');
    expect(await named((files) => files.set('README.md', 'another bundle'))).toContain('no proof that the policy is the same');
  });

  it('another policy has no records in the log', async () => {
    const { code, stdout, stderr } = await run(...LOG, '--policy', at('base.tar.gz'), '--name', 'acme');
    expect([code, stderr]).toEqual([65, 'No record of the policy "acme" could be replayed.\n']);
    expect(stdout).toContain(`other policies  ${cases.length}\n`);
  });

  it.each([
    ['a bundle that is none', 65, [...LOG, '--policy', at('broken.tar.gz')], /not gzip/],
    ['a bundle that is not there', 65, [...LOG, '--policy', at('none.tar.gz')], /file/],
    ['a log that is not there', 66, ['--log', at('none.jsonl'), '--policy', at('base.tar.gz')], /\(file\)/],
    ['an entry point that is not there', 65, [...LOG, '--policy', at('base.tar.gz'), '--entrypoint', 'a/b'], /a\/b/],
    ['no entry point', 64, [...LOG, '--policy', at('base.tar.gz'), '--contract', 'decision'], /--entrypoint/],
    ['a threshold that is none', 64, [...LOG, '--policy', at('base.tar.gz'), '--max-changes', 'few'], /whole number/],
    ['a contract that is none', 64, [...LOG, '--policy', at('base.tar.gz'), '--contract', 'opa'], /rules, decision, envoy/],
    ['no log', 64, ['--policy', at('base.tar.gz')], /--log/],
  ])('%s ends with %i', async (_name, code, args, text) => {
    const ran = await run(...args);
    expect(ran.code).toBe(code);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(text);
  });

  it('without opa a folder ends with 69', async () => {
    expect((await run(...LOG, '--policy', folder, '--opa', at('no-opa'))).code).toBe(69);
  });
});
