import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../src/contract/json.ts';
import type { DecisionRecord } from '../src/contract/record.ts';
import type { PolicySet } from '../src/decide/policies.ts';
import { editData } from './decide/bundles.ts';
import { plainBundle } from './decide/contracts/policy.ts';
import { baseBundle, createTestPolicies, policyOptions } from './decide/fixtures.ts';
import { createSigningKey, makeToken, type SigningKey } from './identify/fixtures.ts';
import { type AuthzenWorld, type AuthzenWorldOptions, startAuthzenWorld } from './support/authzen-world.ts';

/* Batches over the real listener and path. The policy allows what is asked about `yes`, and tells what it saw. */

const POLICY = `package said
decision := {
	"effect": effect,
	"reasons": [{"code": "said.so", "seen": {
		"subject": input.subject,
		"action": input.action,
		"resource": input.resource,
		"context": input.context,
		"flags": input.request.flags,
		"path": input.request.path,
		"token": input.signals.token.status,
		"address": input.signals.network,
		"rate": input.signals.rate,
	}}],
}
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
afterEach(() => world.stop());

async function start(more: Partial<AuthzenWorldOptions> = {}): Promise<void> {
  world = await startAuthzenWorld({ policies, trusts: ['subject', 'client_address'], key, ...more });
}

const YES = { resource: { type: 'record', id: 'yes' } };
const NO = { resource: { type: 'record', id: 'no' } };
const BASE = { subject: { type: 'user', id: 'alice' }, action: { name: 'read' } };
const Answers = z.strictObject({ evaluations: z.array(z.looseObject({ decision: z.boolean(), context: z.looseObject({}) })) });

async function batch(evaluations: readonly unknown[], more: JsonObject = {}) {
  const answer = await world.post('/access/v1/evaluations', { ...BASE, evaluations, ...more });
  expect(answer.status).toBe(200);
  const answers = Answers.parse(JSON.parse(answer.body)).evaluations;
  return { answers, decisions: answers.map(({ decision }) => decision), codes: answers.map(({ context }) => errorOf(context)) };
}

const errorOf = (context: object): unknown => ('error' in context && isJsonObject(context.error) ? context.error['code'] : null);
const stops = (semantic: string): JsonObject => ({ options: { evaluations_semantic: semantic } });

/** What the policy saw of each item, by the records. */
function seen(): JsonObject[] {
  return world.records.map(({ decision: { reasons } }) => {
    const said = reasons[0]?.details['seen'];
    return isJsonObject(said) ? said : {};
  });
}

describe('a batch', () => {
  test('finds out once who asks and counts once, and records every item', async () => {
    await start();
    const context = { request: { method: 'GET', path: '/a', headers: { authorization: `Bearer ${token}` } }, source: { ip: '192.0.2.9' } };
    const { decisions, answers } = await batch([YES, NO, YES], { context });
    expect(decisions).toEqual([true, false, true]);
    expect(world.asked).toEqual({ identified: 1, enriched: 1 });
    const ids = answers.map((one) => one.context['decision_id']);
    expect(new Set(ids).size).toBe(3);
    expect(world.records.map(({ decision }) => decision.id)).toEqual(ids);
    expect(world.records.map(({ further }) => further)).toEqual([undefined, { allowedBefore: true }, { allowedBefore: true }]);
    for (const rate of seen().map((one) => one['rate'])) {
      expect(rate).toMatchObject({ value: { token: { '1m': 1 }, address: { '1m': 1 }, client: { '1m': 1 } } });
    }
    await batch([YES, YES], { context });
    expect(seen().at(-1)?.['rate']).toMatchObject({ value: { token: { '1m': 2 }, address: { '1m': 2 } } });
  });

  test('[asks 65] stops at the first deny', async () => {
    await start();
    expect((await batch([YES, NO, YES], stops('deny_on_first_deny'))).decisions).toEqual([true, false]);
    expect(world.records).toHaveLength(2);
  });

  test('stops at the first permit', async () => {
    await start();
    expect((await batch([NO, {}, YES, NO], stops('permit_on_first_permit'))).decisions).toEqual([false, false, true]);
    expect(world.records).toHaveLength(2);
    expect((await batch([NO, NO, NO, YES], stops('execute_all'))).decisions).toEqual([false, false, false, true]);
  });

  test('takes an own member of an item in place of the whole default', async () => {
    await start();
    const subject = { type: 'user', id: 'alice', properties: { role: 'admin' } };
    const own = { subject: { type: 'user', id: 'bob' }, action: { name: 'write', properties: { soft: true } }, context: { b: 2 } };
    await batch([YES, { ...YES, ...own }], { subject, context: { a: 1 } });
    expect(seen()).toMatchObject([
      { subject: { id: 'alice', properties: { role: 'admin' } }, action: { name: 'read', properties: {} }, context: { a: 1 } },
      { subject: { id: 'bob', asserted: true, properties: {} }, action: { name: 'write', properties: { soft: true } }, context: { b: 2 } },
    ]);
    expect(seen()[1]?.['context']).toEqual({ b: 2 });
  });

  test('never takes the word of an item over a verified token', async () => {
    await start();
    const context = { token };
    await batch([YES, { ...YES, subject: { type: 'user', id: 'root', properties: { role: 'admin' } } }], { context });
    for (const one of seen()) {
      expect(one).toMatchObject({ token: 'present', subject: { type: 'client', id: 'svc-a', asserted: false, properties: {} } });
    }
  });
});

describe('the evidence', () => {
  test('is taken out of the context, and believed as far as the gateway is', async () => {
    await start({ trusts: [] });
    const context = {
      request: { method: 'GET', path: '/a', headers: { authorization: `Bearer ${token}` } },
      source: { ip: '192.0.2.9' },
      token: { claims: { sub: 'x' } },
      rate: { count: 1, window_seconds: 1 },
      tls: { ja4: 'x' },
      certificate: { subject: 'CN=a' },
      reason: 'kept',
    };
    await batch([YES], { context });
    const [one] = seen();
    expect(one?.['context']).toEqual({ reason: 'kept' });
    expect(one).toMatchObject({ path: '/a', token: 'present', address: { status: 'absent' }, subject: { id: 'svc-a' } });
    expect(one?.['flags']).toEqual(
      expect.arrayContaining([
        'untrusted_client_address',
        'untrusted_claims',
        'untrusted_rate',
        'untrusted_fingerprint',
        'untrusted_client_certificate',
        'untrusted_subject',
      ]),
    );
    expect(JSON.stringify(world.records[0]?.input('full'))).not.toContain(token);
  });

  test('of other forms is context like the rest', async () => {
    await start();
    const context = { source: 'batch-override', request: 7, tls: null, rate: [1] };
    await batch([YES], { context });
    expect(seen()[0]?.['context']).toEqual(context);
  });

  test('a token beside that of the headers is a second credential', async () => {
    await start();
    await batch([YES], { context: { token, request: { method: 'GET', path: '/', headers: { authorization: `Bearer ${token}` } } } });
    expect(seen()[0]).toMatchObject({ token: 'invalid' });
  });

  test('is that of the call: an item may repeat it, or leave it out, and bring no other', async () => {
    await start();
    const other = await makeToken(key, { sub: 'svc-b', client_id: 'svc-b' });
    const items = [YES, { ...YES, context: { token, a: 1 } }, { ...YES, context: { a: 2 } }, { ...YES, context: { token: other } }];
    const { codes } = await batch(items, { context: { token } });
    expect(codes).toEqual([null, null, null, 'evidence_differs']);
    expect(world.asked.identified).toBe(1);
    expect(seen()).toMatchObject([
      { token: 'present', context: {} },
      { token: 'present', context: { a: 1 } },
      { token: 'present', context: { a: 2 } },
    ]);
  });

  test('of one item is not that of another', async () => {
    await start();
    expect((await batch([{ ...YES, context: { token } }, YES])).codes).toEqual([null, 'evidence_differs']);
    expect((await batch([YES, { ...YES, context: { token } }])).codes).toEqual([null, 'evidence_differs']);
  });

  test('of a wrong form is the error of each item that has it', async () => {
    await start();
    const { codes } = await batch([YES, NO], { context: { source: { ip: 7 } } });
    expect(codes).toEqual(['request_invalid', 'request_invalid']);
    expect(world.records).toEqual([]);
    expect(world.refused).toEqual(['request_invalid', 'request_invalid']);
  });
});

describe('what cannot be decided is denied', () => {
  test('[asks 58] without a policy', async () => {
    await start({ policies: createTestPolicies() });
    const { decisions, codes } = await batch([YES, YES]);
    expect([decisions, codes]).toEqual([
      [false, false],
      ['policy_not_loaded', 'policy_not_loaded'],
    ]);
    expect(world.records).toHaveLength(2);
    expect((await batch([YES, YES], stops('deny_on_first_deny'))).decisions).toEqual([false]);
  });

  test('[asks 58] by a policy that grants nothing', async () => {
    const empty = createTestPolicies();
    await empty.activate('default', await editData(await baseBundle(), (data) => data));
    await start({ policies: empty });
    const { decisions } = await batch([YES, YES, YES]);
    expect(decisions).toEqual([false, false, false]);
    const nothing = createTestPolicies({ policies: { default: policyOptions({ contract: 'decision', entrypoint: 'none/decision' }) } });
    await nothing.activate('default', plainBundle('package none\ndecision := {"effect": "allow"} if false\n', 'none/decision'));
    await world.stop();
    await start({ policies: nothing });
    expect(await batch([YES, YES])).toMatchObject({ decisions: [false, false], codes: ['policy_result_invalid', 'policy_result_invalid'] });
  });

  test.each(['throws', 'rejects', 'hangs'] as const)('where a stage %s', async (how) => {
    await start({
      deadlineMs: 50,
      around: (parts) => ({
        ...parts,
        enricher: {
          ...parts.enricher,
          enrich() {
            if (how === 'throws') throw new Error('a fault of ours');
            return how === 'rejects' ? Promise.reject(new Error('a fault of ours')) : new Promise(() => {});
          },
        },
      }),
    });
    const code = how === 'hangs' ? 'deadline_exceeded' : 'internal_error';
    expect((await batch([YES, YES])).codes).toEqual([code, code]);
    const identified = (one: DecisionRecord): boolean => one.identity !== null && one.enrichment === null;
    expect(world.records.map(identified)).toEqual([true, true]);
  });

  test('after the deadline, item by item', async () => {
    let nowMs = 1000;
    await start({
      deadlineMs: 100,
      around: (parts) => {
        const record = (one: DecisionRecord): void => {
          nowMs += 60;
          parts.recorder.record(one);
        };
        return { ...parts, recorder: { record }, clock: { now: parts.clock.now, monotonic: () => nowMs } };
      },
      monotonic: () => nowMs,
    });
    expect((await batch([YES, YES, YES, YES])).codes).toEqual([null, null, 'deadline_exceeded', 'deadline_exceeded']);
  });

  test('stages that wait are waited for once', async () => {
    await start({
      around: (parts) => ({
        ...parts,
        enricher: { ...parts.enricher, enrich: async (request, identity, route) => parts.enricher.enrich(request, identity, route) },
      }),
    });
    expect((await batch([YES, NO, YES])).decisions).toEqual([true, false, true]);
    expect(world.asked).toEqual({ identified: 1, enriched: 1 });
  });
});

test('what a policy collects for one item is there for those after it', async () => {
  const COLLECTING = `package said
decision := {"effect": "deny", "collect": ["introspection"]} if input.signals.token.value.introspected_at == null
decision := {"effect": "allow"} if input.signals.token.value.introspected_at > 0
`;
  const set = createTestPolicies({ policies: { default: policyOptions({ contract: 'decision', entrypoint: 'said/decision' }) } });
  await set.activate('default', plainBundle(COLLECTING, 'said/decision'));
  let collected = 0;
  await start({
    policies: set,
    around: (parts) => ({
      ...parts,
      sources: {
        introspection: async (_request, facts) => {
          collected += 1;
          const { token: known } = facts.identity.signals;
          if (known.status !== 'present') return facts;
          const asked = { ...known, value: { ...known.value, introspectedAt: 5 } };
          return { ...facts, identity: { ...facts.identity, signals: { ...facts.identity.signals, token: asked } } };
        },
      },
    }),
  });
  const subject = { type: 'user', id: 'bob' };
  expect((await batch([YES, { ...YES, subject }, NO], { context: { token } })).decisions).toEqual([true, true, true]);
  expect(collected).toBe(1);
});
