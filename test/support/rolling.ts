import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority } from './certificates.ts';
import { type Envoy, startEnvoyWith } from './envoy.ts';
import { recipeBlocks, withPlaces } from './gateways.ts';

/** What a client got, and when it had asked. */
export type Answer = {
  readonly atMs: number;
  readonly ms: number;
  /** 0: none. */
  readonly status: number;
  /** `x-countersign-error`, or what failed here. */
  readonly error: string;
};

export type Load = { readonly answers: Promise<Answer[]>; readonly over: () => boolean };

const TICK_MS = 10;

/** An open loop: the next requests leave whether the ones before were answered or not. */
export function startLoad(port: number, authorization: string, perSecond: number, seconds: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const answers: Promise<Answer>[] = [];
  let over = false;
  const run = async (): Promise<Answer[]> => {
    const total = perSecond * seconds;
    const began = performance.now();
    while (answers.length < total) {
      const due = Math.min(total, ((performance.now() - began) * perSecond) / 1000);
      while (answers.length < due) answers.push(ask(agent, port, authorization));
      await sleep(TICK_MS);
    }
    const all = await Promise.all(answers);
    over = true;
    agent.destroy();
    return all;
  };
  return { answers: run(), over: () => over };
}

function ask(agent: Agent, port: number, authorization: string): Promise<Answer> {
  const atMs = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, error: string) => resolve({ atMs, ms: performance.now() - atMs, status, error });
    const sent = request({ agent, host: '127.0.0.1', port, path: '/orders', headers: { authorization } }, (answer) => {
      const error = answer.headers['x-countersign-error'];
      answer.resume().on('end', () => end(answer.statusCode ?? 0, typeof error === 'string' ? error : ''));
    });
    sent.on('error', (error) => end(0, error.message));
    sent.end();
  });
}

export type RecipePlaces = {
  readonly authzPorts: readonly number[];
  readonly upstreamPort: number;
  readonly token: string;
  /** Further texts of the recipe that are otherwise. */
  readonly changes?: readonly (readonly [from: string, to: string])[];
};

/** Envoy by the gRPC recipe of its page, with all its times, in front of several replicas; it repeats nothing. */
export async function startRecipeEnvoy({ authzPorts, upstreamPort, token, changes = [] }: RecipePlaces): Promise<Envoy> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-rolling-'));
  const authority = createAuthority();
  const { pem, keyPem } = authority.server({ dns: ['localhost'], ips: ['127.0.0.1'] });
  writeFileSync(join(directory, 'server.pem'), pem);
  writeFileSync(join(directory, 'server-key.pem'), keyPem);
  writeFileSync(join(directory, 'client-ca.pem'), authority.pem);
  const endpoint = (port: number | string) => `- endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${port} } } }`;
  const recipe = withPlaces(recipeBlocks('envoy', 'yaml')[0] ?? '', [
    ['port_value: 10000', 'port_value: 0'],
    ['port_value: 10443', 'port_value: 0'],
    [endpoint(9191), authzPorts.map(endpoint).join(`\n${' '.repeat(14)}`)],
    ['port_value: 8081', `port_value: ${upstreamPort}`],
    ['num_retries: 1', 'num_retries: 0'],
    ['/etc/envoy', directory],
    ...changes,
  ]);
  const bootstrap = `admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n${recipe}`;
  const envoy = await startEnvoyWith(bootstrap, { COUNTERSIGN_PEP_TOKEN: token });
  void envoy.child.exited.then(() => rmSync(directory, { recursive: true, force: true }));
  return envoy;
}
