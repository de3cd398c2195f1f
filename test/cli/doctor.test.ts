import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { createDoctorTools } from '../../src/compose/doctor-tools.ts';
import type { Finding } from '../../src/contract/doctor.ts';
import { systemClock } from '../../src/system-clock.ts';
import { baseBundle } from '../decide/fixtures.ts';
import { createAuthority } from '../support/certificates.ts';
import { PROJECT_ROOT } from '../support/countersign.ts';
import { commandsOf, outputPattern, runCommand } from '../support/doc-commands.ts';
import { fencedBlocks } from '../support/markdown.ts';
import { type OidcServer, SECRET, startOidc } from '../support/oidc.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { freePorts } from '../support/ports.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

/* The command with the tools of the process, over a real Redis, a real authorization server and certificates that are over. */

const PASSWORD = 'canary-of-the-store';
const folder = mkdtempSync(join(tmpdir(), 'countersign-doctor-'));
const state = join(folder, 'state');
const authority = createAuthority();
let redis: RedisServer;
let oidc: OidcServer;
let ports: number[];

const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

beforeAll(async () => {
  mkdirSync(state);
  redis = await startRedis({ password: PASSWORD });
  oidc = await startOidc({ audience: 'api://orders', clients: [{ id: 'agent-a', scopes: ['orders:read'] }] });
  ports = await freePorts(3);
  file('policies.tar.gz', await baseBundle());
});

