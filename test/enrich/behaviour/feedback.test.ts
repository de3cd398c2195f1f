import { expect, test } from 'vitest';
import type { FeedbackReport } from '../../../src/contract/behaviour.ts';
import { createFeedback, type ReportedDecision } from '../../../src/enrich/behaviour/feedback.ts';
import { RecentEntries } from '../../../src/stores/recent-entries.ts';
import { createRemembered } from './client.ts';
import { T0 } from './fixtures.ts';

const KEYS = { pep: 'edge', client: 'agent-1', costs: [{ unit: 'tokens', counter: 'default/tokens', key: 'k' }] };
const EDGE = { name: 'edge' };
const report = (decisionId: string, more: Partial<FeedbackReport> = {}): FeedbackReport => ({
  decisionId,
  outcome: 'success',
  status: null,
  cost: new Map(),
  ...more,
});

function createBench() {
  const { behaviour, ask } = createRemembered();
  const costs: unknown[] = [];
  const recent = new RecentEntries<ReportedDecision>(100, 300_000);
  const feedback = createFeedback(recent, behaviour, (hits, nowMs) => costs.push([hits, nowMs]));
  return { ask, feedback, costs };
}

test('an outcome counts for the client of the decision, once', () => {
  const { ask, feedback } = createBench();
  ask({});
  for (const id of ['a', 'b', 'c', 'd', 'e']) feedback.note(id, KEYS, T0);
  expect(feedback.report(report('a'), T0 + 10, EDGE)).toBe('accepted');
  expect(feedback.report(report('a', { outcome: 'abuse' }), T0 + 11, EDGE)).toBe('repeated');
  for (const [id, outcome] of [
    ['b', 'failure'],
    ['c', 'failure'],
    ['d', 'error'],
    ['e', 'abuse'],
  ] as const) {
    feedback.report(report(id, { outcome }), T0 + 12, EDGE);
  }
  expect(ask({ atMs: T0 + 20 }).outcomes).toEqual({ failure: 2, abuse: 1 });
  expect(ask({ client: 'agent-2' }).outcomes).toEqual({ failure: 0, abuse: 0 });
  expect(feedback.status()).toEqual({ accepted: 5, repeated: 1, unknown: 0, entries: 5 });
});

test('a decision that is not known, or was made more than five minutes ago', () => {
  const { feedback, costs } = createBench();
  feedback.note('a', KEYS, T0);
  expect(feedback.report(report('b', { cost: new Map([['tokens', 1]]) }), T0, EDGE)).toBe('unknown');
  expect(feedback.report(report('a'), T0 + 300_001, EDGE)).toBe('unknown');
  expect([costs, feedback.status().unknown]).toEqual([[], 2]);
});

test('costs are handed on once, under the keys of the request', () => {
  const { feedback, costs } = createBench();
  feedback.note('a', { ...KEYS, client: null }, T0);
  for (const cost of [1200, 9]) feedback.report(report('a', { cost: new Map([['tokens', cost]]) }), T0 + 5, EDGE);
  expect(costs).toEqual([[[{ counter: 'default/tokens', key: 'k', amount: 1_200_000, thresholds: [] }], T0 + 5]]);
});

test('a gateway reports on its own decisions, and on those of the gateways that it was given', () => {
  const { ask, feedback, costs } = createBench();
  ask({});
  feedback.note('a', KEYS, T0);
  const abuse = report('a', { outcome: 'abuse', cost: new Map([['tokens', 1_000_000]]) });
  expect(feedback.report(abuse, T0 + 1, { name: 'other' })).toBe('unknown');
  expect(feedback.report(abuse, T0 + 1, { name: 'other', feedbackFor: ['another'] })).toBe('unknown');
  // neither counted for the client nor in the way of the one who may say it
  expect([costs, ask({ atMs: T0 + 2 }).outcomes?.abuse, feedback.status().unknown]).toEqual([[], 0, 2]);
  expect(feedback.report(report('a', { outcome: 'failure' }), T0 + 3, { name: 'app', feedbackFor: ['edge'] })).toBe('accepted');
  expect(ask({ atMs: T0 + 4 }).outcomes).toEqual({ failure: 1, abuse: 0 });
});
