import { expect, test } from 'vitest';
import type { Decision } from '../../../src/contract/decision.ts';
import { decideAnswer } from '../../../src/endpoints/decide/respond.ts';
import { ALLOW } from '../fixtures.ts';

const written = (decision: Decision): unknown => JSON.parse(JSON.stringify(decideAnswer(decision)));

test('an allow has no response, no step_up and no error', () => {
  expect(written(ALLOW)).toEqual({
    decision_id: 'id-1',
    decision: 'allow',
    reasons: [{ code: 'access.scope_granted', effect: 'allow', title: 'The scope is granted' }],
    assurance: { level: 2, required: 1 },
    risk: { score: 0, factors: [] },
    obligations: [],
    upstream: { headers_to_set: { 'x-countersign-decision-id': 'id-1' }, headers_to_remove: ['x_countersign_decision_id'] },
    policy: { name: 'default', revision: 'r1' },
  });
});

test('exceptions that were used are told, with who answers for them', () => {
  const exceptions = [{ id: 'inc-7', owner: 'ann', reason: 'outage', endsAt: 1, rules: ['a.b'] }];
  expect(written({ ...ALLOW, exceptions })).toMatchObject({
    exceptions: [{ id: 'inc-7', owner: 'ann', reason: 'outage', ends_at: 1, rules: ['a.b'] }],
  });
});

test('a step-up says what would satisfy it, and the answer for the client', () => {
  const response = { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { title: 'x' } };
  const stepUp = { kind: 'authentication', methods: ['mfa'], acrValues: ['gold'], maxAgeSeconds: 300, scopes: [] } as const;
  expect(written({ ...ALLOW, effect: 'step_up', stepUp, response })).toMatchObject({
    decision: 'step_up',
    step_up: { kind: 'authentication', methods: ['mfa'], acr_values: ['gold'], max_age_seconds: 300 },
    response,
  });
  const scope = { kind: 'scope', methods: ['token'], acrValues: [], maxAgeSeconds: null, scopes: ['a', 'b'] } as const;
  expect(written({ ...ALLOW, effect: 'step_up', stepUp: scope })).toMatchObject({
    step_up: { kind: 'scope', methods: ['token'], scopes: ['a', 'b'] },
  });
});

test('a failure to decide is a deny with its code', () => {
  expect(written({ ...ALLOW, effect: 'deny', error: { code: 'deadline_exceeded' } })).toMatchObject({
    decision: 'deny',
    error: { code: 'deadline_exceeded' },
  });
});

test('signals and verdicts only where they were asked for; details of a reason where it has any', () => {
  const reasons = [{ code: 'rate.exceeded', effect: 'deny', title: 't', public: true, details: { limit: 5 } }] as const;
  expect(written({ ...ALLOW, reasons, explanation: { signals: { token: {} }, verdicts: [], rules: {} } })).toMatchObject({
    reasons: [{ code: 'rate.exceeded', details: { limit: 5 } }],
    signals: { token: {} },
    verdicts: [],
  });
});
