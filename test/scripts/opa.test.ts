import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fits } from '../../scripts/tools/opa.mjs';
import { PROJECT_ROOT } from '../support/countersign.ts';

/** Stands for the release's file: what matters here is how it gets to its place. */
const FAKE_OPA = '#!/bin/sh\necho "Version: 1.22.2"\n';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('OPA on a machine without Go', () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-opa-'));
  let server: Server;
  let mirror = '';
  beforeAll(async () => {
    mkdirSync(join(folder, 'bin'));
    cpSync(join(PROJECT_ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true });
    server = createServer((_request, response) => void response.end(FAKE_OPA));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    mirror = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs `findOpa` of the copy with a PATH that holds neither opa nor go. */
  async function find(env: Record<string, string>): Promise<string> {
    const script = `import('${join(folder, 'scripts/tools/opa.mjs')}').then((m) => m.findOpa()).then((f) => console.log(JSON.stringify(f)), (e) => console.log('STOP ' + e.message))`;
    const child = spawn(process.execPath, ['-e', script], { env: { PATH: `${folder}/bin`, OPA_RELEASE_URL: mirror, ...env } });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    await new Promise((resolve) => child.on('close', resolve));
    return out;
  }
  const placed = (): boolean => existsSync(join(folder, '.tools/bin/opa'));

  test('is not downloaded without a checksum, and the text says what helps', async () => {
    const said = await find({});
    expect(said).toMatch(/^STOP OPA 1\.22\.2 is needed/);
    expect(said).toMatch(/OPA_SHA256/);
    expect(placed()).toBe(false);
  });

  test('is not kept when its checksum is another', async () => {
    expect(await find({ OPA_SHA256: 'a'.repeat(64) })).toContain(`has the SHA-256 ${sha256(FAKE_OPA)}, not OPA_SHA256`);
    expect(placed()).toBe(false);
  });

  test('is placed whole when its checksum is right, nothing half stays, and the next run finds it', async () => {
    expect(await find({ OPA_SHA256: sha256(FAKE_OPA) })).toContain('"from":"release"');
    expect(readdirSync(join(folder, '.tools'))).toEqual(['bin']);
    expect(await find({})).toContain('"from":".tools"');
  });

  test('that is cached from another version is replaced', async () => {
    writeFileSync(join(folder, '.tools/bin/opa'), '#!/bin/sh\necho "Version: 1.21.0"\n', { mode: 0o755 });
    expect(await find({})).toMatch(/^STOP/);
    expect(await find({ OPA_SHA256: sha256(FAKE_OPA) })).toContain('"version":"1.22.2"');
  });

  test('on PATH is told by its whole path: a configuration takes a name alone for a file of its folder', async () => {
    writeFileSync(join(folder, 'bin/opa'), '#!/bin/sh\necho "Version: 1.22.2"\n', { mode: 0o755 });
    expect(JSON.parse(await find({}))).toMatchObject({ path: join(folder, 'bin/opa'), from: 'PATH' });
    rmSync(join(folder, 'bin/opa'));
  });

  test('that OPA_BIN names is taken as it is, and refused where it does not run', async () => {
    writeFileSync(join(folder, 'bin/other'), '#!/bin/sh\necho "Version: 1.30.0"\n', { mode: 0o755 });
    expect(await find({ OPA_BIN: join(folder, 'bin/other') })).toContain('"from":"OPA_BIN"');
    expect(await find({ OPA_BIN: join(folder, 'bin/none') })).toMatch(/^STOP OPA_BIN names .* does not run as OPA/);
  });
});

test('a fitting version is any patch of 1.22', () => {
  expect(['1.22.2', '1.22.9', '1.21.4', '1.220.0', '2.22.2'].map(fits)).toEqual([true, true, false, false, false]);
});
