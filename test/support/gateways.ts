import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MadeCertificate } from './certificates.ts';
import { type Child, startChild, waitUntil } from './child.ts';
import { PROJECT_ROOT } from './countersign.ts';
import { envoyBinary } from './envoy.ts';
import { freePorts } from './ports.ts';

export type GatewayName = 'nginx' | 'haproxy' | 'caddy' | 'envoy';

/** A real gateway with the recipe of its page, on ports of our own. */
export interface Gateway {
  readonly port: number;
  /** Asks for client certificates. */
  readonly tlsPort: number;
  readonly child: Child;
  stop(): Promise<unknown>;
}

export type GatewayOptions = {
  readonly authzPort: number;
  readonly upstreamPort: number;
  readonly token: string;
  /** Of the TLS listener. */
  readonly server: MadeCertificate;
  /** PEM of the CA of the clients. */
  readonly clientCa: string;
  /** Further texts of the recipe that this test has otherwise. */
  readonly changes?: readonly (readonly [from: string, to: string])[];
  /** Further files beside the recipe's own, by name. */
  readonly files?: Readonly<Record<string, string>>;
};

/** NGINX_BIN and so on, else what `npm run verify` put under `.tools`. */
export function gatewayBinary(name: GatewayName): string {
  if (name === 'envoy') return envoyBinary();
  const file = process.env[`${name.toUpperCase()}_BIN`] ?? join(PROJECT_ROOT, '.tools/gateways', name, 'run');
  if (!existsSync(file))
    throw new Error(`${name} is not at ${file}: set ${name.toUpperCase()}_BIN or run npm run verify, which fetches it`);
  return file;
}

/** The blocks of `docs/gateways/<name>.md` in one language, in order: what the page shows is what is tried. */
export function recipeBlocks(name: string, language: string): string[] {
  const page = readFileSync(join(PROJECT_ROOT, `docs/gateways/${name}.md`), 'utf8');
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1] ?? '');
}

/** The recipe with other ports and folders; throws where it has none of them. */
export function withPlaces(recipe: string, places: readonly (readonly [from: string, to: string])[]): string {
  return places.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the recipe has no ${from}`);
    return text.replaceAll(from, to);
  }, recipe);
}

type Launch = (made: Made) => {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};
type Made = {
  readonly directory: string;
  readonly port: number;
  readonly tlsPort: number;
  /** For a listener that the gateway has for itself. */
  readonly innerPort: number;
  readonly file: WriteFile;
};
type WriteFile = (name: string, text: string) => string;

/** Starts a gateway and waits until both its ports take connections. */
export async function startGateway(name: GatewayName, { files = {} }: Pick<GatewayOptions, 'files'>, launch: Launch): Promise<Gateway> {
  const [port = 0, tlsPort = 0, innerPort = 0] = await freePorts(3);
  const directory = mkdtempSync(join(tmpdir(), `countersign-forward-auth-${name}-`));
  const file: WriteFile = (path, text) => {
    const full = join(directory, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  };
  for (const [path, text] of Object.entries(files)) file(path, text);
  const { args, env = {} } = launch({ directory, port, tlsPort, innerPort, file });
  const child = startChild(gatewayBinary(name), args, { env: { HOME: directory, XDG_DATA_HOME: directory, ...env }, cwd: directory });
  void child.exited.then(() => rmSync(directory, { recursive: true, force: true }));
  await waitUntil(name, child, async () => (await listens(port)) && (await listens(tlsPort)));
  return { port, tlsPort, child, stop: () => child.stop('SIGTERM', 5_000) };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
