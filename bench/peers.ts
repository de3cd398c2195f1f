import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild, waitUntil } from '../test/support/child.ts';
import { type Countersign, startCountersign } from '../test/support/countersign.ts';
import { freePort } from '../test/support/ports.ts';
import type { Workload } from './workload.ts';

/** Servers run on core 0 and the load on core 1, where there are two. */
export const SERVER_LAUNCHER = pin(0);
export const LOADER_LAUNCHER = pin(1);

function pin(core: number): readonly string[] {
  return existsSync('/usr/bin/taskset') && process.platform === 'linux' ? ['/usr/bin/taskset', '-c', `${core}`] : [];
}

/** Starts a program on the servers' core. */
function startPinned(command: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const all = [...SERVER_LAUNCHER, ...command];
  return startChild(all[0] ?? '', all.slice(1), { env });
}

export type Server = {
  readonly name: string;
  readonly pid: number;
  readonly grpcPort: number;
  readonly httpPort: number;
  /** 0 where it has none. */
  readonly operationsPort: number;
  stop(): Promise<unknown>;
};

/** The settings that one Countersign differs in. */
export type Variant = {
  readonly policies: string;
  /** Redis's URL, or null for counters in memory. */
  readonly redisUrl?: string | null;
  readonly registry?: boolean;
  readonly log?: 'line' | 'none';
  readonly nodeOptions?: readonly string[];
  /** Further sections of its configuration. */
  readonly sections?: Readonly<Record<string, unknown>>;
  /** The program, where it is another one than the source. */
  readonly script?: string;
  /** More of the section `identity`. */
  readonly identity?: Readonly<Record<string, unknown>>;
};

/** The real service, pinned. Its decision log is on and goes to /dev/null: every line is made and written, and no disk is measured. */
export async function startPinnedCountersign(name: string, directory: string, workload: Workload, variant: Variant): Promise<Server> {
  const jwksFile = join(directory, `${name}-jwks.json`);
  writeFileSync(jwksFile, workload.jwks);
  const service: Countersign = await startCountersign({
    launcher: SERVER_LAUNCHER,
    nodeOptions: variant.nodeOptions ?? [],
    ...(variant.script === undefined ? {} : { script: variant.script, warmUp: true }),
    env: { OPA_BIN: opaBinary() },
    config: {
      peps: [{ name: 'bench', anonymous: true, trusts: ['client_address', 'client_certificate'] }],
      identity: {
        ...variant.identity,
        issuers: [{ issuer: workload.issuer, audiences: [workload.audience], jwksFile, algorithms: ['RS256'], types: ['at+jwt'] }],
      },
      network: { registry: variant.registry ?? true },
      store: variant.redisUrl == null ? { kind: 'memory' } : { kind: 'redis', url: variant.redisUrl },
      policy: { bundle: variant.policies },
      decisions: { log: { sink: variant.log === 'none' ? 'none' : { file: '/dev/null' } } },
      log: { level: 'warn' },
      ...variant.sections,
    },
  });
  const { grpcPort, httpPort, operationsPort } = service;
  return { name, pid: service.child.pid, grpcPort, httpPort, operationsPort, stop: () => service.stop() };
}

/**
 * `opa run --server` with one thread for Go code, as it has one core. `jwtCache` is the named cache of verified tokens (off in OPA's own
 * defaults), here large enough for all tokens of the workload.
 */
export async function startOpa(name: string, directory: string, jwtCache: boolean): Promise<Server> {
  const port = await freePort();
  const config = join(directory, '..', `${name}.yaml`);
  writeFileSync(config, jwtCache ? 'caching: {inter_query_builtin_value_cache: {named: {io_jwt: {max_num_entries: 4000}}}}\n' : '{}\n');
  const child = startPinned(
    [
      ...[opaBinary(), 'run', '--server', '--config-file', config, '--addr', `127.0.0.1:${port}`],
      ...['--log-level', 'error', '--skip-version-check', directory],
    ],
    { GOMAXPROCS: '1' },
  );
  await waitUntil('opa', child, async () => (await fetch(`http://127.0.0.1:${port}/health`)).status === 200);
  return { name, pid: child.pid, grpcPort: 0, httpPort: port, operationsPort: 0, stop: () => child.stop() };
}

/** OPA_BIN, else the one in `.tools`, else PATH's. */
export function opaBinary(): string {
  const own = join(import.meta.dirname, '../.tools/bin/opa');
  return process.env['OPA_BIN'] ?? (existsSync(own) ? own : 'opa');
}

/** Servers that answer without looking, to show what the load generator itself can do. */
export async function startEmptyServer(): Promise<Server> {
  const child = startPinned([process.execPath, join(import.meta.dirname, 'load/empty-server.ts')]);
  await waitUntil('the empty server', child, async () => child.stdout().includes('\n'));
  const ports: { grpc: { port: number }; http: { port: number } } = JSON.parse(child.stdout());
  return {
    name: 'empty',
    pid: child.pid,
    grpcPort: ports.grpc.port,
    httpPort: ports.http.port,
    operationsPort: 0,
    stop: () => child.stop(),
  };
}

/** A Redis of its own on the servers' core; null where the machine has none. */
export async function startRedis(): Promise<{ readonly url: string; stop(): Promise<unknown> } | null> {
  const port = await freePort();
  const child = startPinned(['redis-server', '--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']);
  try {
    await waitUntil('redis', child, async () => child.stdout().includes('Ready to accept connections'), 5_000);
  } catch {
    return null;
  }
  return { url: `redis://127.0.0.1:${port}`, stop: () => child.stop() };
}
