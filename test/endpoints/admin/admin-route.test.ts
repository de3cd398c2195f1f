import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DataAdmin, DataRequest, KnownRevision, PolicyAdmin } from '../../../src/contract/admin.ts';
import { CountersignError } from '../../../src/contract/errors.ts';
import type { Listener } from '../../../src/contract/lifecycle.ts';
import { isAdminTarget } from '../../../src/endpoints/admin/receive.ts';
import { createAdminRoute } from '../../../src/endpoints/admin/routes.ts';
import { createOperationsServer } from '../../../src/endpoints/operations/operations-server.ts';
import { createOperatorAuth } from '../../../src/endpoints/operations/operator-auth.ts';
import { send } from '../../support/http-client.ts';
import { createMemoryLogger, sha256 } from '../fixtures.ts';
import { STATUS } from '../operations/status-fixture.ts';
import { NO_DECISIONS } from './decision-admin.ts';
import { NO_REVOCATIONS } from './revocation-admin.ts';

const logger = createMemoryLogger();
let revisions: KnownRevision[] = [];
let asked: DataRequest[] = [];
let readPath: { policy: string; path: readonly string[] } | null = null;

const policies: PolicyAdmin = {
  status: () => STATUS.policies,
  revisions(name) {
    if (name !== 'default') throw new CountersignError('policy_unknown');
    return revisions;
  },
  async activate(_name, bundle) {
    if (bundle.byteLength < 4) throw new CountersignError('bundle_unreadable', { field: 'data.json', detail: 'not JSON' });
    revisions = [{ revision: 'r2', activatedAt: 2, active: true }, ...revisions.map((one) => ({ ...one, active: false }))];
  },
  async rollback(_name, revision) {
    if (revision === 'gone') throw new CountersignError('revision_unknown');
    revisions = [{ revision: revision ?? 'r0', activatedAt: 3, active: true }];
  },
  promote: async () => undefined,
  withdraw: () => undefined,
};
const data: DataAdmin = {
  list: (policy) => ({ policy, revision: 'r1+d3', dataRevision: 3, documents: [] }),
  async read(policy, path) {
    readPath = { policy, path };
    if (path[0] === 'broken') throw new TypeError('secret inside');
    return { bytes: Buffer.from('{"a":1}'), etag: '"e1"', revision: 'r1+d3' };
  },
  async change(request) {
    asked.push(request);
    if (request.condition.match !== null && request.condition.match !== '*') return { refused: 'precondition_failed' };
    const facts = { policy: request.policy, revision: 'r1+d4', dataRevision: 4, etag: '"e2"', persisted: true };
    return { ...facts, created: request.condition.match === null, before: null, after: { value: { a: 1 } } };
  },
};

let listener: Listener;
let port = 0;
beforeAll(async () => {
  const tokens = (['viewer', 'operator', 'admin'] as const).map((role) => ({ name: `${role}-1`, role, tokenSha256: sha256(role) }));
  const handle = createAdminRoute({
    policies,
    data,
    revocations: NO_REVOCATIONS,
    decisions: NO_DECISIONS,
    newId: () => 'id',
    operatorOf: createOperatorAuth(tokens),
    host: '127.0.0.1',
    publicHosts: ['ops.example'],
    bundleMaxBytes: 64,
    documentMaxBytes: 32,
    clock: { now: () => 0, monotonic: () => performance.now() },
    logger,
  });
  listener = createOperationsServer({
    host: '127.0.0.1',
    port: 0,
    tokens,
    readiness: () => ({ ready: true, parts: { policy: 'ready', keys: 'ready', store: 'ready', draining: false } }),
    status: () => STATUS,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    logger,
    admin: { isTarget: isAdminTarget, handle },
  });
  port = (await listener.start()).port;
});
afterAll(() => listener.stop(1000));
beforeEach(() => {
  revisions = [{ revision: 'r1', activatedAt: 1, active: true }];
  asked = [];
  logger.lines.length = 0;
});