afterAll(async () => {
  await redis.stop();
  await oidc.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Examined = { readonly code: number; readonly ok: boolean; readonly findings: readonly Finding[]; readonly text: string };

async function doctor(change: Readonly<Record<string, unknown>>, ...more: readonly string[]): Promise<Examined> {
  const [http = 0, grpc = 0, operations = 0] = ports;
  const config = {
    ...{ http: { port: http }, grpc: { port: grpc }, operations: { port: operations } },
    policy: { bundle: join(folder, 'policies.tar.gz') },
    identity: { issuers: [{ issuer: oidc.issuer, audiences: ['api://orders'], discovery: true, algorithms: ['RS256'] }] },
    store: { kind: 'redis', url: `redis://:${PASSWORD}@127.0.0.1:${redis.port}/0`, deadlineMs: 1000 },
    state: { directory: state },
    ...change,
  };
  const name = file(`config-${createHash('sha256').update(JSON.stringify(change)).digest('hex').slice(0, 8)}.yaml`, JSON.stringify(config));
  let text = '';
  const code = await runProgram(['doctor', '--config', name, '--json', ...more], {
    version: '1.2.3',
    serve: () => expect.fail('nothing is served'),
    stdin: Readable.from([]),
    stdout: (said) => {
      text += said;
    },
    stderr: (said) => {
      text += said;
    },
    randomBytes,
    checkList: () => expect.fail(),
    geoip: { inspect: () => expect.fail(), update: () => expect.fail() },
    examine: createDoctorTools(systemClock),
  });
  const { ok, findings }: { ok: boolean; findings: Finding[] } = more.includes('--text') ? { ok: false, findings: [] } : JSON.parse(text);
  return { code, ok, findings, text };
}

/** What docs/operations.md shows, as a shell runs it. */
const SHOWN = fencedBlocks(readFileSync(join(PROJECT_ROOT, 'docs/operations.md'), 'utf8'))
  .filter(({ info, text }) => info === 'console' && text.includes('countersign doctor'))
  .flatMap(({ text }) => commandsOf(text));

const bad = (findings: readonly Finding[]) =>
  findings.filter(({ status }) => status !== 'ok').map(({ check, subject, status }) => [check, subject, status]);

describe('countersign doctor', () => {
  it('finds nothing where all is well, and changes nothing', async () => {
    const before = await redis.command('DBSIZE');
    const { code, ok, findings } = await doctor({});
    expect(bad(findings)).toEqual([]);
    expect([code, ok]).toEqual([0, true]);
    expect(new Set(findings.map(({ check }) => check))).toEqual(
      new Set(['config', 'policy', 'redis', 'clock', 'issuer', 'port', 'writable', 'file_limit']),
    );
    expect(findings.filter(({ check }) => check === 'clock').map(({ subject }) => subject)).toEqual(['redis', oidc.issuer]);
    expect(readdirSync(state)).toEqual([]);
    expect(await redis.command('DBSIZE')).toBe(before);
  });

  it('finds all that is wrong at once, says what to do, and shows no secret', async () => {
    const over = authority.client({ commonName: 'pdp', uris: [], validDays: [-90, -1] });
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const { code, findings, text } = await doctor({
      http: {
        port: ports[0],
        tls: { certFile: file('over.pem', over.pem), keyFile: file('over.key', over.keyPem), clientCaFile: file('ca.pem', authority.pem) },
      },
      operations: { port: typeof address === 'object' && address !== null ? address.port : 0 },
      policy: { bundle: file('broken.tar.gz', 'no archive') },
      identity: {
        issuers: [
          { issuer: `${oidc.issuer}/other`, audiences: ['a'], discovery: true },
          { issuer: 'https://keys.example', audiences: ['a'], jwksFile: file('jwks.json', '{"keys":[]}') },
        ],
      },
      store: { kind: 'redis', url: `redis://:another-${PASSWORD}@127.0.0.1:${redis.port}/0` },
      network: { databases: [join(folder, 'nowhere.mmdb')] },
      registry: { directory: join(folder, 'nowhere'), hashKeys: [{ id: 'k1', file: join(folder, 'nowhere') }] },
    });
    taken.close();
    expect(code).toBe(1);
    expect(bad(findings)).toEqual([
      ['policy', 'default', 'failed'],
      ['geoip', join(folder, 'nowhere.mmdb'), 'failed'],
      ['redis', null, 'failed'],
      ['issuer', `${oidc.issuer}/other`, 'failed'],
      ['issuer', 'https://keys.example', 'failed'],
      ['registry', null, 'failed'],
      ['own_keys', 'registry.hashKeys', 'failed'],
      ['certificate', 'http.tls.certFile', 'failed'],
      ['port', 'operations', 'warning'],
    ]);
    expect(findings.every(({ status, remedy }) => (status === 'ok') === (remedy === null))).toBe(true);
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain('PRIVATE');
  });

  it('a server that evicts is a warning, and one with --strict ends with 1', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      const lax = await doctor({});
      expect([lax.code, bad(lax.findings)]).toEqual([0, [['redis', 'maxmemory-policy', 'warning']]]);
      expect((await doctor({}, '--strict')).code).toBe(1);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    }
  });

  it('asks for nothing where it can, and loads lists: what answers and what does not', async () => {
    const receiver = await startOtlpReceiver();
    const opaque = await startOidc({ audience: 'a', format: 'opaque', clients: [{ id: 'pdp', scopes: ['x'] }] });
    const issuer = (secret: string) => ({
      issuer: opaque.issuer,
      audiences: ['a'],
      introspection: {
        mode: 'opaque',
        clientId: 'pdp',
        authentication: { method: 'client_secret_basic', secretFile: file(`secret-${secret.length}`, secret) },
      },
    });
    const list = (name: string, path: string) => ({ name, file: path });
    const good = file('good.txt', '192.0.2.0/24\n');
    const probed = (url: string, secret: string, path: string) =>
      doctor({ tracing: { endpoint: url }, identity: { issuers: [issuer(secret)] }, network: { lists: [list('mine', path)] } });
    try {
      const well = await probed(receiver.url, SECRET, good);
      expect(bad(well.findings)).toEqual([]);
      expect(well.findings.map(({ check }) => check)).toEqual(expect.arrayContaining(['introspection', 'collector', 'list']));
      expect(receiver.requests).toMatchObject([{ problem: null }]);
      expect(receiver.spans).toEqual([]);
      const ill = await probed('http://127.0.0.1:1/v1/traces', 'another-secret', join(folder, 'nowhere.txt'));
      expect(bad(ill.findings)).toEqual([
        ['introspection', opaque.issuer, 'failed'],
        ['list', 'mine', 'failed'],
        ['collector', null, 'warning'],
      ]);
      expect(ill.text).not.toContain('another-secret');
    } finally {
      await receiver.stop();
      await opaque.stop();
    }
  });

  it('an authorization server that hangs is told, and holds nothing else up', async () => {
    await oidc.keys('hangs');
    const issuers = [{ issuer: oidc.issuer, audiences: ['a'], jwksUrl: oidc.jwksUrl, fetchTimeoutMs: 200 }];
    try {
      const { findings } = await doctor({ identity: { issuers } });
      expect(findings.find(({ check }) => check === 'issuer')?.message).toMatch(/timeout/);
      expect(findings.find(({ check }) => check === 'policy')?.status).toBe('ok');
    } finally {
      await oidc.keys('served');
    }
  });

  it('prints what docs/operations.md shows', async () => {
    const [shown] = SHOWN;
    const [http = 0, grpc = 0, operations = 0] = ports;
    const away = { kind: 'redis', url: 'redis://127.0.0.1:1' };
    file(
      'config.yaml',
      JSON.stringify({
        http: { port: http },
        grpc: { port: grpc },
        operations: { port: operations },
        policy: { bundle: 'policies.tar.gz' },
        store: away,
      }),
    );
    const { code, output } = await runCommand(shown?.command ?? '', folder);
    expect(output).toMatch(outputPattern(shown?.output ?? []));
    expect(code).toBe(1);
  });

  it('a configuration that is refused is all that is told', async () => {
    const { code, ok, findings } = await doctor({ nix: 1, store: { kind: 'redis', url: `http://${PASSWORD}@x` } });
    expect([code, ok]).toEqual([78, false]);
    expect(findings.map(({ check, subject, status }) => [check, subject, status])).toEqual(
      expect.arrayContaining([
        ['config', 'nix', 'failed'],
        ['config', 'store.url', 'failed'],
      ]),
    );
    expect(JSON.stringify(findings)).not.toContain(PASSWORD);
    expect(existsSync(state)).toBe(true);
  });
});
