// What a signed assertion costs a decision, and what it costs an upstream to verify one: node bench/assertion.ts
import { generateKeyPairSync } from 'node:crypto';
import { createAssertionVerifier } from '../src/client/assertion.ts';
import type { Decision } from '../src/contract/decision.ts';
import { ASSERTION_HEADER, createAssertion } from '../src/decide/assertion/assertion.ts';
import { loadSigningKeys } from '../src/decide/assertion/signing-keys.ts';
import { SMOKE_FACTS } from '../src/decide/smoke.ts';
import { readChangedFile } from '../src/stores/changed-file.ts';
import { systemClock } from '../src/system-clock.ts';

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
  const { privateKey } = algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const keys = await loadSigningKeys(
    { keys: [{ id: 'k', pem, file: null }], active: null },
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
