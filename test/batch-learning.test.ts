import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { recordAndObserve } from '../src/compose/after-decision.ts';
import type { JsonObject } from '../src/contract/json.ts';
import type { DecisionRecord } from '../src/contract/record.ts';
import type { Monitor } from '../src/contract/stages.ts';
import type { PolicySet } from '../src/decide/policies.ts';
import { createEnricher } from '../src/enrich/enricher.ts';
import { createMemories } from '../src/enrich/memories.ts';
import { createMemoryWindows } from '../src/stores/memory-windows.ts';
import { RecentEntries } from '../src/stores/recent-entries.ts';
import { plainBundle } from './decide/contracts/policy.ts';
import { createTestPolicies, policyOptions } from './decide/fixtures.ts';
import { MAKERS } from './enrich/behaviour/fixtures.ts';
import { createSigningKey, makeToken, type SigningKey, silentLogger } from './identify/fixtures.ts';
import { type AuthzenWorld, startAuthzenWorld } from './support/authzen-world.ts';

/* What is learnt of a client from a batch, over the real listener, path, enricher and memories. */

const POLICY = `package said
decision := {"effect": effect, "reasons": [{"code": "said.so"}]}
default effect := "deny"
effect := "allow" if input.resource.id == "yes"
`;

let key: SigningKey;
let token = '';
let policies: PolicySet;
beforeAll(async () => {
  key = await createSigningKey('k1');
  token = await makeToken(key);
  policies = createTestPolicies({ policies: { default: policyOptions({ contract: 'decision', entrypoint: 'said/decision' }) } });
  await policies.activate('default', plainBundle(POLICY, 'said/decision'));
});

let world: AuthzenWorld;
/** What was shown to those who watch decisions and learn nothing of clients. */
let shown: DecisionRecord[] = [];
beforeEach(() => {
  shown = [];
});
afterEach(() => world.stop());

async function start(learningRequests = 0, monitor?: Monitor): Promise<void> {
  const learning = { enabled: true, entriesMax: 100, learningRequests, learningHours: 0 };
  const memories = createMemories(
    { behaviour: { ...learning, feedbackEntriesMax: 10 }, device: { ...learning, known: [] }, peps: [], scope: 'process' },
    { ...MAKERS, recent: (max, ageMs) => new RecentEntries(max, ageMs), registeredOf: () => null, onCost: () => undefined },
  );
  world = await startAuthzenWorld({
    policies,
    key,
    around: (parts) => {
      const windows = createMemoryWindows({ entriesMax: 100, startedAtMs: 0 });
      const enricher = createEnricher({ databases: [], registryCountry: null, trustedProxies: [], windows, memories, clock: parts.clock });
      const watching = { observe: (record: DecisionRecord) => void shown.push(record) };
      const recorder = recordAndObserve(parts.recorder, [enricher, watching], silentLogger);
      return { ...parts, enricher, recorder, ...(monitor === undefined ? {} : { monitor }) };
    },
  });
}

async function ask(...ids: readonly string[]): Promise<void> {
  const headers: JsonObject = { authorization: `Bearer ${token}`, 'user-agent': 'agent/1' };
  const answer = await world.post('/access/v1/evaluations', {
    ...{ subject: { type: 'user', id: 'alice' }, action: { name: 'read' } },
    context: { request: { method: 'GET', path: '/a', headers } },
    evaluations: ids.map((id) => ({ resource: { type: 'record', id } })),
  });
  expect(answer.status).toBe(200);
}

/** What the next call is told of the client. */
async function known() {
  await ask('no');
  const { behaviour, device } = world.records.at(-1)?.enrichment ?? {};
  if (behaviour?.status !== 'present' || device?.status !== 'present') throw new Error('nothing is remembered');
  const { denials, idleSeconds, learning } = behaviour.value;
  return { denials, allowedBefore: idleSeconds !== null, learning, newDevice: device.value.newForClient };
}

test.each([
  [['yes', 'no', 'no'], { denials: 0, allowedBefore: true, newDevice: false }],
  [['no', 'yes', 'no'], { denials: 1, allowedBefore: true, newDevice: false }],
  [['no', 'no', 'no'], { denials: 1, allowedBefore: false, newDevice: true }],
])('of %j', async (ids, learnt) => {
  await start();
  await ask(...ids);
  expect(await known()).toMatchObject(learnt);
});

test('one call ends no time of learning by its many items', async () => {
  await start(2);
  await ask('no', 'yes', 'yes', 'yes');
  expect(await known()).toMatchObject({ learning: true });
  await ask('yes', 'yes');
  expect(await known()).toMatchObject({ learning: false });
});

test('what passed in monitor mode alone was not allowed', async () => {
  await start(0, { answer: (_request, decision) => ({ by: 'route', decision: { ...decision, effect: 'allow', would: 'deny' } }) });
  await ask('no', 'no');
  expect(await known()).toMatchObject({ allowedBefore: false });
  await ask('no', 'yes');
  expect(await known()).toMatchObject({ allowedBefore: true, newDevice: false });
});

test('whoever compares decisions is shown each', async () => {
  await start();
  await ask('yes', 'no', 'yes');
  expect(shown.map(({ decision }) => decision.id)).toEqual(world.records.map(({ decision }) => decision.id));
});
