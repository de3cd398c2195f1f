import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CODES } from '../../../src/contract/codes.ts';
import type { Decision } from '../../../src/contract/decision.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { send } from '../../support/http-client.ts';
import { ALLOW, type Served, serve } from '../fixtures.ts';

/* The letter of the wire; what is decided is what the test says. */

let served: Served;
let decision: Decision | 'throws' | 'rejects' = ALLOW;
const batches: (readonly DecisionRequest[])[] = [];
const PUBLIC_URL = 'https://pdp.example.com/tenant';
const authzen = {
  batch: {
    decideBatch({ items }: { readonly items: readonly DecisionRequest[] }) {
      batches.push(items);
      if (decision === 'throws') throw new Error('a fault of ours');
      const said = decision === 'rejects' ? ALLOW : decision;
      return items.map(() => said);
    },
  },
  publicUrl: PUBLIC_URL,
  evaluationsMax: 3,
};
beforeAll(async () => {
  served = await serve(
    () => {
      if (decision === 'throws') throw new Error('a fault of ours');
      return decision === 'rejects' ? Promise.reject(new Error('a fault of ours')) : decision;
    },
    { authzen },
  );
});
afterAll(() => served.listener.stop(1000));

const QUESTION = { subject: { type: 'user', id: 'alice' }, action: { name: 'read' }, resource: { type: 'record', id: '1' } };
const EVALUATION = '/access/v1/evaluation';
const EVALUATIONS = '/access/v1/evaluations';

