import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { checkListFile } from '../../src/compose/command-tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-lists-'));
function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}
const GOOD = write('good', '# x\n192.0.2.0/24\n192.0.2.7\n2001:db8::/32\n');
const BAD = write('bad', '192.0.2.1\n010.0.0.1\n0.0.0.0/0\n');
const CSV = write('csv', 'ip,asn\n192.0.2.1,64496\n');
const JSONL = write('jsonl', '{"asn":64496}\n');

async function run(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(['lists', 'check', ...args], {
    version: '1.2.3',
    serve: () => Promise.reject(new Error('not asked for')),
    checkList: checkListFile,
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

describe('countersign lists check', () => {
  it('says what is in a good list', async () => {
    const { code, stdout, stderr } = await run(GOOD);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^good\nentries {6}3\nipv4 ranges {2}1\nipv6 ranges {2}1\nasns {9}0\nbad lines {4}0\nsha256 {7}[0-9a-f]{64}\n$/);
  });

  it('names the lines of a bad one, and ends with 65', async () => {
    const { code, stdout, stderr } = await run(BAD);
    expect(code).toBe(65);
    expect(stdout).toContain('refused: The list does not have the required form (2 of 3 lines are wrong)\n');
    expect(stderr).toBe('line 2: not an address, block or range\nline 3: too wide\n');
    expect((await run('--bad-lines-max', '0.7', BAD)).code).toBe(0);
    expect((await run('--bad-lines-max', '0.4', '--allow-wide', BAD)).code).toBe(0);
    expect((await run('--entries-min', '4', GOOD)).code).toBe(65);
    expect((await run('--entries-max', '2', GOOD)).code).toBe(65);
  });

  it('prints JSON', async () => {
    const { code, stdout, stderr } = await run('--json', BAD);
    expect([code, stderr]).toEqual([65, '']);
    expect(JSON.parse(stdout)).toEqual({
      refused: 'The list does not have the required form (2 of 3 lines are wrong)',
      ...{ entries: 1, ipv4_ranges: 1, ipv6_ranges: 0, asns: 0, bad_lines: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      problems: [
        { line: 2, problem: 'not an address, block or range' },
        { line: 3, problem: 'too wide' },
      ],
    });
  });

  it('reads columns and members, of addresses and of AS numbers', async () => {
    expect((await run('--format', 'csv', '--column', 'ip', CSV)).stdout).toContain('ipv4 ranges  1\n');
    expect((await run('--format', 'csv', '--column', '2', '--kind', 'asns', '--bad-lines-max', '0.5', CSV)).stdout).toContain(
      'asns         1\n',
    );
    expect((await run('--format', 'csv', '--column', 'none', CSV)).code).toBe(65);
    expect((await run('--format', 'jsonl', '--field', 'asn', '--kind', 'asns', JSONL)).stdout).toContain('asns         1\n');
  });

  it('ends with 66 where there is nothing to read, and does not show the path', async () => {
    expect(await run(join(folder, 'none'))).toEqual({ code: 66, stdout: '', stderr: 'The document could not be fetched (file)\n' });
  });

  it.each([
    [],
    [GOOD, BAD],
    ['--format', 'xml', GOOD],
    ['--format', 'csv', GOOD],
    ['--column', 'ip', GOOD],
    ['--format', 'jsonl', GOOD],
    ['--entries-min', '-1', GOOD],
    ['--bad-lines-max', '2', GOOD],
    ['--entries-max', '', GOOD],
  ])('refuses %j with 64', async (...args) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toContain('error:');
  });
});
