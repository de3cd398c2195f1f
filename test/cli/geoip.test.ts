import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { runProgram } from '../../src/cli/program.ts';
import { createGeoipTools } from '../../src/compose/command-tools.ts';
import { FIXTURES } from '../stores/databases.ts';

/* The command line with the real tools: files in, text and exit codes out. */

const BUILT_AT = 1_767_225_600;
const CITY = join(FIXTURES, 'geo-city.mmdb');
const ASN = join(FIXTURES, 'geo-asn.mmdb');
const clock = { now: () => (BUILT_AT + 3 * 86_400) * 1000, monotonic: () => 0 };

async function run(...args: readonly string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(['geoip', ...args], {
    version: '1.2.3',
    serve: () => expect.fail('it serves'),
    geoip: createGeoipTools(clock),
    checkList: () => expect.fail('no list is asked for'),
    randomBytes: () => expect.fail(),
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

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'countersign-geoip-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

describe('countersign geoip check', () => {
  test('a table: what each file is and knows', async () => {
    const { code, stdout } = await run('check', CITY, ASN);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^FILE +STATE +TYPE +BUILT +AGE +SIZE +KNOWS +LICENCE$/);
    expect(lines[1]).toMatch(
      /geo-city\.mmdb +ready +GeoIP2-City +2026-01-01 +3 d +0\.0 MB +city,continent,country +MaxMind End User License Agreement$/,
    );
    expect(lines[2]).toMatch(/geo-asn\.mmdb +ready +GeoLite2-ASN .* as_org,asn +GeoLite2 End User License Agreement$/);
  });

  test('JSON, and 65 where one of the files is missing or broken', async () => {
    const text = join(folder(), 'text.mmdb');
    writeFileSync(text, 'x');
    const { code, stdout } = await run('check', '--json', ASN, text, '/none.mmdb');
    expect(code).toBe(65);
    const nothing = { type: null, built_at: null, age_seconds: null, ip_version: null, samples: 0, fields: [], licence: null };
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ file: ASN, state: 'ready', error: null, built_at: BUILT_AT, age_seconds: 259_200, ip_version: 6 }),
      { file: text, state: 'broken', error: 'format_unknown', size_bytes: 1, ...nothing },
      { file: '/none.mmdb', state: 'missing', error: 'file_missing', size_bytes: null, ...nothing },
    ]);
  });

  test('what a file says of itself does not reach the terminal as it is', async () => {
    const { code, stdout } = await run('check', join(folder(), '\u001b[31m.mmdb'));
    expect(code).toBe(65);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('?[31m.mmdb');
  });
});

describe('countersign geoip status', () => {
  test('the databases of the configuration, in both forms, in its order', async () => {
    const file = join(folder(), 'c.yaml');
    writeFileSync(file, JSON.stringify({ network: { databases: [CITY, { file: ASN, refreshSeconds: 60 }] } }));
    const { code, stdout } = await run('status', '--config', file, '--json');
    expect(code).toBe(0);
    const files = z.array(z.looseObject({ file: z.string() })).parse(JSON.parse(stdout));
    expect(files.map((one) => one.file)).toEqual([CITY, ASN]);
  });

  test('none configured, a missing one, a configuration that is refused', async () => {
    const at = folder();
    const write = (name: string, network: unknown) => writeFileSync(join(at, name), JSON.stringify({ network }));
    write('none.yaml', {});
    write('missing.yaml', { databases: ['x.mmdb'] });
    write('wrong.yaml', { databases: [{ path: 'x.mmdb' }] });
    expect(await run('status', '--config', join(at, 'none.yaml'))).toMatchObject({ code: 0, stdout: 'No databases are configured.\n' });
    expect(await run('status', '--config', join(at, 'missing.yaml'))).toMatchObject({ code: 65 });
    expect(await run('status', '--config', join(at, 'wrong.yaml'))).toMatchObject({ code: 78, stdout: '' });
  });
});

describe('countersign geoip update', () => {
  test('installs, says what, and does nothing the second time', async () => {
    const to = join(folder(), 'city.mmdb');
    expect(await run('update', '--from', CITY, '--to', to)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('installed: SHA-256'),
    });
    expect(readFileSync(to).equals(readFileSync(CITY))).toBe(true);
    expect(await run('update', '--from', CITY, '--to', to)).toMatchObject({ code: 0, stdout: expect.stringContaining('unchanged: ') });
  });

  test.each([
    ['of another type', ASN, 65, 'type_differs'],
    ['that is not there', '/none.mmdb', 69, 'file_missing'],
    ['by no URL that may be asked', 'http://192.0.2.1/x', 69, 'fetch_failed'],
    ['without a version', 'npm:x', 65, 'source_invalid'],
  ])('one %s ends with its own exit code and leaves the file', async (_what, from, wanted, code) => {
    const to = join(folder(), 'city.mmdb');
    writeFileSync(to, readFileSync(CITY));
    const { code: exit, stdout, stderr } = await run('update', '--from', from, '--to', to);
    expect([exit, stdout]).toEqual([wanted, '']);
    expect(stderr).toContain(`refused: ${code}`);
    expect(readFileSync(to).equals(readFileSync(CITY))).toBe(true);
  });

  test('a place that cannot be written to ends with 74', async () => {
    expect((await run('update', '--from', CITY, '--to', join(folder(), 'none', 'x.mmdb'))).code).toBe(74);
  });

  test.each([
    [['update']],
    [['update', '--from', CITY]],
    [['update', '--from', CITY, '--to', 'x', '--sha256', 'abc']],
    [['check']],
    [['fetch']],
  ])('wrong arguments: %j end with 64', async (args) => {
    expect((await run(...args)).code).toBe(64);
  });
});
