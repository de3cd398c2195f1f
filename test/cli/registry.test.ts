import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runProgram } from '../../src/cli/program.ts';
import { digestOf, parseKeyedHash } from '../../src/formats/api-key-hash.ts';
import { parseApiKey } from '../../src/formats/api-key-text.ts';
import { PROJECT_ROOT } from '../support/countersign.ts';
import { createRegistryFolder } from '../support/registry.ts';

const SECRET = 'a-secret-of-the-tests-of-32-chars';
const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-keys-'));
const hashKeyFile = join(folder, 'hash-key');
writeFileSync(hashKeyFile, `${SECRET}\n`);

async function run(...args: readonly string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(args, {
    version: '1.2.3',
    serve: async () => 0,
    stdin: Readable.from([]),
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    randomBytes,
    checkList: () => expect.fail('no list is asked for'),
    geoip: { inspect: () => expect.fail(), update: () => expect.fail() },
  });
  return { code, stdout, stderr };
}

const create = (...more: readonly string[]) =>
  run('keys', 'create', '--hash-key-file', hashKeyFile, '--hash-key-id', 'k1', '--client', 'agent-a', ...more);

describe('keys create', () => {
  it('prints a key and the entry that it is verified by, which does not hold it', async () => {
    const { code, stdout, stderr } = await create(
      '--scopes',
      'a:read, b:read',
      '--expires',
      '2030-01-01',
      '--networks',
      '10.0.0.0/8,::1',
      '--name',
      'Job "1"',
    );
    expect([code, stderr]).toEqual([0, '']);
    const [key = '', , , ...rest] = stdout.split('\n');
    const [entry] = parse(rest.join('\n'));
    const parsed = parseApiKey(key);
    expect(entry).toEqual({
      id: typeof parsed === 'string' ? parsed : parsed.id,
      client: 'agent-a',
      hash: expect.any(String),
      name: 'Job "1"',
      scopes: ['a:read', 'b:read'],
      expiresAt: '2030-01-01',
      networks: ['10.0.0.0/8', '::1'],
    });
    expect(parseKeyedHash(entry.hash)).toEqual({
      hashKeyId: 'k1',
      digest: digestOf(key, createSecretKey(Buffer.from(SECRET))).toString('base64url'),
    });
    expect(rest.join('\n')).not.toContain(key.slice(20, 63));
  });

  it('prints JSON, and another key each time', async () => {
    const [one, other] = await Promise.all([create('--json'), create('--json')]);
    const { key, entry } = JSON.parse(one.stdout);
    expect(entry).toEqual({ id: key.slice(4, 19), client: 'agent-a', hash: expect.stringMatching(/^hmac-sha256:k1:/) });
    expect(JSON.parse(other.stdout).key).not.toBe(key);
  });

  it.each([
    [['--expires', 'soon'], 65, 'keys[0].expiresAt'],
    [['--networks', '10.0.0.0/33'], 65, 'keys[0].networks[0]'],
    [['--scopes', 'a b'], 65, 'keys[0].scopes[0]'],
    [['--hash-key-file', join(folder, 'none')], 66, 'hash key file'],
    [['--hash-key-id', 'K 1'], 64, '--hash-key-id'],
    [['--more', 'x'], 64, '--more'],
  ])('with %j ends with %i, and no key is shown', async (more, wanted, text) => {
    const { code, stdout, stderr } = await create(...more);
    expect([code, stdout]).toEqual([wanted, '']);
    expect(stderr).toContain(text);
  });

  it('refuses a hash key that is too short', async () => {
    const short = join(folder, 'short');
    writeFileSync(short, 'short');
    expect((await create('--hash-key-file', short)).code).toBe(66);
  });
});

describe('registry check', () => {
  it('finds the example sound', async () => {
    const { code, stdout } = await run('registry', 'check', join(PROJECT_ROOT, 'config/registry-example'), '--hash-key-ids', 'example-1');
    expect([code, stdout]).toEqual([0, 'sound: 3 clients, 1 API keys, 7 revocations\n']);
  });

  it('names file, line and field of each fault, in words or in JSON, and ends with 65', async () => {
    const { directory, write } = createRegistryFolder();
    write('clients.yaml', 'clients:\n  - {clientId: a, type: robot}\n');
    write('revocations.yaml', 'revocations:\n  - {cilent: a}\n');
    const words = await run('registry', 'check', directory);
    expect([words.code, words.stdout]).toEqual([65, '']);
    expect(words.stderr.split('\n')[0]).toContain('clients.yaml:2 clients[0].type: ');
    const { code, stdout } = await run('registry', 'check', directory, '--json');
    expect(code).toBe(65);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      clients: null,
      revocations: null,
      problems: [
        { file: 'clients.yaml', line: 2, field: 'clients[0].type' },
        { file: 'revocations.yaml', line: 2 },
      ],
    });
  });

  it('looks for hash keys where it is told which there are', async () => {
    const { directory, write } = createRegistryFolder();
    write('clients.yaml', { clients: [{ clientId: 'agent-a', type: 'agent' }] });
    write('keys.yaml', { keys: [JSON.parse((await create('--json')).stdout).entry] });
    expect((await run('registry', 'check', directory)).code).toBe(0);
    expect((await run('registry', 'check', directory, '--hash-key-ids', 'k1,k2')).code).toBe(0);
    expect((await run('registry', 'check', directory, '--hash-key-ids', 'k2')).code).toBe(65);
  });

  it('ends with 66 where there is nothing', async () => {
    expect(await run('registry', 'check', join(folder, 'none'))).toMatchObject({ code: 66, stderr: expect.stringContaining('ENOENT') });
    expect((await run('registry', 'check', folder)).code).toBe(66);
  });
});
