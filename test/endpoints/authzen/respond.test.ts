import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/contract/decision.ts';
import { evaluationAnswer } from '../../../src/endpoints/authzen/respond.ts';
import { ALLOW } from '../fixtures.ts';

const REASON = { code: 'identity.too_low', effect: 'step_up', title: 'Too low', public: true, details: { required: 3 } } as const;
const stepUp = (more: Partial<NonNullable<Decision['stepUp']>>): Decision => ({
  ...ALLOW,
  effect: 'step_up',
  reasons: [REASON],
  stepUp: { kind: 'authentication', methods: [], acrValues: [], maxAgeSeconds: null, scopes: [], ...more },
});

describe('a step_up is false', () => {
  test('by authentication: the hint of the specification, and the obligation of the profile', () => {
    expect(evaluationAnswer(stepUp({ acrValues: ['urn:example:loa:3', 'urn:example:loa:4'], maxAgeSeconds: 300 }))).toEqual({
      decision: false,
      context: {
        decision_id: 'id-1',
        reasons: [{ code: 'identity.too_low', effect: 'step_up', title: 'Too low', details: { required: 3 } }],
        step_up: { kind: 'authentication', methods: [], acr_values: ['urn:example:loa:3', 'urn:example:loa:4'], max_age_seconds: 300 },
        acr_values: 'urn:example:loa:3 urn:example:loa:4',
        obligations: [{ id: 'obligation-1', type: 'step-up', properties: { acr_value: 'urn:example:loa:3', amr_values: [] } }],
      },
    });
  });

  test.each([
    ['binding', { methods: ['dpop', 'mtls'] }],
    ['authentication', { methods: ['token'] }],
    ['scope', { scopes: ['a'] }],
  ] as const)('by %s without an ACR: an obligation that only who knows it can meet', (kind, more) => {
    const { decision, context } = evaluationAnswer(stepUp({ kind, ...more }));
    expect(decision).toBe(false);
    expect(context).not.toHaveProperty('acr_values');
    expect(context['obligations']).toMatchObject([{ type: 'custom', properties: { vendor: 'countersign', action: 'step_up', kind } }]);
  });

  test('by approval', () => {
    expect(evaluationAnswer(stepUp({ kind: 'approval', methods: ['owner'] })).context).toMatchObject({ reason: 'approval_required' });
  });
});

test('obligations of a policy have the form of the profile, whatever the policy wrote', () => {
  const obligations = [
    { type: 'notification', id: 'tell', properties: { to: 'a', body: 'b' } },
    { type: 'watermark', text: 'secret' },
    { type: 'notification', to: 'a' },
  ];
  expect(evaluationAnswer({ ...ALLOW, obligations })).toEqual({
    decision: true,
    context: {
      decision_id: 'id-1',
      obligations: [
        { id: 'tell', type: 'notification', properties: { to: 'a', body: 'b' } },
        { id: 'obligation-2', type: 'custom', properties: { type: 'watermark', text: 'secret' } },
        { id: 'obligation-3', type: 'custom', properties: { type: 'notification', to: 'a' } },
      ],
    },
  });
});

test('a failure to decide is false with the error', () => {
  const failed: Decision = { ...ALLOW, effect: 'deny', error: { code: 'policy_not_loaded' } };
  expect(evaluationAnswer(failed)).toMatchObject({
    decision: false,
    context: { error: { status: 503, message: 'No policy is active', code: 'policy_not_loaded' } },
  });
});

describe('in monitor mode', () => {
  test.each(['deny', 'step_up'] as const)('what would have been a %s is true, and says so with the reasons', (would) => {
    expect(evaluationAnswer({ ...ALLOW, reasons: [REASON], would })).toEqual({
      decision: true,
      context: {
        decision_id: 'id-1',
        would,
        reasons: [{ code: 'identity.too_low', effect: 'step_up', title: 'Too low', details: { required: 3 } }],
      },
    });
  });

  test('an allow that was one says nothing of it', () => {
    expect(evaluationAnswer(ALLOW)).toEqual({ decision: true, context: { decision_id: 'id-1' } });
  });
});
