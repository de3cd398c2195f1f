import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Countersign } from '../support/countersign.ts';
import { send } from '../support/http-client.ts';
import { startRedis } from '../support/redis.ts';
import { createWorld, jsonObject, type World } from './world.ts';

/** What is remembered of a client, asked of the real process: device, behaviour, and outcomes that a gateway reports. */

const JA4 = 't13d1516h2_8daaf6152771_b186095e22b6';
const OTHER_JA4 = 't13d1516h2_000000000000_b186095e22b6';
const TOKEN = 'the token of the edge';

let world: World;
let service: Countersign;
let bearer: string;

beforeAll(async () => {
  world = await createWorld();
  const tokenSha256 = createHash('sha256').update(TOKEN).digest('hex');
  const trusts = ['client_address', 'fingerprint', 'feedback', 'explain'];
  service = await world.service({
    peps: [
      { name: 'edge', tokenSha256, trusts },
      { name: 'local', anonymous: true, trusts: ['client_address', 'explain'] },
    ],
    behaviour: { learningRequests: 2, learningHours: 0 },
    device: { learningRequests: 2, learningHours: 0, known: [{ client: 'agent-a', ja4: JA4 }] },
    operations: { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update('ops').digest('hex') }] },
  });
  bearer = await world.bearer('agent-a', 'orders:read');
});
afterAll(() => world.stop());

async function post(path: string, body: unknown, token: string | null = TOKEN) {
  const headers = ['content-type', 'application/json', ...(token === null ? [] : ['x-countersign-pep-token', token])];
  return send(service.httpPort, { method: 'POST', path, headers, body: JSON.stringify(body) });
}

type Question = { path?: string; method?: string; ip?: string; ja4?: string; authorization?: string };

async function decide({ path = '/orders/1', method = 'GET', ip = '203.0.113.7', ja4 = JA4, authorization = bearer }: Question = {}) {
  const answer = await post('/decide?explain=true', {
    request: { method, scheme: 'https', host: 'api.example.com', path, headers: { authorization, 'user-agent': 'agent/1' } },
    source: { ip },
    tls: { ja4 },
  });
  expect(answer.status).toBe(200);
  const { decision, decision_id: id, signals } = jsonObject(answer.body);
  const { device, behaviour } = jsonObject(JSON.stringify(signals));
  return { decision, id: String(id), device: presentValue(device), behaviour: presentValue(behaviour) };
}

function presentValue(signal: unknown): Record<string, unknown> {
  const { status, value } = jsonObject(JSON.stringify(signal));
  expect(status).toBe('present');
  return jsonObject(JSON.stringify(value));
}

describe('a client over its first requests', () => {
  it('is learnt, then known; another device is new', async () => {
    for (const path of ['/orders/1', '/orders/2']) {
      const { decision, device, behaviour } = await decide({ path });
      expect(decision).toBe('allow');
      expect([device['learning'], device['new_for_client'], behaviour['learning']]).toEqual([true, null, true]);
    }
    const known = await decide({ path: '/orders/3' });
    expect(known.device).toMatchObject({
      basis: 'ja4',
      ja4: JA4,
      new_for_client: false,
      known: true,
      shared_by_clients: 1,
      learning: false,
    });
    expect(known.behaviour).toMatchObject({
      resources: 3,
      addresses: 1,
      token_addresses: 1,
      denials: 0,
      idle_seconds: 0,
      scope: 'process',
    });
    expect(typeof known.device['first_seen']).toBe('number');
    const other = await decide({ ja4: OTHER_JA4, ip: '192.0.2.9', method: 'POST', path: '/orders' });
    expect(other.decision).toBe('step_up');
    expect(other.device).toMatchObject({ new_for_client: true, known: false, first_seen: null });
    expect(other.behaviour).toMatchObject({ addresses: 2, token_addresses: 2 });
    // it was not allowed, so it is new still
    const again = await decide({ ja4: OTHER_JA4 });
    expect(again.device['new_for_client']).toBe(true);
    expect(again.behaviour).toMatchObject({ step_ups: 1 });
  });

  it('a refused credential counts for the address, and for no client', async () => {
    const from = '192.0.2.50';
    for (const [index, authorization] of ['Bearer a.b.c', 'Bearer a.b.c', 'Bearer d.e.f'].entries()) {
      const { decision, behaviour } = await decide({ authorization, ip: from });
      expect(decision).toBe('deny');
      expect(behaviour).toMatchObject({ address_failed_credentials: [1, 1, 2][index], resources: null, learning: true });
    }
    expect((await decide({ ip: from })).behaviour).toMatchObject({ address_failed_credentials: 2, denials: 0 });
  });
});

