import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FeedbackReport, FeedbackResult } from '../../../src/contract/behaviour.ts';
import { createPepAuth } from '../../../src/endpoints/pep-auth.ts';
import { ALLOW, pepOptions, type Served, serve, sha256 } from '../fixtures.ts';

const reports: FeedbackReport[] = [];
let result: FeedbackResult | 'throws' = 'accepted';
/** Decisions are kept in a store that answers later. */
let later = false;
let served: Served;

beforeAll(async () => {
  served = await serve(() => ALLOW, {
    pepAuth: createPepAuth(
      [
        pepOptions('edge', ['feedback'], { tokenSha256: sha256('edge') }),
        pepOptions('other', ['client_address'], { tokenSha256: sha256('other') }),
      ],
      ['default'],
    ),
    feedback: {
      report(report) {
        reports.push(report);
        if (result === 'throws') {
          const fault = new Error('a fault of ours');
          if (later) return Promise.reject(fault);
          throw fault;
        }
        return later ? Promise.resolve(result) : result;
      },
    },
  });
});
afterAll(() => served.listener.stop(1000));

async function post(body: unknown, headers: Record<string, string> = {}) {
  const sent = { 'content-type': 'application/json', 'x-countersign-pep-token': 'edge', ...headers };
  const answer = await fetch(`${served.url}/feedback`, {
    method: 'POST',
    headers: sent,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  const problem: unknown = text === '' ? null : JSON.parse(text);
  return { status: answer.status, told: answer.headers.get('x-countersign-feedback'), problem };
}

const REPORT = { decision_id: '01978a3c-0000-7000-8000-000000000001', outcome: 'failure', status: 404, cost: { tokens: 1200, eur: 0.25 } };

describe('POST /feedback', () => {
  test.each([
    ['accepted', 204],
    ['repeated', 204],
  ] as const)('%s', async (said, status) => {
    result = said;
    expect(await post(REPORT)).toEqual({ status, told: said, problem: null });
    expect(reports.at(-1)).toEqual({
      decisionId: REPORT.decision_id,
      outcome: 'failure',
      status: 404,
      cost: new Map([
        ['tokens', 1200],
        ['eur', 0.25],
      ]),
    });
  });

  test('a decision that is not known', async () => {
    result = 'unknown';
    expect(await post({ decision_id: 'x', outcome: 'success' })).toMatchObject({ status: 404, problem: { code: 'decision_unknown' } });
    expect(reports.at(-1)).toEqual({ decisionId: 'x', outcome: 'success', status: null, cost: new Map() });
  });

  test.each([
    ['a negative amount', { ...REPORT, cost: { tokens: -1 } }, 'cost.tokens'],
    ['a huge amount', { ...REPORT, cost: { tokens: 1e10 } }, 'cost.tokens'],
    ['an amount that is no number', { ...REPORT, cost: { tokens: '5' } }, 'cost.tokens'],
    ['an amount of null, which is what NaN is in JSON', { ...REPORT, cost: { tokens: null } }, 'cost.tokens'],
    ['a unit that is no name', { ...REPORT, cost: { 'To kens': 1 } }, 'cost.To kens'],
    ['too many units', { ...REPORT, cost: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`u${index}`, 1])) }, 'cost'],
    ['a unit named __proto__', `{"decision_id":"x","outcome":"success","cost":{"__proto__":1}}`, 'cost.__proto__'],
    ['another outcome', { ...REPORT, outcome: 'fine' }, 'outcome'],
    ['a status that is none', { ...REPORT, status: 1000 }, 'status'],
    ['no decision', { outcome: 'success' }, 'decision_id'],
    ['an id of 10 kB is no id of ours', { ...REPORT, decision_id: 'x'.repeat(7000) }, 'decision_id'],
    ['a member that is not known', { ...REPORT, outcomes: 'success' }, 'outcomes'],
    ['no object', [], ''],
  ])('400: %s', async (_what, body, field) => {
    const seen = reports.length;
    const { status, problem } = await post(body);
    expect(status).toBe(400);
    expect(problem).toMatchObject({ code: 'request_invalid', field });
    expect(reports).toHaveLength(seen);
  });

  test('400: a number that no double can hold, a name twice', async () => {
    expect(await post('{"decision_id":"x","outcome":"success","cost":{"tokens":1e400}}')).toMatchObject({ status: 400 });
    expect(await post('{"decision_id":"x","decision_id":"y","outcome":"success"}')).toMatchObject({
      problem: { code: 'body_duplicate_key' },
    });
  });

  test('only by a gateway that is trusted for it', async () => {
    const seen = reports.length;
    expect(await post(REPORT, { 'x-countersign-pep-token': 'other' })).toMatchObject({
      status: 403,
      problem: { code: 'feedback_not_allowed' },
    });
    expect(await post(REPORT, { 'x-countersign-pep-token': 'nobody' })).toMatchObject({
      status: 401,
      problem: { code: 'pep_unauthenticated' },
    });
    expect(await post(REPORT, { origin: 'https://evil.example' })).toMatchObject({ status: 403, problem: { code: 'origin_forbidden' } });
    expect(await post(REPORT, { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
    expect(reports).toHaveLength(seen);
    expect(served.refused).toEqual(expect.arrayContaining(['feedback_not_allowed', 'pep_unauthenticated', 'decision_unknown']));
  });

  test('nothing else is at this address', async () => {
    expect((await fetch(`${served.url}/feedback`)).status).toBe(405);
    for (const path of ['/feedback/', '/feedback?x=1', '/Feedback']) {
      expect((await fetch(`${served.url}${path}`, { method: 'POST' })).status).toBe(404);
    }
  });

  test('more than 8 KiB', async () => {
    expect(await post(JSON.stringify(REPORT) + ' '.repeat(9000))).toMatchObject({ status: 413, problem: { code: 'body_too_large' } });
  });

  test('a store that answers later, or not at all', async () => {
    later = true;
    result = 'repeated';
    expect(await post(REPORT)).toMatchObject({ status: 204, told: 'repeated' });
    result = 'unavailable';
    expect(await post(REPORT)).toMatchObject({ status: 503, problem: { code: 'store_unavailable' } });
    later = false;
  });

  test.each([false, true])('a fault of ours ends in a problem, later: %s', async (when) => {
    later = when;
    result = 'throws';
    expect(await post(REPORT)).toMatchObject({ status: 503, problem: { code: 'internal_error' } });
    expect(served.logger.lines.at(-1)?.event).toBe('feedback_failed');
  });
});

test('where no gateway is trusted to report, nobody may', async () => {
  const closed = await serve(() => ALLOW, {
    pepAuth: createPepAuth([pepOptions('edge', ['feedback'], { tokenSha256: sha256('edge') })], ['default']),
  });
  const answer = await fetch(`${closed.url}/feedback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer edge' },
    body: JSON.stringify(REPORT),
  });
  expect(answer.status).toBe(403);
  await closed.listener.stop(1000);
});
