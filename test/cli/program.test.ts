import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runProgram } from '../../src/cli/program.ts';
import type { Config } from '../../src/config/schema.ts';
import { createPepAuth } from '../../src/endpoints/pep-auth.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
const good = join(folder, 'good.yaml');
const bad = join(folder, 'bad.yaml');
writeFileSync(good, `http: {port: 18080}\npeps: [{name: edge, tokenSha256: "${'ab'.repeat(32)}"}]\n`);
writeFileSync(bad, 'http: {port: x, zone: 1}\n');

async function run(args: readonly string[], input: readonly (string | Uint8Array)[] = []) {
  const served: Config[] = [];
  let stdout = '';
  let stderr = '';
  const code = await runProgram(args, {
    version: '1.2.3',
    serve: async (config) => {
      served.push(config);
      return 7;
    },
    geoip: { inspect: () => expect.fail(), update: () => expect.fail() },
    checkList: () => Promise.reject(new Error('not asked for')),
    stdin: Readable.from(input),
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    randomBytes,
  });
  return { code, served, stdout, stderr };
}

describe('countersign', () => {
  it.each([[['--config', good]], [['serve', '--config', good]], [['serve', `--config=${good}`]]])(
    'serves by %j and ends as the service does',
    async (args) => {
      const { code, served, stdout, stderr } = await run(args);
      expect([code, stdout, stderr]).toEqual([7, '', '']);
      expect(served.map((config) => config.http.port)).toEqual([18_080]);
    },
  );

  it('prints the effective configuration and does not serve', async () => {
    const { code, served, stdout } = await run(['--config', good, '--print-config']);
    expect([code, served]).toEqual([0, []]);
    expect(parse(stdout)).toMatchObject({ http: { port: 18_080, bodyMaxBytes: 1_048_576 }, peps: [{ name: 'edge', tokenSha256: '***' }] });
  });

  it('ends with 78 and every problem where the configuration is refused', async () => {
    const { code, served, stderr } = await run(['--config', bad]);
    expect([code, served]).toEqual([78, []]);
    expect(stderr).toContain('http.port: ');
    expect(stderr).toContain('http.zone: ');
    expect((await run(['--config', join(folder, 'none.yaml')])).code).toBe(78);
  });

  it('tells its version, and how it is used', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: '1.2.3\n', served: [] });
    const { code, stdout } = await run(['serve', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--print-config');
  });

  it.each([[['--prot', '1']], [['server']], [['serve', 'x']], [['--config']], [['hash-token', 'secret']]])(
    'refuses %j with 64',
    async (args) => {
      const { code, served, stderr } = await run(args);
      expect([code, served]).toEqual([64, []]);
      expect(stderr).toContain('error:');
    },
  );
});

describe('countersign hash-token', () => {
  it.each([
    ['one piece', ['s3cret-token']],
    ['a line', ['s3cret-token\n']],
    ['a line of Windows', ['s3cret', '-token\r\n']],
  ])('hashes %s to what a gateway is known by', async (_what, input) => {
    const { code, stdout, stderr } = await run(['hash-token'], input);
    expect([code, stderr]).toEqual([0, '']);
    const options = {
      name: 'edge',
      anonymous: false,
      tokenSha256: stdout.trim(),
      certificate: null,
      trusts: [],
      policies: [],
      forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
      certificateHeader: null,
    };
    const auth = createPepAuth([options], ['default']);
    expect(auth.authenticate({ token: 's3cret-token', certificate: null })?.name).toBe('edge');
  });

  it.each([
    ['nothing', []],
    ['an empty line', ['\n']],
    ['two lines', ['a\nb\n']],
    ['a space', ['a b']],
    ['bytes', [new Uint8Array([0xff])]],
    ['too much', ['x'.repeat(70_000)]],
  ])('refuses %s, and repeats nothing of it', async (_what, input) => {
    const { code, stdout, stderr } = await run(['hash-token'], input);
    expect([code, stdout]).toEqual([65, '']);
    expect(stderr).toBe('A token is one line of printable ASCII without spaces, and not empty.\n');
  });
});