type Ask = { method?: string; token?: string | null; headers?: readonly string[]; body?: string };
async function ask(path: string, { method = 'GET', token = 'admin', headers = [], body }: Ask = {}) {
  const authorization = token === null ? [] : ['authorization', `Bearer ${token}`];
  const answer = await send(port, { method, path, headers: [...authorization, ...headers], ...(body === undefined ? {} : { body }) });
  return { ...answer, json: JSON.parse(answer.body) };
}
const JSON_TYPE = ['content-type', 'application/json'];
const ANY = ['if-match', '*'];
const changes = (): unknown[] => logger.lines.filter(({ event }) => event === 'admin_change').map(({ fields }) => fields);

describe('who may', () => {
  test.each<[string, Ask, number, string]>([
    ['no token', { token: null }, 401, 'operator_unauthenticated'],
    ['a wrong one', { token: 'x' }, 401, 'operator_unauthenticated'],
    ['an Origin', { headers: ['origin', 'https://evil.example'] }, 403, 'origin_forbidden'],
    ['another host', { headers: ['host', 'evil.example'] }, 421, 'host_misdirected'],
  ])('%s', async (_name, how, status, code) => {
    const { json, ...answer } = await ask('/admin/v1/policies', how);
    expect([answer.status, json.code, answer.headers['content-type']]).toEqual([status, code, 'application/problem+json']);
  });

  test('a public host', async () => {
    expect((await ask('/admin/v1/policies', { headers: ['host', 'ops.example:443'] })).status).toBe(200);
  });

  const rollback = { method: 'POST', headers: JSON_TYPE, body: '{}' };
  const push = { method: 'PUT', headers: ['content-type', 'application/gzip'], body: 'bundle' };
  const put = { method: 'PUT', headers: [...JSON_TYPE, ...ANY], body: '{}' };
  test.each<[string, string, Ask, string[]]>([
    ['reads', '/admin/v1/policies/default', {}, ['viewer', 'operator', 'admin']],
    ['reads data', '/admin/v1/data/countersign/limits', {}, ['viewer', 'operator', 'admin']],
    ['goes back', '/admin/v1/policies/default/rollback', rollback, ['operator', 'admin']],
    ['promotes', '/admin/v1/policies/default/promote', rollback, ['admin']],
    ['withdraws', '/admin/v1/policies/default/withdraw', { method: 'POST' }, ['operator', 'admin']],
    ['pushes data', '/admin/v1/data/countersign/limits', put, ['operator', 'admin']],
    ['pushes policies', '/admin/v1/policies/default', push, ['admin']],
  ])('%s: %s', async (_name, path, how, roles) => {
    for (const token of ['viewer', 'operator', 'admin']) {
      const { status, json } = await ask(path, { ...how, token });
      expect([token, status, json.code]).toEqual(roles.includes(token) ? [token, 200, undefined] : [token, 403, 'operator_not_allowed']);
    }
  });

  test('a refusal of a known operator is in the log, without a value', async () => {
    await ask('/admin/v1/data/countersign/limits?policy=x', { token: 'viewer', ...put, body: '{"secret":"s3cr3t"}' });
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        event: 'admin_refused',
        fields: {
          operator: 'viewer-1',
          role: 'viewer',
          method: 'PUT',
          target: '/admin/v1/data/countersign/limits',
          code: 'operator_not_allowed',
        },
      },
    ]);
  });
});