describe('POST /feedback', () => {
  it('an outcome counts once, and shows in the next decision', async () => {
    const { id, behaviour } = await decide();
    expect(behaviour['outcomes']).toEqual({ failure: 0, abuse: 0 });
    const report = { decision_id: id, outcome: 'failure', status: 404, cost: { tokens: 1200 } };
    const first = await post('/feedback', report);
    expect([first.status, first.headers['x-countersign-feedback'], first.body]).toEqual([204, 'accepted', '']);
    const second = await post('/feedback', report);
    expect([second.status, second.headers['x-countersign-feedback']]).toEqual([204, 'repeated']);
    expect((await decide()).behaviour['outcomes']).toEqual({ failure: 1, abuse: 0 });
  });

  it('is refused for a decision of nobody, from a gateway that is not trusted, and with an impossible amount', async () => {
    const { id } = await decide();
    const codes: unknown[] = [];
    for (const [body, token] of [
      [{ decision_id: '01978a3c-0000-7000-8000-000000000001', outcome: 'success' }, TOKEN],
      [{ decision_id: id, outcome: 'success' }, null],
      [{ decision_id: id, outcome: 'success', cost: { tokens: -5 } }, TOKEN],
    ] as const) {
      const answer = await post('/feedback', body, token);
      codes.push([answer.status, jsonObject(answer.body)['code']]);
    }
    expect(codes).toEqual([
      [404, 'decision_unknown'],
      [403, 'feedback_not_allowed'],
      [400, 'request_invalid'],
    ]);
  });

  it('status and metrics show what is remembered', async () => {
    const operations = `http://127.0.0.1:${service.operationsPort}`;
    const status = jsonObject(await (await fetch(`${operations}/status`, { headers: { authorization: 'Bearer ops' } })).text());
    expect(status['enrich']).toMatchObject({
      remembered: {
        entries: { clients: 1, tokens: 1, addresses: 1, device_clients: 1, fingerprints: 2 },
        feedback: { accepted: 1, repeated: 1, unknown: 1 },
      },
    });
    const metrics = await (await fetch(`${operations}/metrics`)).text();
    expect(metrics).toContain('countersign_remembered_entries{memory="clients"} 1');
    expect(metrics).toContain('countersign_feedback_total{result="accepted"} 1');
    expect(metrics).toMatch(/countersign_signal_states_total\{signal="behaviour",status="present"\} \d+/);
  });
});

it('over one Redis what one replica saw, and whom it decided on, the other one knows; switched off it says so', async () => {
  const redis = await startRedis();
  try {
    const peps = [{ name: 'edge', anonymous: true, trusts: ['client_address', 'explain', 'feedback'] }];
    const settings = { peps, store: { kind: 'redis', url: redis.url, deadlineMs: 100 }, device: { enabled: false } };
    const [one, two] = [await world.service(settings), await world.service(settings)];
    const ask = async (port: number, path: string, body: unknown) =>
      send(port, { method: 'POST', path, headers: ['content-type', 'application/json'], body: JSON.stringify(body) });
    const question = (path: string) => ({
      request: { method: 'GET', path, headers: { authorization: bearer } },
      source: { ip: '203.0.113.7' },
    });
    const first = jsonObject((await ask(one.httpPort, '/decide?explain=true', question('/orders/1'))).body);
    expect(first['signals']).toMatchObject({
      behaviour: { status: 'present', value: { scope: 'shared', learning: true, resources: 1, history_lost: true, degraded: false } },
      device: { status: 'absent', code: 'device_disabled' },
    });
    const report = { decision_id: first['decision_id'], outcome: 'failure' };
    expect((await ask(two.httpPort, '/feedback', report)).headers['x-countersign-feedback']).toBe('accepted');
    expect((await ask(one.httpPort, '/feedback', report)).headers['x-countersign-feedback']).toBe('repeated');
    const second = jsonObject((await ask(two.httpPort, '/decide?explain=true', question('/orders/2'))).body);
    expect(second['signals']).toMatchObject({
      behaviour: {
        value: { resources: 2, requests_minute: expect.any(Number), outcomes: { failure: 1 }, idle_seconds: expect.any(Number) },
      },
    });
    await redis.kill();
    expect((await ask(two.httpPort, '/feedback', report)).status).toBe(503);
    const away = jsonObject((await ask(two.httpPort, '/decide?explain=true', question('/orders/3'))).body);
    expect(away['signals']).toMatchObject({ behaviour: { status: 'unavailable', code: 'store_unavailable' } });
  } finally {
    await redis.stop();
  }
});
