import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FeedbackReport } from '../../../src/contract/behaviour.ts';
import { parseReportable } from '../../../src/enrich/shared/reportable.ts';
import { createSharedFeedback } from '../../../src/enrich/shared/shared-feedback.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { T0 } from '../behaviour/fixtures.ts';
import { openReplica } from './worlds.ts';

const KEYS = { pep: 'edge', client: 'agent-1', costs: [{ unit: 'tokens', counter: 'default/tokens', key: 'k' }] };
const EDGE = { name: 'edge' };
const AGE_MS = 300_000;
const report = (decisionId: string, more: Partial<FeedbackReport> = {}): FeedbackReport => ({
  decisionId,
  outcome: 'success',
  status: null,
  cost: new Map(),
  ...more,
});

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await redis.command('FLUSHALL');
});

async function openFeedback(notesMax = 100) {
  const replica = await openReplica({ url: redis.url });
  const costs: unknown[] = [];
  const feedback = createSharedFeedback({ ageMaxMs: AGE_MS, notesMax }, replica.shared, replica.clients, (...cost) => costs.push(cost));
  return { ...replica, feedback, costs };
}

test('a report to one replica about a decision of another counts, once, for the client and the costs', async () => {
  const [one, two] = [await openFeedback(), await openFeedback()];
  await one.ask({});
  one.feedback.note('d-1', KEYS, T0);
  await one.shared.ask(() => [{ tag: 'o:d-1', before: ['EXISTS'], args: [] }], T0, 500);
  const told = report('d-1', { outcome: 'abuse', cost: new Map([['tokens', 1200]]) });
  const answers = await Promise.all([two.feedback.report(told, T0 + 10, EDGE), one.feedback.report(told, T0 + 10, EDGE)]);
  expect(answers.toSorted()).toEqual(['accepted', 'repeated']);
  expect([...one.costs, ...two.costs]).toEqual([[[{ counter: 'default/tokens', key: 'k', amount: 1_200_000, thresholds: [] }], T0 + 10]]);
  await two.shared.ask(() => [{ tag: 'c:agent-1', before: ['EXISTS'], args: [] }], T0, 500);
  await one.shared.ask(() => [{ tag: 'c:agent-1', before: ['EXISTS'], args: [] }], T0, 500);
  expect((await one.ask({ atMs: T0 + 20 })).behaviour).toMatchObject({
    value: { outcomes: { failure: 0, abuse: 1 } },
  });
  const [first, second] = [one.feedback.status(), two.feedback.status()];
  expect([first.accepted + second.accepted, first.repeated + second.repeated, first.entries]).toEqual([1, 1, null]);
  const leftMs = Number((await redis.command('PTTL', 'test:{o:d-1}:m')).slice(1));
  expect([leftMs > 0, leftMs <= AGE_MS]).toEqual([true, true]);
});

test('a decision that nobody made, one of five minutes ago, and a value of another form', async () => {
  const { feedback, shared, costs } = await openFeedback();
  feedback.note('d-1', KEYS, T0);
  expect(await feedback.report(report('d-2'), T0, EDGE)).toBe('unknown');
  expect(await feedback.report(report('d-1', { cost: new Map([['tokens', 1]]) }), T0 + AGE_MS + 1, EDGE)).toBe('unknown');
  await redis.command('SET', 'test:{o:d-3}:m', '{"client":7}');
  expect(await feedback.report(report('d-3'), T0, EDGE)).toBe('unknown');
  expect([costs, feedback.status().unknown, shared.status().dropped]).toEqual([[], 3, 0]);
});

test('no more decisions are noted in five minutes than may be', async () => {
  const { feedback } = await openFeedback(2);
  for (const id of ['a', 'b', 'c']) feedback.note(id, KEYS, T0);
  expect(await feedback.report(report('b'), T0, EDGE)).toBe('accepted');
  expect(await feedback.report(report('c'), T0, EDGE)).toBe('unknown');
  expect(feedback.status()).toMatchObject({ unnoted: 1 });
  feedback.note('d', KEYS, T0 + AGE_MS);
  expect(await feedback.report(report('d'), T0 + AGE_MS, EDGE)).toBe('accepted');
});

test('a store that is away is told', async () => {
  const own = await startRedis();
  const replica = await openReplica({ url: own.url });
  const feedback = createSharedFeedback({ ageMaxMs: AGE_MS, notesMax: 100 }, replica.shared, replica.clients, () => undefined);
  await own.kill();
  expect(await feedback.report(report('a'), T0, EDGE)).toBe('unavailable');
  expect(feedback.status()).toMatchObject({ unavailable: 1 });
});

test.each(['', 'null', '[]', '{', '{"client":"a","at":"x","costs":[]}', '{"client":"a","at":1,"costs":{}}'])(
  '%s is no decision',
  (text) => {
    expect(parseReportable(text)).toBeNull();
  },
);

test('a cost of another form is left out', () => {
  const cost = { unit: 'tokens', counter: 'c', key: 'k' };
  expect(parseReportable(JSON.stringify({ pep: 'edge', client: null, at: 1, costs: [cost, { unit: 1 }, null] }))).toEqual({
    pep: 'edge',
    client: null,
    at: 1,
    costs: [cost],
  });
});

test('a gateway does not use up, or learn of, the report on a decision that another one asked for', async () => {
  const { feedback, shared } = await openFeedback();
  await (await openFeedback()).ask({});
  feedback.note('d-1', KEYS, T0);
  await shared.ask(() => [{ tag: 'o:d-1', before: ['EXISTS'], args: [] }], T0, 500);
  const [other, app] = [{ name: 'other' }, { name: 'app', feedbackFor: ['edge'] }];
  expect(await feedback.report(report('d-1'), T0, other)).toBe('unknown');
  expect(await feedback.report(report('d-1'), T0, app)).toBe('accepted');
  expect(await feedback.report(report('d-1'), T0, EDGE)).toBe('repeated');
  expect(await feedback.report(report('d-1'), T0, other)).toBe('unknown');
});
