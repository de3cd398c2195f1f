import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBundle } from '../../src/decide/bundle-build.ts';
import { ENTRYPOINT, OPA_BIN } from '../decide/fixtures.ts';
import { createWorld, type World } from '../gateway/world.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from '../support/countersign.ts';
import { copyPolicies } from '../support/policy-directory.ts';
import { freePorts } from '../support/ports.ts';
import { startLoad, startRecipeEnvoy } from '../support/rolling.ts';

/*
 * Two replicas behind Envoy are restarted in turn, again and again, while clients ask at a steady rate. Envoy has the recipe of its page with all its times
 * (200 ms for an answer), but repeats nothing; the service has its defaults, and is the one of the image: built, with compiled policies. Not one may be lost.
 */

const SECONDS = 60;
const PER_SECOND = 500;
const TOKEN = 'token-of-the-rolling-restart';
/** One client asks for all of them. */
const NO_LIMITS = { client: {}, address: {}, token: {}, route: {} };

let world: World;
beforeAll(async () => {
  const built = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: PROJECT_ROOT, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${built.error?.message ?? ''}${built.stdout}${built.stderr}`);
  world = await createWorld();
});
afterAll(() => world.stop());

type Ports = readonly [number, number, number];

test('a rolling restart under 500 requests a second loses none in a minute', async () => {
  const directory = join(world.directory, 'policies');
  copyPolicies(directory, { limits: { rate: NO_LIMITS } });
  const bundle = join(world.directory, 'policies.tar.gz');
  writeFileSync(bundle, await buildBundle({ opaBin: OPA_BIN, directory, entrypoint: ENTRYPOINT }));
  const edge = {
    name: 'edge',
    tokenSha256: createHash('sha256').update(TOKEN).digest('hex'),
    trusts: ['client_address', 'client_certificate', 'fingerprint'],
    forwardedFor: { header: 'x-forwarded-for', appendsPeer: true },
  };
  const start = (ports: Ports) =>
    startCountersign({ config: world.config({ policy: { bundle }, peps: [edge] }), ports, script: 'dist/main.js', warmUp: true });
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = await freePorts(6);
  const replicas: { readonly ports: Ports; service: Countersign }[] = [];
  for (const ports of [
    [a, b, c],
    [d, e, f],
  ] as const)
    replicas.push({ ports, service: await start(ports) });
  const envoy = await startRecipeEnvoy({ authzPorts: [b, e], upstreamPort: world.upstream.port, token: TOKEN });
  const healthy = (count: number) =>
    expect.poll(() => envoy.stat('cluster.countersign.membership_healthy'), { timeout: 20_000 }).toBe(count);
  try {
    await healthy(2);
    const load = startLoad(envoy.port, await world.bearer('agent-a', 'orders:read'), PER_SECOND, SECONDS);
    let restarts = 0;
    while (!load.over()) {
      for (const replica of replicas) {
        if (load.over()) break;
        expect(await replica.service.stop()).toEqual({ code: 0, signal: null });
        replica.service = await start(replica.ports);
        await healthy(2);
        restarts += 1;
      }
    }
    const answers = await load.answers;
    const times = answers.map(({ ms }) => ms).sort((one, other) => one - other);
    const at = (share: number) => Math.round(times[Math.floor(times.length * share)] ?? 0);
    const shown = [0.5, 0.9, 0.99, 0.999, 1 - 1e-9].map(at).join(', ');
    const lost = answers.filter(({ status }) => status < 200 || status > 299);
    console.log(`${answers.length} requests, ${restarts} restarts, ${lost.length} lost; p50, p90, p99, p99.9, max: ${shown} ms`);
    expect(answers).toHaveLength(SECONDS * PER_SECOND);
    expect(restarts).toBeGreaterThanOrEqual(4);
    expect(lost).toEqual([]);
    const [errors, retries] = [await envoy.stat('http.front.ext_authz.error'), await envoy.stat('cluster.countersign.upstream_rq_retry')];
    expect([errors, retries]).toEqual([0, 0]);
  } finally {
    await envoy.stop();
    for (const { service } of replicas) await service.stop();
  }
});
