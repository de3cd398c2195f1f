import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newKey } from './support/assertion-keys.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from './support/countersign.ts';
import { at, isNode, type Node, problemsWith, problemsWithAnswer } from './support/openapi.ts';

/* The document against the running service: what it says of questions and answers is what is taken and given. */

const TEXT = readFileSync(join(PROJECT_ROOT, 'docs/openapi.json'), 'utf8');
const DOCUMENT: Node = JSON.parse(TEXT);
const TOKEN = 'token-of-the-openapi-test';
let service: Countersign;

beforeAll(async () => {
  service = await startCountersign({
    config: {
      publicUrl: 'https://countersign.example.com',
      assertion: {
        keys: [
          { id: 'k1', pem: newKey('ES256').pem },
          { id: 'k2', pem: newKey('EdDSA').pem },
        ],
      },
      peps: [
        {
          name: 'edge',
          tokenSha256: createHash('sha256').update(TOKEN).digest('hex'),
          trusts: ['client_address', 'claims', 'subject', 'explain', 'feedback', 'rate'],
          dialect: 'nginx',
        },
      ],
      policy: { bundle: join(PROJECT_ROOT, 'policies') },
      behaviour: {},
    },
  });
});
afterAll(() => service.stop());

type Call = { readonly method?: string; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };
function call(target: string, { method = 'POST', body, headers = {} }: Call = {}): Promise<Response> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  return fetch(`http://127.0.0.1:${service.httpPort}${target}`, {
    method,
    headers: { ...type, 'x-countersign-pep-token': TOKEN, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}
const operation = (path: string, method = 'post'): Node => at(DOCUMENT, 'paths', path, method);
const questionSchema = (path: string): unknown => at(operation(path), 'requestBody', 'content', 'application/json')['schema'];

const request = { method: 'GET', scheme: 'https', host: 'api.example', path: '/health', headers: { accept: '*/*', 'x-dup': ['a', 'b'] } };
const SUBJECT = { subject: { type: 'user', id: 'a' }, action: { name: 'read' }, resource: { type: 'doc', id: '1' } };

test('the service gives the document that is committed', async () => {
  const answer = await call('/openapi.json', { method: 'GET' });
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([200, 'application/json', TEXT]);
});

test('every reference in it leads somewhere, and every operation has a name of its own', () => {
  const references = [...TEXT.matchAll(/"\$ref": "#\/([^"]+)"/g)].map(([, path = '']) => path);
  expect(references.length).toBeGreaterThan(20);
  expect(references.filter((path) => Object.keys(at(DOCUMENT, ...path.split('/'))).length === 0)).toEqual([]);
  const ids = [...TEXT.matchAll(/"operationId": "([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

describe('a good question is good by the document, and so is its answer', () => {
  test.each([
    ['/decide', { request, source: { ip: '203.0.113.7' }, context: { a: [1] } }],
    ['/decide', { request: { ...request, path: '/orders' }, token: { claims: { sub: 'a', scope: 'orders:read' } } }],
    ['/decide', { request: { ...request, method: 'POST', path: '/payments' }, token: { claims: { sub: 'a', client_id: 'c' } } }],
    ['/decide?explain=true', { request, rate: { count: 1, window_seconds: 60 }, certificate: { dns: ['a.example'] } }],
    ['/decide', { ...SUBJECT, policy: 'default', tls: { sni: 'a', version: 'TLSv1.3' } }],
    ['/access/v1/evaluation', { ...SUBJECT, context: { request } }],
    ['/access/v1/evaluations', { ...SUBJECT, evaluations: [{}, { action: { name: 'write' } }, { action: 'bad' }] }],
    ['/access/v1/evaluations', { ...SUBJECT, evaluations: [] }],
  ])('%s %j', async (target, body) => {
    const [path = ''] = target.split('?');
    expect(problemsWith(DOCUMENT, questionSchema(path), body)).toEqual([]);
    const answer = await call(target, { body });
    expect(answer.status).toBe(200);
    expect(await problemsWithAnswer(DOCUMENT, operation(path), answer)).toEqual([]);
  });

  test('of what became of a request', async () => {
    const { decision_id: id } = Object(await (await call('/decide', { body: { request } })).json());
    const body = { decision_id: id, outcome: 'success', status: 200, cost: { tokens: 5 } };
    expect(problemsWith(DOCUMENT, questionSchema('/feedback'), body)).toEqual([]);
    const answer = await call('/feedback', { body });
    expect([answer.status, await problemsWithAnswer(DOCUMENT, operation('/feedback'), answer)]).toEqual([204, []]);
  });

  test.each(['/.well-known/jwks.json', '/.well-known/authzen-configuration'])('%s', async (path) => {
    const answer = await call(path, { method: 'GET' });
    expect([answer.status, await problemsWithAnswer(DOCUMENT, operation(path, 'get'), answer)]).toEqual([200, []]);
    const wrong = await call(path, { method: 'DELETE' });
    expect([wrong.status, await problemsWithAnswer(DOCUMENT, operation(path, 'get'), wrong)]).toEqual([405, []]);
  });

  test.each([
    ['/health', 200],
    ['/orders', 401],
    ['/nowhere', 401],
    [null, 403],
  ])('/forward-auth for %s', async (uri, status) => {
    const asked = {
      'x-original-method': 'GET',
      'x-original-host': 'api.example',
      'x-original-proto': 'https',
      'x-original-remote-addr': '203.0.113.7',
      ...(uri === null ? {} : { 'x-original-uri': uri }),
    };
    const named: unknown = operation('/forward-auth', 'get')['parameters'];
    const names = (Array.isArray(named) ? named : []).flatMap((one) => (isNode(one) ? [one['name']] : []));
    expect(names).toEqual(expect.arrayContaining(Object.keys(asked)));
    const answer = await call('/forward-auth', { method: 'GET', headers: asked });
    expect(answer.status).toBe(status);
    // a refusal of the question has fewer members than a decision, all of them documented
    if (status !== 200) expect(await problemsWithAnswer(DOCUMENT, operation('/forward-auth', 'get'), answer)).toEqual([]);
  });
});

describe('a bad question is bad by the document, and its problem is documented', () => {
  test.each([
    ['/decide', { reqest: request }],
    ['/decide', { request: { path: '/a' } }],
    ['/decide', { request: { ...request, headers: { a: 1 } } }],
    ['/decide', { request: { ...request, headers: { 'a b': 'c' } } }],
    ['/decide', { source: { ip: '1', port: 65_536 } }],
    ['/decide', { certificate: {} }],
    ['/decide', []],
    ['/feedback', { decision_id: 'x', outcome: 'fine' }],
    ['/feedback', { decision_id: 'x', outcome: 'success', cost: { Tokens: 1 } }],
    ['/access/v1/evaluation', { subject: { type: 'user' } }],
    ['/access/v1/evaluations', { evaluations: [], subject: {} }],
    ['/access/v1/evaluations', { evaluations: [{}], options: { evaluations_semantic: 'some' } }],
  ])('%s %j', async (path, body) => {
    expect(problemsWith(DOCUMENT, questionSchema(path), body)).not.toEqual([]);
    const answer = await call(path, { body });
    expect([answer.status, await problemsWithAnswer(DOCUMENT, operation(path), answer)]).toEqual([400, []]);
  });

  test.each([
    ['no JSON', 400, { body: '{' }],
    ['nothing', 400, { body: '', headers: { 'content-type': 'application/json' } }],
    ['another gateway', 401, { body: {}, headers: { 'x-countersign-pep-token': 'other' } }],
    ['a browser', 403, { body: {}, headers: { origin: 'https://evil.example' } }],
    ['another method', 405, { method: 'PUT', body: {} }],
    ['another type', 415, { body: 'a', headers: { 'content-type': 'text/plain' } }],
  ] satisfies [string, number, Call][])('by %s', async (_what, status, one) => {
    for (const path of ['/decide', '/feedback', '/access/v1/evaluation', '/access/v1/evaluations']) {
      const answer = await call(path, one);
      const wanted = status === 415 && path.startsWith('/access') ? 400 : status;
      expect([path, answer.status, await problemsWithAnswer(DOCUMENT, operation(path), answer)]).toEqual([path, wanted, []]);
    }
  });
});

test('what is not documented is found', async () => {
  const answer = (body: unknown, status = 200, type = 'application/json') =>
    new Response(JSON.stringify(body), { status, headers: { 'content-type': type } });
  const good = Object(await (await call('/decide', { body: { request } })).json());
  const wrong = [{ ...good, more: 1 }, { ...good, decision: 'permit' }, { ...good, reasons: [] }, { ...good, decision_id: undefined }, []];
  for (const body of wrong) expect(await problemsWithAnswer(DOCUMENT, operation('/decide'), answer(body))).not.toEqual([]);
  for (const [status, type] of [
    [201, 'application/json'],
    [200, 'text/html'],
    [400, 'application/json'],
  ] as const)
    expect(await problemsWithAnswer(DOCUMENT, operation('/decide'), answer(good, status, type))).not.toEqual([]);
  const problem = { type: 't', title: 't', status: 400, code: 'body_empty' };
  const problemType = 'application/problem+json';
  expect(await problemsWithAnswer(DOCUMENT, operation('/decide'), answer(problem, 400, problemType))).toEqual([]);
  expect(
    await problemsWithAnswer(DOCUMENT, operation('/decide'), answer({ ...problem, code: 'bundle_unreadable' }, 400, problemType)),
  ).not.toEqual([]);
});
