// What a signed assertion costs a decision, and what it costs an upstream to verify one: node bench/assertion.ts
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { createAssertionVerifier } from '../src/client/assertion.ts';
import type { Decision } from '../src/contract/decision.ts';
import { ASSERTION_HEADER, createAssertion } from '../src/decide/assertion/assertion.ts';
import { loadSigningKeys } from '../src/decide/assertion/signing-keys.ts';
import { SMOKE_FACTS } from '../src/decide/smoke.ts';
import { readChangedFile } from '../src/stores/changed-file.ts';
import { systemClock } from '../src/system-clock.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from '../test/support/countersign.ts';

const ISSUER = 'https://countersign.example';
const ROUNDS = 15;
const TIMES = 2000;
const quiet = (): void => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

const { request, identity, route } = SMOKE_FACTS;
const known = { route, identity: { ...identity, subject: { ...identity.subject, id: 'agent-a', client: 'agent-a' } } };
const decision: Decision = {
  id: request.id,
  effect: 'allow',
  reasons: [],
  assurance: { level: 2, required: 2 },
  risk: { score: 0, factors: [] },
  stepUp: null,
  obligations: [],
  upstream: { headersToSet: { 'x-countersign-decision-id': request.id }, headersToRemove: [ASSERTION_HEADER, 'x_countersign_subject'] },
  response: null,
  policy: { name: 'default', revision: 'r' },
  error: null,
  explanation: null,
};

/** Median of the rounds, µs of CPU an operation: others may be at work on the machine. */
async function measure(what: string, work: () => unknown): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let index = 0; index < TIMES; index++) {
      const done = work();
      if (done instanceof Promise) await done;
    }
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / TIMES);
  }
  times.sort((a, b) => a - b);
  console.log(`${what}: ${times[Math.floor(ROUNDS / 2)]?.toFixed(1)} µs (least ${times[0]?.toFixed(1)})`);
}

for (const algorithm of ['ES256', 'EdDSA'] as const) {
  const keys = await loadSigningKeys(
    { keys: [{ id: 'k', pem: pemOf(algorithm), file: null }], active: null },
    { readFile: readChangedFile, clock: systemClock, logger },
  );
  const assertion = createAssertion({ issuer: ISSUER, lifetimeSeconds: 60 }, keys, systemClock);
  await measure(`${algorithm}: sign`, () => assertion.attach(request, decision, known));
  const verifier = createAssertionVerifier({ issuer: ISSUER, audience: route.id, fetchKeys: async () => Buffer.from(keys.published()) });
  const text = assertion.attach(request, decision, known).upstream.headersToSet[ASSERTION_HEADER];
  if (!(await verifier.verify(text)).ok) throw new Error('the assertion is not good');
  await measure(`${algorithm}: verify`, () => verifier.verify(text));
  console.log(`${algorithm}: ${text?.length} characters`);
  keys.stop();
}

/** In the running service: CPU of the whole process for one `POST /decide` that is allowed, with and without assertions, interleaved. */
const REQUESTS = 4000;
const SERVER_ROUNDS = 5;
const common = {
  peps: [{ name: 'local', anonymous: true }],
  policy: { bundle: join(PROJECT_ROOT, 'policies') },
  decisions: { log: { sink: 'none' }, deadlineMs: 5000 },
};
const NAMES = ['without', 'ES256', 'EdDSA'] as const;
const services: Countersign[] = [];
for (const name of NAMES) {
  const proof = name === 'without' ? {} : { publicUrl: ISSUER, assertion: { keys: [{ id: 'k', pem: pemOf(name) }] } };
  services.push(await startCountersign({ config: { ...common, ...proof } }));
}
const body = JSON.stringify({ request: { method: 'GET', host: 'api.example.com', path: '/health' } });
const spent: number[][] = NAMES.map(() => []);
try {
  for (let round = 0; round <= SERVER_ROUNDS; round++) {
    for (const [index, service] of services.entries()) {
      const used = await cpuOf(service, REQUESTS);
      // the first round warms up
      if (round > 0) spent[index]?.push(used);
    }
  }
} finally {
  await Promise.all(services.map((service) => service.stop()));
}
const [plain = 0, ...proven] = spent.map(median);
console.log(`/decide in the running service: ${plain.toFixed(0)} µs of CPU`);
for (const [index, used] of proven.entries()) console.log(`with ${NAMES[index + 1]}: ${(used - plain).toFixed(0)} more`);

function pemOf(algorithm: 'ES256' | 'EdDSA'): string {
  const { privateKey } = algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function cpuOf({ httpPort, operationsPort }: Countersign, count: number): Promise<number> {
  const before = await cpuSeconds(operationsPort);
  for (let index = 0; index < count; index += 32) {
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        const answer = await fetch(`http://127.0.0.1:${httpPort}/decide`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        });
        if (!(await answer.text()).includes('"decision":"allow"')) throw new Error('it was not allowed');
      }),
    );
  }
  return (((await cpuSeconds(operationsPort)) - before) * 1e6) / count;
}

async function cpuSeconds(port: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^process_cpu_seconds_total ([\d.]+)/m.exec(metrics)?.[1]);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
