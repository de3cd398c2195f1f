import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { editBundle } from './decide/bundles.ts';
import { baseBundle } from './decide/fixtures.ts';
import { type AdminCall, createAdminClient, OPERATORS } from './support/admin-client.ts';
import { type Countersign, startCountersign } from './support/countersign.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-admin-'));
const BUNDLE = join(folder, 'bundle.tar.gz');
let nextState = 0;
let service: Countersign;
let admin: ReturnType<typeof createAdminClient>;

/** The service on the base pack as a bundle, with a state folder of its own or with one that another one left. */
function start(state = join(folder, `state-${nextState++}`), bundle = BUNDLE, until: 'ready' | 'live' = 'ready'): Promise<Countersign> {
  return startCountersign({
    config: {
      operations: { tokens: OPERATORS },
      state: { directory: state },
      policy: { bundle },
      peps: [{ name: 'local', anonymous: true, trusts: ['client_address', 'explain'] }],
      admin: { documentMaxBytes: 65_536, dataMaxBytes: 131_072, exceptionMaxSeconds: 3600, exceptionsMax: 5 },
      drain: { noticeMs: 0, boundMs: 1000 },
    },
    until,
  });
}

const questionOf = (path: string, ip: string) =>
  JSON.stringify({ request: { id: '1', method: 'GET', scheme: 'https', host: 'api.example.com', path, headers: {} }, source: { ip } });

async function decide(port: number, path: string, ip = '192.0.2.1', explain = false): Promise<Record<string, unknown>> {
  const url = `http://127.0.0.1:${port}/decide${explain ? '?explain=true' : ''}`;
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: questionOf(path, ip) });
  return JSON.parse(await answer.text());
}

const codesOf = (decision: Record<string, unknown>): unknown[] =>
  Array.isArray(decision['reasons']) ? decision['reasons'].map(({ code }) => code) : [];
const linesOf = (one: Countersign, event: string): Record<string, unknown>[] =>
  one
    .output()
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line));

