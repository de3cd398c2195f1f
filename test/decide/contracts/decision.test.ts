import { describe, expect, it } from 'vitest';
import { readDecision } from '../../../src/decide/contracts/decision.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { bundleWith } from '../bundles.ts';
import { createTestPolicies, policyOptions } from '../fixtures.ts';
import { activePolicy, decided } from './policy.ts';

/* Policies that read our input and make the decision themselves. */

const ENTRYPOINT = 'acme/authz/decision';
/** The decision is whatever the question's context says. */
const SAID = 'package acme.authz\n\ndecision := input.context.result\n';

async function said(result: unknown) {
  const policy = await activePolicy(SAID, { contract: 'decision', entrypoint: ENTRYPOINT });
  const context = JSON.parse(JSON.stringify(result === undefined ? {} : { result }));
  return decided(policy, { ...SMOKE_FACTS.request, id: 'id-1', context });
}

it('an allow with what the upstream and the client get', async () => {
  const { decision, cause } = await said({
    effect: 'allow',
    reasons: ['acme.granted', { code: 'acme.note', title: 'A note', public: true, by: 'x' }],
    obligations: [{ log: true }],
    upstream: {
      headers_to_set: { 'X-Team': ['a', 'b'], 'x-n': 7, 'x-countersign-risk': '0' },
      headers_to_remove: ['X-Secret'],
      response_headers_to_set: { 'x-r': '1', 'Set-Cookie': ['a=1', 'b=2'] },
    },
  });
  expect(cause).toBeNull();
  expect(decision).toMatchObject({
    effect: 'allow',
    reasons: [
      { code: 'acme.granted', effect: 'allow', title: 'acme.granted', public: false, details: {} },
      { code: 'acme.note', effect: 'allow', title: 'A note', public: true, details: { by: 'x' } },
    ],
    obligations: [{ log: true }],
    upstream: {
      headersToSet: { 'x-team': 'a', 'x-n': '7', 'x-countersign-risk': '0' },
      headersToAppend: [['x-team', 'b']],
      responseHeadersToSet: { 'x-r': '1' },
      responseHeadersToAppend: [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    },
    response: null,
    error: null,
  });
  expect(decision.upstream.headersToRemove).toContain('x-secret');
});

it('a deny with a response of its own, and one without', async () => {
  const own = await said({
    effect: 'deny',
    reasons: ['acme.no'],
    response: { status: 451, headers: { 'x-a': '1' }, body: { why: 'law' } },
  });
  expect(own.decision).toMatchObject({
    effect: 'deny',
    response: {
      status: 451,
      headers: { 'x-a': '1', 'content-type': 'application/json', 'x-countersign-decision-id': 'id-1' },
      body: { why: 'law' },
    },
  });
  const plain = await said({ effect: 'deny', response: null });
  expect(plain.decision).toMatchObject({
    reasons: [{ code: 'policy.deny' }],
    response: { status: 403, headers: { 'content-type': 'application/problem+json' }, body: { status: 403, decision_id: 'id-1' } },
  });
  const text = await said({ effect: 'deny', response: { body: 'no', headers: { 'Content-Type': 'text/html' } } });
  expect(text.decision.response).toMatchObject({ status: 403, text: 'no', headers: { 'content-type': 'text/html' } });
});

it('a step_up has its challenge, unless the policy writes the answer', async () => {
  const { decision } = await said({ effect: 'step_up', step_up: { kind: 'authentication', acr_values: ['phr'], max_age_seconds: 60 } });
  expect(decision.stepUp).toEqual({ kind: 'authentication', methods: [], acrValues: ['phr'], maxAgeSeconds: 60, scopes: [] });
  expect([decision.response?.status, decision.response?.headers['www-authenticate']]).toEqual([
    401,
    expect.stringContaining('acr_values="phr"'),
  ]);
  const own = await said({
    effect: 'step_up',
    step_up: { kind: 'approval', methods: ['manager'] },
    response: { status: 409, body: 'ask' },
  });
  expect(own.decision).toMatchObject({ effect: 'step_up', response: { status: 409, text: 'ask' } });
});

it.each([
  [{ effect: 'step_up' }],
  [{ effect: 'step_up', step_up: null }],
  [{ effect: 'step_up', step_up: { kind: 'scope' } }],
  [{ effect: 'step_up', step_up: { kind: 'binding', acr_values: ['x'] } }],
  [{ effect: 'step_up', step_up: { kind: 'authentication', scopes: ['x'] } }],
])('%j cannot be met: a deny', async (result) => {
  const { decision } = await said(result);
  expect(decision).toMatchObject({ effect: 'deny', reasons: [{ code: 'step_up_impossible' }], response: { status: 403 } });
});

describe('[asks 94] anything else is a deny policy_result_invalid', () => {
  it.each<[unknown]>([
    [undefined],
    [null],
    [true],
    ['allow'],
    [1],
    [[]],
    [{}],
    [{ effect: 'ALLOW' }],
    [{ effect: true }],
    [{ effect: 'clear' }],
    [{ effect: 'allow', allow: true }],
    [{ effect: 'allow', reasons: 'x' }],
    [{ effect: 'allow', reasons: [{ title: 'x' }] }],
    [{ effect: 'allow', reasons: ['a b'] }],
    [{ effect: 'allow', obligations: ['x'] }],
    [{ effect: 'allow', step_up: { kind: 'scope', scopes: ['a'] } }],
    [{ effect: 'step_up', step_up: { kind: 'magic', methods: ['x'] } }],
    [{ effect: 'allow', upstream: { headers_to_set: ['x'] } }],
    [{ effect: 'allow', upstream: { headers_to_set: { a: {} } } }],
    [{ effect: 'allow', upstream: { headers: {} } }],
    [{ effect: 'deny', response: { status: 200 } }],
    [{ effect: 'deny', response: { status: '403' } }],
    [{ effect: 'deny', response: { body: 7 } }],
    [{ effect: 'deny', respnse: {} }],
  ])('%j', async (result) => {
    const { decision } = await said(result);
    expect(decision).toMatchObject({ effect: 'deny', error: { code: 'policy_result_invalid' }, response: { status: 503 } });
    expect(decision.upstream).toEqual({ headersToSet: {}, headersToRemove: [] });
  });
});

it('a policy collects by its own list, and an unknown name is an error', () => {
  expect(readDecision({ effect: 'allow', collect: ['sources.crm', 'introspection'] }).collect).toEqual(['introspection', 'sources.crm']);
  expect(() => readDecision({ effect: 'allow', collect: ['magic'] })).toThrow(expect.objectContaining({ code: 'policy_collect_unknown' }));
});

it('a folder with an entry point of its own is compiled, with the base pack beside it', async () => {
  const rego =
    'package acme.authz\n\nimport data.countersign.lib.is\n\ndefault decision := {"effect": "deny"}\n\ndecision := {"effect": "allow"} if is.at_most(1, input.context.level)\n';
  const set = createTestPolicies({ policies: { default: policyOptions({ contract: 'decision', entrypoint: ENTRYPOINT }) } });
  const policy = await set.activate(
    'default',
    await bundleWith({ 'own.rego': rego, '.manifest': '{"roots":[""],"rego_version":1}' }, ENTRYPOINT),
  );
  expect(decided(policy, SMOKE_FACTS.request).decision.effect).toBe('deny');
  expect(decided(policy, { ...SMOKE_FACTS.request, explain: true }).decision.explanation?.verdicts).toEqual([]);
  expect(decided(policy, { ...SMOKE_FACTS.request, context: { level: 2 } }).decision.effect).toBe('allow');
});
