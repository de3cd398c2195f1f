import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, type ChildExit, startChild, waitUntil } from './child.ts';
import { freePorts } from './ports.ts';

export const PROJECT_ROOT = join(import.meta.dirname, '..', '..');

/** Sections of the config file in the form that an operator writes; `http`, `grpc` and `operations` get free ports. */
export type ServiceConfig = Readonly<Record<string, unknown>>;

export type CountersignOptions = {
  readonly config: ServiceConfig;
  readonly env?: Readonly<Record<string, string>>;
  /** Of HTTP, gRPC and operations; left out: free ones. A replica that comes back has those that it had. */
  readonly ports?: readonly [number, number, number];
  /** Of the repository; left out: the source, `src/main.ts`. */
  readonly script?: string;
  /** As a service does by default; left out it is ready without, for tests start many. */
  readonly warmUp?: boolean;
  /** Wait for `/readyz` (default), for `/livez` only (a service that is meant to be unready), or not at all. */
  readonly until?: 'ready' | 'live' | 'spawned';
  /** Put before `node`, for example `['taskset', '-c', '0']`; the bench pins by it. */
  readonly launcher?: readonly string[];
  /** Put between `node` and the script, for example `['--cpu-prof']`. */
  readonly nodeOptions?: readonly string[];
};

/** The real service as its own process. */
export interface Countersign {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly operationsPort: number;
  /** What it was started with, as JSON; gone once it has ended. */
  readonly configFile: string;
  readonly child: Child;
  /** All that it wrote to stdout and stderr. */
  output(): string;
  /** SIGTERM, as an orchestrator stops it, and waits for the end. */
  stop(): Promise<ChildExit>;
}

/** `node src/main.ts --config FILE`, directly and never through npm, on free loopback ports. */
export async function startCountersign(options: CountersignOptions): Promise<Countersign> {
  const [httpPort = 0, grpcPort = 0, operationsPort = 0] = options.ports ?? (await freePorts(3));
  const directory = mkdtempSync(join(tmpdir(), 'countersign-test-'));
  const file = join(directory, 'config.yaml');
  const withPorts = {
    ...(options.warmUp === true ? {} : { start: { warmUpMs: 0 } }),
    ...options.config,
    http: { host: '127.0.0.1', ...section(options.config['http']), port: httpPort },
    grpc: { host: '127.0.0.1', ...section(options.config['grpc']), port: grpcPort },
    operations: { host: '127.0.0.1', ...section(options.config['operations']), port: operationsPort },
  };
  writeFileSync(file, JSON.stringify(withPorts, null, 2)); // JSON is YAML
  const command = [
    ...(options.launcher ?? []),
    process.execPath,
    '--v8-pool-size=1', // as the image and `npm start` have it
    ...(options.nodeOptions ?? []),
    join(PROJECT_ROOT, options.script ?? 'src/main.ts'),
    '--config',
    file,
  ];
  const child = startChild(command[0] ?? '', command.slice(1), { cwd: PROJECT_ROOT, ...(options.env ? { env: options.env } : {}) });
  void child.exited.then(() => rmSync(directory, { recursive: true, force: true }));
  const probe = options.until ?? 'ready';
  if (probe !== 'spawned') {
    const url = `http://127.0.0.1:${operationsPort}/${probe === 'ready' ? 'readyz' : 'livez'}`;
    await waitUntil('countersign', child, async () => (await fetch(url)).status === 200, 60_000);
  }
  return {
    httpPort,
    grpcPort,
    operationsPort,
    configFile: file,
    child,
    output: () => `${child.stdout()}\n${child.stderr()}`,
    stop: () => child.stop('SIGTERM', 15_000),
  };
}

function section(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