async function post(path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') {
  const answer = await send(served.port, {
    method,
    path,
    headers: Object.entries({ 'content-type': 'application/json', 'x-countersign-pep-token': 'edge-token', ...headers }).flat(),
    ...(method === 'POST' ? { body: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
  });
  return { ...answer, json: (): unknown => JSON.parse(answer.body) };
}

describe('one evaluation', () => {
  test('[asks 64] needs no context, and answers 200 with a boolean', async () => {
    decision = ALLOW;
    const answer = await post(EVALUATION, QUESTION);
    expect([answer.status, answer.json()]).toEqual([200, { decision: true, context: { decision_id: 'id-1' } }]);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-countersign-decision-id': 'id-1',
    });
    expect(answer.headers).not.toHaveProperty('x-request-id');
    expect(served.asked.at(-1)).toMatchObject({ endpoint: 'authzen', context: {}, requestId: null, subject: { id: 'alice' } });
  });

  test('gives the id of the request back, and to the record', async () => {
    const answer = await post(EVALUATION, QUESTION, { 'X-Request-ID': 'bfe9eb29-ab87' });
    expect(answer.headers['x-request-id']).toBe('bfe9eb29-ab87');
    expect(served.asked.at(-1)?.requestId).toBe('bfe9eb29-ab87');
    const refused = await post(EVALUATION, '{', { 'X-Request-ID': 'bfe9eb29-ab88' });
    expect([refused.status, refused.headers['x-request-id']]).toEqual([400, 'bfe9eb29-ab88']);
    expect((await post(EVALUATION, QUESTION, { 'X-Request-ID': 'x'.repeat(1025) })).headers).not.toHaveProperty('x-request-id');
  });

  test('ignores what it does not know, wherever it is', async () => {
    const body = {
      ...QUESTION,
      subject: { ...QUESTION.subject, more: 1 },
      foo: 'bar',
      evaluations: 7,
      context: { tls: { sni: 'A', more: 1 } },
    };
    expect((await post(EVALUATION, body)).status).toBe(200);
    expect(served.asked.at(-1)).toMatchObject({ subject: { id: 'alice', properties: {} }, tls: { sni: 'a' }, context: {} });
  });

  test.each([
    ['no subject', { ...QUESTION, subject: undefined }, 'request_invalid', 'subject'],
    ['a subject of a wrong type', { ...QUESTION, subject: 'alice' }, 'request_invalid', 'subject'],
    ['no id', { ...QUESTION, resource: { type: 'record' } }, 'request_invalid', 'resource.id'],
    ['a null context', { ...QUESTION, context: null }, 'request_invalid', 'context'],
    ['properties that are none', { ...QUESTION, action: { name: 'a', properties: [] } }, 'request_invalid', 'action.properties'],
    ['a list', [QUESTION], 'request_invalid', undefined],
    ['evidence of a wrong form', { ...QUESTION, context: { source: { ip: 7 } } }, 'request_invalid', 'context.source.ip'],
    ['a request without its path', { ...QUESTION, context: { request: { method: 'GET' } } }, 'request_invalid', 'context.request.path'],
    [
      'a header that is none',
      { ...QUESTION, context: { request: { method: 'GET', path: '/', headers: { a: 1 } } } },
      'request_invalid',
      'context.request.headers.a',
    ],
    [
      'a deep context',
      { ...QUESTION, context: { a: { b: { c: { d: { e: { f: { g: { h: {} } } } } } } } } },
      'context_too_large',
      'context',
    ],
    ['a large context', { ...QUESTION, context: { a: 'x'.repeat(17_000) } }, 'context_too_large', 'context'],
    ['a name twice', '{"subject":{},"subject":{}}', 'body_duplicate_key', 'subject'],
    ['a lone surrogate', '{"subject":"\\ud800"}', 'body_lone_surrogate', undefined],
    ['nothing', '', 'body_empty', undefined],
  ] as const)('%s is a 400 with a text', async (_name, body, code, field) => {
    const answer = await post(EVALUATION, body);
    expect([answer.status, answer.headers['content-type']]).toEqual([400, 'text/plain; charset=utf-8']);
    expect(answer.headers['x-countersign-error']).toBe(code);
    expect(answer.body).toBe(field === undefined ? CODES[code].text : `${CODES[code].text}: ${field}`);
    expect(served.refused.at(-1)).toBe(code);
  });

  test.each([
    ['no JSON', { 'content-type': 'text/plain' }, 400],
    ['no content type', { 'content-type': '' }, 400],
    ['a coding', { 'content-encoding': 'gzip' }, 415],
    ['a page of a browser', { origin: 'https://elsewhere.example' }, 403],
    ['another host', { host: 'elsewhere.example' }, 421],
  ] as const)('%s', async (_name, headers, status) => {
    expect((await post(EVALUATION, QUESTION, headers)).status).toBe(status);
  });

  test('a gateway that is not known is 401, by a challenge that says whom it means', async () => {
    for (const path of [EVALUATION, EVALUATIONS, '/access/v1/search/subject']) {
      const answer = await post(path, QUESTION, { 'x-countersign-pep-token': 'wrong' });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="Countersign PDP: the calling gateway"']);
      expect(answer.headers).not.toHaveProperty('x-countersign-decision-id');
    }
    const bearer = { 'x-countersign-pep-token': 'edge-token', authorization: 'Bearer edge-token' };
    expect((await post(EVALUATION, QUESTION, bearer)).status).toBe(200);
  });

  test('another method', async () => {
    for (const path of [EVALUATION, EVALUATIONS]) {
      const answer = await post(path, undefined, {}, 'GET');
      expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    }
  });

  test.each(['throws', 'rejects'] as const)('a fault of ours that %s is a 500', async (how) => {
    decision = how;
    const answer = await post(EVALUATION, QUESTION);
    expect([answer.status, answer.body]).toEqual([500, CODES.internal_error.text]);
    decision = ALLOW;
  });
});

describe('searches', () => {
  test.each(['subject', 'resource', 'action'])('%s is 501', async (name) => {
    const answer = await post(`/access/v1/search/${name}`, QUESTION, { 'x-request-id': 'r' });
    expect([answer.status, answer.headers['x-countersign-error'], answer.headers['x-request-id']]).toEqual([
      501,
      'search_not_supported',
      'r',
    ]);
  });
});