describe('policies', () => {
  test('are listed', async () => {
    const shown = { name: 'default', state: 'active', revision: 'r1', activated_at: 1, rules: 2, routes: 3, last_error: null };
    expect((await ask('/admin/v1/policies')).json).toEqual({ policies: [shown] });
    const { json } = await ask('/admin/v1/policies/default');
    expect(json).toEqual({ ...shown, revisions: [{ revision: 'r1', activated_at: 1, active: true }] });
  });

  test('[asks 60] a bundle is activated by PUT and taken back by one call, both in the log', async () => {
    const put = await ask('/admin/v1/policies/default', { method: 'PUT', headers: ['content-type', 'application/gzip'], body: 'bundle' });
    expect([put.status, put.json]).toEqual([200, { name: 'default', revision: 'r2' }]);
    const back = await ask('/admin/v1/policies/default/rollback', { method: 'POST', headers: JSON_TYPE, body: '{"revision":"r1"}' });
    expect([back.status, back.json]).toEqual([200, { name: 'default', revision: 'r1' }]);
    const who = { operator: 'admin-1', role: 'admin', policy: 'default' };
    expect(changes()).toEqual([
      { ...who, action: 'policy_activate', before: 'r1', after: 'r2', bytes: 6 },
      { ...who, action: 'policy_rollback', before: 'r2', after: 'r1' },
    ]);
  });

  test.each<[string, string, Ask, number, string]>([
    [
      'a refused bundle',
      '/admin/v1/policies/default',
      { method: 'PUT', headers: ['content-type', 'application/gzip'], body: 'x' },
      400,
      'bundle_unreadable',
    ],
    [
      'too long',
      '/admin/v1/policies/default',
      { method: 'PUT', headers: ['content-type', 'application/gzip'], body: 'x'.repeat(65) },
      413,
      'body_too_large',
    ],
    ['no gzip', '/admin/v1/policies/default', { method: 'PUT', headers: JSON_TYPE, body: '{}' }, 415, 'media_type_unsupported'],
    [
      'encoded',
      '/admin/v1/policies/default',
      { method: 'PUT', headers: ['content-type', 'application/gzip', 'content-encoding', 'br'], body: '{}' },
      415,
      'media_type_unsupported',
    ],
    ['unknown', '/admin/v1/policies/other', {}, 404, 'policy_not_configured'],
    [
      'nothing kept',
      '/admin/v1/policies/default/rollback',
      { method: 'POST', headers: JSON_TYPE, body: '{"revision":"gone"}' },
      404,
      'revision_unknown',
    ],
    [
      'no revision',
      '/admin/v1/policies/default/rollback',
      { method: 'POST', headers: JSON_TYPE, body: '{"revision":7}' },
      400,
      'request_invalid',
    ],
    [
      'an unknown member',
      '/admin/v1/policies/default/rollback',
      { method: 'POST', headers: JSON_TYPE, body: '{"to":"r1"}' },
      400,
      'request_invalid',
    ],
    ['another method', '/admin/v1/policies', { method: 'DELETE' }, 405, 'method_not_allowed'],
    ['nothing there', '/admin/v1/policies/default/x', {}, 404, 'not_found'],
    ['nothing there', '/admin/v2/policies', {}, 404, 'not_found'],
    ['nothing there', '/admin', {}, 404, 'not_found'],
  ])('%s: %s %#', async (_name, path, how, status, code) => {
    const answer = await ask(path, how);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(changes()).toEqual([]);
  });

  test('a refused bundle says where', async () => {
    const how = { method: 'PUT', headers: ['content-type', 'application/gzip'], body: 'x' };
    expect((await ask('/admin/v1/policies/default', how)).json).toMatchObject({
      field: 'data.json',
      detail: expect.stringContaining('not JSON'),
    });
  });
});

