import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBundle } from '../../src/decide/bundle-build.ts';
import { ENTRYPOINT, OPA_BIN } from '../decide/fixtures.ts';
import { createWorld, type World } from '../gateway/world.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import { copyPolicies } from '../support/policy-directory.ts';
import { freePorts } from '../support/ports.ts';

/* Two replicas behind Envoy are restarted in turn, again and again, while clients ask at a steady rate. Envoy's retries are off: not one may be lost. */

const SECONDS = 60;
const PER_SECOND = 500;
const TICK_MS = 10;
/** A busy machine must not look like a lost request. */
const PATIENT = { decisions: { deadlineMs: 4000 } };
const NO_LIMITS = { client: {}, address: {}, token: {}, route: {} };

let world: World;
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => {
  agent.destroy();
  await world.stop();
});

type Answer = { readonly status: number; readonly ms: number; readonly error: unknown };

function ask(port: number, authorization: string): Promise<Answer> {
  const began = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, error: unknown) => resolve({ status, ms: performance.now() - began, error });
    const sent = request({ agent, host: '127.0.0.1', port, path: '/orders', headers: { authorization } }, (answer) => {
      answer
        .resume()
        .on('end', () => end(answer.statusCode ?? 0, answer.headers['x-countersign-error'] ?? answer.headers['x-countersign-decision-id']));
    });
    sent.on('error', (error) => end(0, error.message));
    sent.end();
  });
}

/** An open loop: the next requests leave whether the ones before were answered or not. */
async function load(port: number, authorization: string): Promise<Answer[]> {
  const answers: Promise<Answer>[] = [];
  const began = performance.now();
  while (answers.length < SECONDS * PER_SECOND) {
    const due = Math.min(SECONDS * PER_SECOND, ((performance.now() - began) * PER_SECOND) / 1000);
    while (answers.length < due) answers.push(ask(port, authorization));
    await sleep(TICK_MS);
  }
  return Promise.all(answers);
}

test('a rolling restart under 500 requests a second loses none in a minute', async () => {
  const directory = join(world.directory, 'policies');
  copyPolicies(directory, { limits: { rate: NO_LIMITS } });
  // compiled once, as in the image: a compiler beside them would take the cores that the load needs
  const bundle = join(world.directory, 'policies.tar.gz');
  writeFileSync(bundle, await buildBundle({ opaBin: OPA_BIN, directory, entrypoint: ENTRYPOINT }));
  const start = async (ports: readonly [number, number, number]) =>
    startCountersign({ config: world.config({ policy: { bundle }, ...PATIENT }), ports });
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = await freePorts(6);
  const replicas: { readonly ports: readonly [number, number, number]; service: Countersign }[] = [];
  for (const ports of [
    [a, b, c],
    [d, e, f],
  ] as const)
    replicas.push({ ports, service: await start(ports) });
  const envoy = await world.envoy(
    replicas.map(({ service }) => service),
    { healthCheck: true, timeoutMs: 5000 },
  );
  const healthy = (count: number) => expect.poll(() => envoy.stat('cluster.authz.membership_healthy'), { timeout: 20_000 }).toBe(count);
  try {
    await healthy(2);
    const authorization = await world.bearer('agent-a', 'orders:read');
    let over = false;
    const loading = load(envoy.port, authorization).finally(() => {
      over = true;
    });
    let restarts = 0;
    while (!over) {
      for (const replica of replicas) {
        if (over) break;
        expect(await replica.service.stop()).toEqual({ code: 0, signal: null });
        replica.service = await start(replica.ports);
        await healthy(2);
        restarts += 1;
      }
    }
    const answers = await loading;
    const times = answers.map(({ ms }) => ms).sort((one, other) => one - other);
    const at = (share: number) => Math.round(times[Math.floor(times.length * share)] ?? 0);
    console.log(
      `${answers.length} requests, ${restarts} restarts; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms, max ${at(1 - 1e-9)} ms`,
    );
    expect(answers).toHaveLength(SECONDS * PER_SECOND);
    expect(restarts).toBeGreaterThanOrEqual(4);
    expect(answers.filter(({ status }) => status < 200 || status > 299)).toEqual([]);
    const [errors, retries] = [await envoy.stat('http.front.ext_authz.error'), await envoy.stat('cluster.authz.upstream_rq_retry')];
    expect([errors, retries]).toEqual([0, 0]);
  } finally {
    for (const { service } of replicas) await service.stop();
  }
});