describe('the metadata', () => {
  const get = (path: string, host = 'pdp.example.com') => send(served.port, { path, headers: ['host', host] });

  test('name the id as it is configured, and the endpoints below it', async () => {
    const answer = await get('/.well-known/authzen-configuration/tenant');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(answer.body)).toEqual({
      policy_decision_point: PUBLIC_URL,
      access_evaluation_endpoint: `${PUBLIC_URL}/access/v1/evaluation`,
      access_evaluations_endpoint: `${PUBLIC_URL}/access/v1/evaluations`,
      supported_obligations: ['step-up', 'notification', 'session_termination', 'custom'],
    });
    for (const path of [`/tenant${EVALUATION}`, `/tenant${EVALUATIONS}`]) expect((await post(path, QUESTION)).status).toBe(200);
  });

  test('are of this id alone, and of GET', async () => {
    expect((await get('/.well-known/authzen-configuration')).status).toBe(404);
    expect((await get('/.well-known/authzen-configuration/other')).status).toBe(404);
    const posted = await post('/.well-known/authzen-configuration/tenant', {});
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  test('are not there without a public URL, while decisions are made', async () => {
    const bare = await serve(() => ALLOW, { authzen: { ...authzen, publicUrl: null } });
    const headers = ['content-type', 'application/json'];
    const asked = await send(bare.port, { method: 'POST', path: EVALUATION, headers, body: JSON.stringify(QUESTION) });
    const told = await send(bare.port, { path: '/.well-known/authzen-configuration' });
    await bare.listener.stop(1000);
    expect([asked.status, told.status]).toEqual([200, 404]);
  });
});

describe('a batch', () => {
  test('more than it may have is a 400', async () => {
    const answer = await post(EVALUATIONS, { ...QUESTION, evaluations: [{}, {}, {}, {}] });
    expect([answer.status, answer.headers['x-countersign-error']]).toEqual([400, 'batch_too_large']);
    expect((await post(EVALUATIONS, { ...QUESTION, evaluations: [{}, {}, {}] })).status).toBe(200);
  });

  test.each([
    ['an unknown semantic', { options: { evaluations_semantic: 'first' } }, 'options.evaluations_semantic'],
    ['options that are none', { options: 'execute_all' }, 'options'],
    ['evaluations that are none', { evaluations: {} }, 'evaluations'],
    ['a default of a wrong type', { subject: 'alice' }, 'subject'],
  ])('%s is a 400', async (_name, more, field) => {
    const answer = await post(EVALUATIONS, { ...QUESTION, evaluations: [{}], ...more });
    expect([answer.status, answer.body]).toEqual([400, `${CODES.request_invalid.text}: ${field}`]);
  });

  test('an option that is not known is ignored', async () => {
    const body = { ...QUESTION, evaluations: [{}], options: { evaluations_semantic: 'execute_all', another_option: 'value' } };
    expect((await post(EVALUATIONS, body)).json()).toEqual({ evaluations: [{ decision: true, context: { decision_id: 'id-1' } }] });
  });

  test('a bad item is its own error, and the others are decided', async () => {
    decision = ALLOW;
    const evaluations = [{ resource: { type: 'record' } }, {}, 7];
    const answer = await post(EVALUATIONS, { ...QUESTION, evaluations });
    expect(answer.json()).toEqual({
      evaluations: [
        {
          decision: false,
          context: { error: { status: 400, code: 'request_invalid', message: `${CODES.request_invalid.text}: resource.id` } },
        },
        { decision: true, context: { decision_id: 'id-1' } },
        {
          decision: false,
          context: { error: { status: 400, code: 'request_invalid', message: `${CODES.request_invalid.text}: evaluations` } },
        },
      ],
    });
    expect(batches.at(-1)).toHaveLength(1);
  });

  test('a bad item is a deny for what stops at the first one', async () => {
    const evaluations = [{}, { subject: null }, {}];
    const answer = await post(EVALUATIONS, { ...QUESTION, evaluations, options: { evaluations_semantic: 'deny_on_first_deny' } });
    expect(answer.json()).toMatchObject({ evaluations: [{ decision: true }, { decision: false, context: { error: { status: 400 } } }] });
    expect(batches.at(-1)).toHaveLength(1);
  });

  test('a fault of ours is a 500', async () => {
    decision = 'throws';
    expect((await post(EVALUATIONS, { ...QUESTION, evaluations: [{}] })).status).toBe(500);
    decision = ALLOW;
  });
});
