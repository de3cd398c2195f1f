import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/contract/json.ts';
import type { Listener } from '../../../src/contract/lifecycle.ts';
import type { ListedRevocation, RevocationAdmin, RevocationQuery } from '../../../src/contract/revocations.ts';
import { isAdminTarget } from '../../../src/endpoints/admin/receive.ts';
import { createAdminRoute } from '../../../src/endpoints/admin/routes.ts';
import { createOperationsServer } from '../../../src/endpoints/operations/operations-server.ts';
import { createOperatorAuth } from '../../../src/endpoints/operations/operator-auth.ts';
import { type AdminCall, createAdminClient, OPERATORS } from '../../support/admin-client.ts';
import { createMemoryLogger } from '../fixtures.ts';
import { STATUS } from '../operations/status-fixture.ts';
import { NO_DECISIONS } from './decision-admin.ts';

const logger = createMemoryLogger();
const LISTED: ListedRevocation = { id: 'i1', kind: 'client', members: { client: 'a' }, reason: 'r', by: 'ann', at: 1, expiresAt: null };
let added: readonly JsonValue[] = [];
let queried: RevocationQuery | null = null;

const revocations: RevocationAdmin = {
  list(query) {
    queried = query;
    return { total: 1, revocations: [LISTED], next: null };
  },
  read: (id) => (id === 'i1' ? LISTED : null),
  async add(values) {
    added = values;
    if (values[0] === 'away') return { refused: 'store_unavailable', unconfirmed: ['i8', 'i9'] };
    return { changes: values.map(() => ({ before: null, after: LISTED })), persisted: true, shared: false };
  },
  remove: async (id) =>
    id === 'i1' ? { changes: [{ before: LISTED, after: null }], persisted: true, shared: true } : { refused: 'revocation_unknown' },
};

let listener: Listener;
let ask: ReturnType<typeof createAdminClient>;
beforeAll(async () => {
  const unused = () => Promise.resolve({ refused: 'internal_error' } as const);
  const handle = createAdminRoute({
    policies: { status: () => [], revisions: () => [], activate: unused, rollback: unused, promote: unused, withdraw: () => undefined },
    data: { list: () => ({ refused: 'internal_error' }), read: unused, change: unused },
    revocations,
    decisions: NO_DECISIONS,
    newId: () => 'id',
    operatorOf: createOperatorAuth(OPERATORS),
    host: '127.0.0.1',
    publicHosts: [],
    bundleMaxBytes: 64,
    documentMaxBytes: 4096,
    clock: { now: () => 0, monotonic: () => performance.now() },
    logger,
  });
  listener = createOperationsServer({
    ...{ host: '127.0.0.1', port: 0, tokens: OPERATORS, logger },
    readiness: () => ({ ready: true, parts: { policy: 'ready', keys: 'ready', store: 'ready', draining: false } }),
    status: () => STATUS,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    admin: { isTarget: isAdminTarget, handle },
  });
  ask = createAdminClient((await listener.start()).port);
});
afterAll(() => listener.stop(1000));

const BODY = { client: 'a', reason: 'r' };

test.each<[string, string, AdminCall, string[]]>([
  ['lists', 'revocations', {}, ['viewer', 'operator', 'admin']],
  ['reads', 'revocations/i1', {}, ['viewer', 'operator', 'admin']],
  ['revokes', 'revocations', { method: 'POST', body: BODY }, ['operator', 'admin']],
  ['takes back', 'revocations/i1', { method: 'DELETE' }, ['admin']],
])('%s, by role', async (_name, path, how, roles) => {
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    const { status, json } = await ask(path, { ...how, role });
    expect([role, status < 300, json['code']]).toEqual(
      roles.includes(role) ? [role, true, undefined] : [role, false, 'operator_not_allowed'],
    );
  }
});

test.each<[string, string, AdminCall, number, string]>([
  ['another method', 'revocations', { method: 'PUT', body: BODY }, 405, 'method_not_allowed'],
  ['text', 'revocations', { method: 'POST', body: 'client', type: 'text/plain' }, 415, 'media_type_unsupported'],
  ['no JSON', 'revocations', { method: 'POST', body: '{' }, 400, 'body_invalid_json'],
  ['a name twice', 'revocations', { method: 'POST', body: '{"client":"a","client":"b","reason":"r"}' }, 400, 'body_duplicate_key'],
  ['neither one nor a list', 'revocations', { method: 'POST', body: '"a"' }, 400, 'request_invalid'],
  ['an empty list', 'revocations', { method: 'POST', body: [] }, 400, 'request_invalid'],
  ['more than a list may have', 'revocations', { method: 'POST', body: Array(1001).fill(1) }, 400, 'request_invalid'],
  ['more than a body may have', 'revocations', { method: 'POST', body: Array(3000).fill(1) }, 413, 'body_too_large'],
  ['an unknown parameter', 'revocations?page=2', {}, 400, 'request_invalid'],
  ['a parameter twice', 'revocations?limit=1&limit=2', {}, 400, 'request_invalid'],
  ['no limit', 'revocations?limit=0', {}, 400, 'request_invalid'],
  ['a limit too high', 'revocations?limit=1001', {}, 400, 'request_invalid'],
  ['an unknown kind', 'revocations?kind=user', {}, 400, 'request_invalid'],
  ['one that is not there', 'revocations/i2', {}, 404, 'revocation_unknown'],
  ['one that is not there, back', 'revocations/i2', { method: 'DELETE' }, 404, 'revocation_unknown'],
  ['something below one', 'revocations/i1/more', {}, 404, 'not_found'],
])('%s is refused', async (_name, path, how, status, code) => {
  const answer = await ask(path, how);
  expect([answer.status, answer.json['code'], answer.headers.get('content-type')]).toEqual([status, code, 'application/problem+json']);
});

test('what is asked for, and the answer', async () => {
  const { json } = await ask('revocations?limit=7&after=x&kind=token');
  expect(queried).toEqual({ limit: 7, after: 'x', kind: 'token' });
  const shown = { id: 'i1', kind: 'client', client: 'a', reason: 'r', by: 'ann', at: 1, expires_at: null };
  expect(json).toEqual({ total: 1, revocations: [shown], next: null });
  await ask('revocations');
  expect(queried).toEqual({ limit: 100, after: null, kind: null });
  const many = await ask('revocations', { method: 'POST', body: [BODY, BODY] });
  expect([added, many.status, many.json]).toEqual([[BODY, BODY], 201, { revocations: [shown, shown], persisted: true, shared: false }]);
  logger.lines.length = 0;
  expect((await ask('revocations/i1', { method: 'DELETE' })).json).toEqual({ revocations: [shown], persisted: true, shared: true });
  expect(logger.lines).toEqual([
    {
      level: 'info',
      event: 'admin_change',
      fields: {
        ...{ operator: 'admin-1', role: 'admin', action: 'revocation_remove', revocation: 'i1', before: shown, after: null },
        ...{ persisted: true, shared: true },
      },
    },
  ]);
  const away = await ask('revocations', { method: 'POST', body: ['away'] });
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
});

test('what nobody knows to be done is a line of the log, one each', async () => {
  const { status, json } = await ask('revocations', { method: 'POST', body: ['away'], role: 'operator' });
  expect([status, Object.keys(json)]).toEqual([503, expect.not.arrayContaining(['unconfirmed'])]);
  for (const revocation of ['i8', 'i9']) {
    const fields = { operator: 'operator-1', role: 'operator', action: 'revocation_add_unconfirmed', revocation };
    expect(logger.lines).toContainEqual(expect.objectContaining({ event: 'admin_change', fields }));
  }
});