describe('data', () => {
  test('is read with its tag', async () => {
    const answer = await ask('/admin/v1/data/countersign/limits/a%2Fb?policy=payments', { token: 'viewer' });
    expect([answer.status, answer.json, answer.headers['etag'], answer.headers['x-countersign-revision']]).toEqual([
      200,
      { a: 1 },
      '"e1"',
      'r1+d3',
    ]);
    expect(readPath).toEqual({ policy: 'payments', path: ['countersign', 'limits', 'a/b'] });
    await ask('/admin/v1/data/tenants/acme/x');
    expect(readPath).toEqual({ policy: 'acme', path: ['tenants', 'acme', 'x'] });
    expect((await ask('/admin/v1/data?policy=p')).json).toEqual({ policy: 'p', revision: 'r1+d3', data_revision: 3, documents: [] });
  });

  test.each<[string, readonly string[], string, unknown]>([
    ['PUT', JSON_TYPE, 'put', undefined],
    ['PATCH', ['content-type', 'application/merge-patch+json; charset=utf-8'], 'merge_patch', undefined],
    ['PATCH', ['content-type', 'application/json-patch+json'], 'json_patch', undefined],
    ['DELETE', [], 'delete', undefined],
  ])('%s with %j is a %s, and in the log', async (method, headers, kind) => {
    const answer = await ask('/admin/v1/data/countersign/limits', {
      method,
      headers: [...headers, ...ANY],
      ...(method === 'DELETE' ? {} : { body: '{}' }),
    });
    expect([answer.status, answer.headers['etag']]).toEqual([200, '"e2"']);
    expect(answer.json).toEqual({ policy: 'default', revision: 'r1+d4', data_revision: 4, persisted: true });
    expect(asked).toMatchObject([{ edit: { kind }, condition: { match: '*' }, operator: { name: 'admin-1', role: 'admin' } }]);
    const fields = { policy: 'default', path: 'countersign/limits', revision: 'r1+d4', before: null, after: { value: { a: 1 } } };
    expect(changes()).toEqual([{ operator: 'admin-1', role: 'admin', action: `data_${kind}`, ...fields }]);
  });

  test('what was not there is created', async () => {
    const how = { method: 'PUT', headers: [...JSON_TYPE, 'if-none-match', '*'], body: '{}' };
    expect((await ask('/admin/v1/data/countersign/limits', how)).status).toBe(201);
  });

  test.each<[string, string, Ask, number, string]>([
    ['no condition', '/a', { headers: JSON_TYPE }, 428, 'precondition_required'],
    ['another version', '/a', { headers: [...JSON_TYPE, 'if-match', '"e0", "e1"'] }, 412, 'precondition_failed'],
    ['a weak tag', '/a', { headers: [...JSON_TYPE, 'if-match', 'W/"e0"'] }, 400, 'request_invalid'],
    ['no tag', '/a', { headers: [...JSON_TYPE, 'if-match', 'e0'] }, 400, 'request_invalid'],
    ['two conditions', '/a', { headers: [...JSON_TYPE, ...ANY, 'if-none-match', '*'] }, 400, 'request_invalid'],
    ['not none', '/a', { headers: [...JSON_TYPE, 'if-none-match', '"e1"'] }, 400, 'request_invalid'],
    ['a merge patch by PUT', '/a', { headers: ['content-type', 'application/merge-patch+json', ...ANY] }, 415, 'media_type_unsupported'],
    ['JSON by PATCH', '/a', { method: 'PATCH', headers: [...JSON_TYPE, ...ANY] }, 415, 'media_type_unsupported'],
    ['too long', '/a', { headers: [...JSON_TYPE, ...ANY], body: `"${'x'.repeat(40)}"` }, 413, 'body_too_large'],
    ['an empty name', '/a//b', {}, 400, 'data_path_invalid'],
    ['a dot', '/a/%2e%2e/b', {}, 400, 'data_path_invalid'],
    ['no escape', '/a/%zz', {}, 400, 'data_path_invalid'],
    ['an odd query', '/a?x=1', {}, 400, 'request_invalid'],
    ['two policies', '/a?policy=a&policy=b', {}, 400, 'request_invalid'],
    ['another method', '/a', { method: 'POST', headers: JSON_TYPE }, 405, 'method_not_allowed'],
  ])('%s: %s', async (_name, path, how, status, code) => {
    const answer = await ask(`/admin/v1/data${path}`, { method: 'PUT', body: '{}', ...how });
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(changes()).toEqual([]);
  });

  test('a failure of ours is a 503 without its text, which is in the log', async () => {
    const answer = await ask('/admin/v1/data/broken');
    expect([answer.status, answer.body.includes('secret')]).toEqual([503, false]);
    expect(logger.lines.map(({ event }) => event)).toEqual(['admin_failed', 'admin_refused']);
  });
});