async function statusOf(one: Countersign): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${one.operationsPort}/status`, { headers: { authorization: 'Bearer viewer-token' } });
  return JSON.parse(await answer.text()).policies[0];
}
const inHour = (): number => Math.floor(Date.now() / 1000) + 3000;
const blocks = (addresses: readonly string[], more: AdminCall = {}): Promise<Awaited<ReturnType<typeof admin>>> =>
  admin('data/countersign/limits/network/addresses_blocked', { method: 'PUT', body: addresses, ...more });

beforeAll(async () => {
  writeFileSync(BUNDLE, await baseBundle());
  service = await start();
  admin = createAdminClient(service.operationsPort);
});
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

describe('data that is pushed', () => {
  test('a threshold and a route change without a policy build, and each decision names the revision', async () => {
    const before = await decide(service.httpPort, '/probe-new');
    expect(codesOf(before)).toContain('access.route_unknown');
    const { status, json, etag } = await admin('data/countersign/routes/probe', {
      method: 'PUT',
      ifNoneMatch: '*',
      body: { methods: ['GET'], path: '/probe-new', tier: 'low', public: true },
    });
    expect([status, json['persisted']]).toEqual([201, true]);
    const after = await decide(service.httpPort, '/probe-new');
    expect([after['decision'], after['policy']]).toEqual(['allow', { name: 'default', revision: json['revision'] }]);
    expect(json['revision']).toMatch(/^[0-9a-f]{16}\+d\d+$/);

    expect((await blocks(['192.0.2.7'])).status).toBe(200);
    expect(codesOf(await decide(service.httpPort, '/probe-new', '192.0.2.7'))).toEqual(['network.address_blocked']);
    expect((await decide(service.httpPort, '/probe-new', '192.0.2.8'))['decision']).toBe('allow');
    // other roots have versions of their own
    expect((await admin('data/countersign/routes/probe')).etag).toBe(etag);
    expect((await admin('data/countersign/routes/probe', { method: 'DELETE' })).status).toBe(200);
    expect(codesOf(await decide(service.httpPort, '/probe-new'))).toContain('access.route_unknown');
  });

  test('a patch of each kind', async () => {
    const merge = { method: 'PATCH', type: 'application/merge-patch+json', body: { '10s': 9, '1m': null } };
    expect((await admin('data/countersign/limits/rate/client', merge)).status).toBe(200);
    const patch = { method: 'PATCH', type: 'application/json-patch+json', body: [{ op: 'add', path: '/client/1h', value: 99 }] };
    expect((await admin('data/countersign/limits/rate', patch)).status).toBe(200);
    expect((await admin('data/countersign/limits/rate/client', { role: 'viewer' })).json).toEqual({ '10s': 9, '1h': 99 });
    const { limits } = await statusOf(service);
    expect(limits).toContainEqual(expect.objectContaining({ name: 'client-1h', limit: 99 }));
  });

  test.each<[string, string, AdminCall, number, string]>([
    ['not of the schema', 'countersign/limits/rate/client', { body: { '10s': 'many' } }, 400, 'bundle_data_invalid'],
    ['not a limit', 'countersign/limits/rate/cliemt', { ifNoneMatch: '*', body: {} }, 400, 'bundle_data_invalid'],
    ['no address', 'countersign/limits/network/addresses_blocked', { body: ['192.0.2.300'] }, 400, 'bundle_data_invalid'],
    [
      'no route',
      'countersign/routes/bad',
      { ifNoneMatch: '*', body: { methods: ['GET'], path: '/a/{b}/{b}', tier: 'low' } },
      400,
      'bundle_routes_invalid',
    ],
    [
      'a tier that is none',
      'countersign/routes/bad',
      { ifNoneMatch: '*', body: { methods: ['GET'], path: '/a', tier: 'none' } },
      400,
      'bundle_data_invalid',
    ],
    ['rules', 'countersign/rules/access', { body: {} }, 403, 'data_path_forbidden'],
    ['the whole', 'countersign', { body: {} }, 403, 'data_path_forbidden'],
    ['another tenant', 'tenants/other?policy=default', { body: {} }, 403, 'data_path_forbidden'],
    ['a tenant that is no policy', 'tenants/other', { body: {} }, 404, 'policy_not_configured'],
    ['a prototype', 'countersign/limits/__proto__', { body: {} }, 400, 'data_path_invalid'],
    ['a prototype inside', 'countersign/routes', { body: '{"__proto__":{}}' }, 400, 'body_invalid_json'],
    [
      'exceptions within the limits',
      'countersign/limits',
      { method: 'PATCH', type: 'application/merge-patch+json', body: { exceptions: {} } },
      403,
      'data_path_forbidden',
    ],
    ['too long', 'tenants/default', { body: 'x'.repeat(65_537) }, 413, 'body_too_large'],
    ['not the operator’s', 'countersign/routes/new', { role: 'operator', body: {} }, 403, 'operator_not_allowed'],
    ['not the operator’s', 'countersign/limits', { role: 'operator', body: {} }, 403, 'operator_not_allowed'],
    ['not the operator’s', 'countersign/limits/exceptions/e', { role: 'operator', body: {} }, 403, 'operator_not_allowed'],
    ['an old version', 'countersign/limits/rate', { ifMatch: '"0"', body: {} }, 412, 'precondition_failed'],
    ['no condition', 'countersign/limits/rate', { ifMatch: null, body: {} }, 428, 'precondition_required'],
    ['there already', 'countersign/limits/rate', { ifNoneMatch: '*', body: {} }, 412, 'precondition_failed'],
  ])('refused: %s (%s)', async (_name, path, call, status, code) => {
    const before = (await statusOf(service))['data'];
    const answer = await admin(`data/${path}`, { method: 'PUT', ...call });
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
    expect((await statusOf(service))['data']).toEqual(before);
  });

  test('an operator changes what the bundle lists as mutable', async () => {
    expect((await blocks(['192.0.2.7'], { role: 'operator' })).status).toBe(200);
    expect(linesOf(service, 'admin_change').at(-1)).toMatchObject({
      operator: 'operator-1',
      role: 'operator',
      action: 'data_put',
      path: 'countersign/limits/network/addresses_blocked',
      after: { value: ['192.0.2.7'] },
    });
  });

  test('all of it together has a bound, and a large side of a change is a digest in the log', async () => {
    const text = 'x'.repeat(60_000);
    expect((await admin('data/tenants/default/a', { method: 'PUT', ifNoneMatch: '*', body: { text } })).status).toBe(201);
    expect(linesOf(service, 'admin_change').at(-1)).toMatchObject({
      before: null,
      after: { bytes: 60_011, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect((await admin('data/tenants/default/b', { method: 'PUT', ifNoneMatch: '*', body: { text } })).status).toBe(201);
    const third = await admin('data/tenants/default/c', { method: 'PUT', ifNoneMatch: '*', body: { text } });
    expect([third.status, third.json['code']]).toEqual([413, 'data_too_large']);
    expect((await admin('data/tenants/default', { method: 'DELETE' })).status).toBe(200);
  });

  test('no update is lost: of pushes by one version exactly one is taken, under load too', async () => {
    let asking = true;
    const seen = new Set<string>();
    const load = (async () => {
      while (asking) {
        const { policy, error } = await decide(service.httpPort, '/orders/1');
        if (error !== undefined) throw new Error('a decision failed');
        seen.add(JSON.stringify(policy));
      }
    })();
    const { etag } = await admin('data/countersign/limits/rate');
    const answers = await Promise.all(
      [1, 2, 3, 4].map((limit) => admin('data/countersign/limits/rate/token', { method: 'PUT', ifMatch: etag, body: { '10s': limit } })),
    );
    asking = false;
    await load;
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412]);
    const taken = answers.find(({ status }) => status === 200)?.json['revision'];
    expect((await decide(service.httpPort, '/orders/1'))['policy']).toMatchObject({ revision: taken });
    expect(seen.size).toBeLessThanOrEqual(2);
  });

  test('outlives the process, and lies over each bundle', async () => {
    const state = join(folder, 'state-kept');
    const first = await start(state);
    const { json } = await createAdminClient(first.operationsPort)('data/countersign/limits/network/addresses_blocked', {
      method: 'PUT',
      body: ['192.0.2.7'],
    });
    await first.stop();
    const again = await start(state);
    onTestFinished(async () => void (await again.stop()));
    const call = createAdminClient(again.operationsPort);
    expect(await decide(again.httpPort, '/orders/1', '192.0.2.7')).toMatchObject({
      policy: { revision: json['revision'] },
      reasons: [{ code: 'network.address_blocked' }, {}],
    });
    expect(linesOf(again, 'data_restored')).toMatchObject([{ revision: 1, documents: 1 }]);

    const pushed = await call('policies/default', { method: 'PUT', type: 'application/gzip', body: await revised('r2') });
    expect([pushed.status, pushed.json]).toEqual([200, { name: 'default', revision: 'r2' }]);
    expect(await decide(again.httpPort, '/orders/1', '192.0.2.7')).toMatchObject({
      policy: { revision: 'r2+d1' },
      reasons: [{ code: 'network.address_blocked' }, {}],
    });
    // USER-ASKS 60
    expect((await call('policies/default/rollback', { method: 'POST', role: 'operator', body: {} })).json).toMatchObject({
      name: 'default',
    });
    expect((await decide(again.httpPort, '/orders/1'))['policy']).toMatchObject({ revision: json['revision'] });
  });

  test('that does not fit a new bundle keeps the bundle out, visibly, until the data is withdrawn', async () => {
    const one = await start();
    onTestFinished(async () => void (await one.stop()));
    const call = createAdminClient(one.operationsPort);
    await call('data/countersign/limits/rate/client', { method: 'PUT', body: { '10s': 7 } });
    const other = {
      method: 'PUT',
      type: 'application/gzip',
      body: await revised('r2', (text) => text.replace('"10s":{"type":"number","minimum":1}', '"10s":{"type":"number","minimum":100}')),
    };
    const refused = await call('policies/default', other);
    expect([refused.status, refused.json['code'], refused.json['field']]).toEqual([
      409,
      'data_unfit',
      'countersign.limits.rate.client.10s',
    ]);
    expect(await statusOf(one)).toMatchObject({ state: 'active', last_error: { code: 'data_unfit' }, data: { revision: 1 } });
    expect((await decide(one.httpPort, '/orders/1'))['policy']).toMatchObject({ revision: expect.stringMatching(/\+d1$/) });
    await call('data/countersign/limits/rate/client', { method: 'DELETE' });
    expect((await call('policies/default', other)).status).toBe(200);
    expect((await decide(one.httpPort, '/orders/1'))['policy']).toMatchObject({ revision: 'r2' });
  });

  test('that was damaged is left aside: the service starts, says so, and counts on', async () => {
    const state = join(folder, 'state-damaged');
    const first = await start(state);
    await createAdminClient(first.operationsPort)('data/countersign/limits/network/addresses_blocked', {
      method: 'PUT',
      body: ['192.0.2.7'],
    });
    await first.stop();
    const file = join(state, 'data', 'default', 'data.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('192.0.2.7', '192.0.2.8'));
    const again = await start(state);
    onTestFinished(async () => void (await again.stop()));
    expect(await statusOf(again)).toMatchObject({ state: 'active', data: { state: 'damaged', documents: 0 } });
    expect(linesOf(again, 'data_state_invalid')).toMatchObject([{ level: 'error', policy: 'default', code: 'state_invalid' }]);
    expect(readdirSync(join(state, 'data', 'default')).sort()).toEqual(['data.json', 'data.json.damaged']);
    const { json } = await createAdminClient(again.operationsPort)('data/countersign/limits/network/addresses_blocked', {
      method: 'PUT',
      body: ['192.0.2.7'],
    });
    expect(json['data_revision']).toBeGreaterThan(1_700_000_000);
    expect(await statusOf(again)).toMatchObject({ data: { state: 'ready', documents: 1 } });
  });
});

describe('a time-boxed exception', () => {
  const exception = (more: Record<string, unknown> = {}) => ({
    owner: 'ann@example.com',
    reason: 'INC-7',
    address: '198.51.100.9',
    rules: ['network.address_blocked'],
    ends_at: inHour(),
    ...more,
  });
  const push = (id: string, body: unknown, call: AdminCall = {}) =>
    admin(`data/countersign/limits/exceptions/${id}`, { method: 'PUT', ifNoneMatch: '*', body, ...call });

  test('takes back what a rule says, loudly, and ends', async () => {
    await admin('data/countersign/routes/open', {
      method: 'PUT',
      ifNoneMatch: '*',
      body: { methods: ['GET'], path: '/open', tier: 'low', public: true },
    });
    // the base pack blocks 198.51.100.0/24
    await admin('data/countersign/limits/network', { method: 'DELETE' });
    expect((await decide(service.httpPort, '/open', '198.51.100.9'))['decision']).toBe('deny');
    const pushed = await push('inc-7', exception());
    expect(pushed.status).toBe(201);
    const decision = await decide(service.httpPort, '/open', '198.51.100.9', true);
    expect(decision).toMatchObject({
      decision: 'allow',
      reasons: [
        { code: 'access.public_route' },
        { code: 'exception', details: { exceptions: [{ id: 'inc-7', owner: 'ann@example.com' }] } },
      ],
      policy: { revision: pushed.json['revision'] },
      exceptions: [{ id: 'inc-7', owner: 'ann@example.com', reason: 'INC-7', rules: ['network.address_blocked'] }],
    });
    expect(decision['verdicts']).toContainEqual(
      expect.objectContaining({ code: 'network.address_blocked', effect: 'clear', exempted_from: 'deny', exempted_by: 'inc-7' }),
    );
    expect((await decide(service.httpPort, '/open', '198.51.100.10'))['decision']).toBe('deny');

    const recorded = `"decision_id":"${decision['decision_id']}"`;
    await vi.waitFor(() => expect(service.output()).toContain(recorded), 5000);
    const line = service
      .output()
      .split('\n')
      .find((one) => one.includes(recorded));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      kind: 'decision',
      reasons: ['access.public_route', 'exception'],
      exceptions: [{ id: 'inc-7', owner: 'ann@example.com', reason: 'INC-7' }],
    });
    expect(await statusOf(service)).toMatchObject({
      data: { exceptions: [{ id: 'inc-7', owner: 'ann@example.com', address: '198.51.100.9' }] },
    });
    const metrics = await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text();
    expect(metrics).toContain('countersign_exception_uses_total{exception="inc-7",rule="network.address_blocked"} 1');
    expect(metrics).toContain('countersign_exceptions_active{policy="default"} 1');

    expect((await admin('data/countersign/limits/exceptions/inc-7', { method: 'DELETE' })).status).toBe(200);
    expect((await decide(service.httpPort, '/open', '198.51.100.9'))['decision']).toBe('deny');
  });

  test.each<[string, Record<string, unknown>]>([
    ['for ever', { ends_at: 9_999_999_999 }],
    ['past', { ends_at: 1 }],
    ['of an unknown rule', { rules: ['network.none'] }],
    ['of a rule that allows none', { rules: ['identity.revoked'] }],
    ['of nobody', { address: undefined }],
    ['without an owner', { owner: '' }],
  ])('is refused: %s', async (_name, more) => {
    const { status, json } = await push('bad', exception(more));
    expect([status, json['code']]).toEqual([400, 'exception_invalid']);
    expect(json['field']).toMatch(/^countersign\/limits\/exceptions\/bad/);
  });
});

/** The base pack under another revision, with its texts changed. */
async function revised(revision: string, change: (text: string) => string = (text) => text): Promise<Uint8Array> {
  return editBundle(await baseBundle(), (files) => {
    const manifest: unknown = JSON.parse(change(Buffer.from(files.get('.manifest') ?? '').toString()));
    files.set('.manifest', JSON.stringify({ ...Object(manifest), revision }));
    files.set('data.json', change(Buffer.from(files.get('data.json') ?? '').toString()));
  });
}
