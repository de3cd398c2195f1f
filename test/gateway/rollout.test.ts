import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SHADOW_LINE } from '../../src/record/shadow-line.ts';
import { type Countersign, startCountersign } from '../support/countersign.ts';
import { send } from '../support/http-client.ts';
import { copyPolicies, type RouteData } from '../support/policy-directory.ts';
import { createWorld, decisionLines, headerValues, jsonObject, type World } from './world.ts';

/* A policy's next revision before it is switched on, and a decision point before it is believed: behind a real Envoy. */

const OPERATOR = 'an-operator-token-of-the-rollout';
const operations = { tokens: [{ name: 'ops', role: 'viewer', tokenSha256: createHash('sha256').update(OPERATOR).digest('hex') }] };
const EDGE = { name: 'edge', anonymous: true, trusts: ['client_address', 'forwarded'], forwardedFor: { appendsPeer: true } };
const SECRET = '000102030405060708090a0b0c0d0e0f';

const open = (path: string, more: Partial<RouteData> = {}): RouteData => ({ methods: ['GET'], path, tier: 'low', public: true, ...more });
const closed = (path: string, more: Partial<RouteData> = {}): RouteData => ({
  methods: ['GET'],
  path,
  tier: 'low',
  scopes: ['admin'],
  ...more,
});
const ten = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`r${index}`, open(`/r${index}`)]));

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.stop());

function policiesIn(name: string, routes: Readonly<Record<string, RouteData>>): string {
  const directory = join(world.directory, name);
  mkdirSync(directory);
  copyPolicies(directory, { routes });
  return directory;
}

const statusOf = async (service: Countersign): Promise<Record<string, unknown>> =>
  jsonObject(
    await (await fetch(`http://127.0.0.1:${service.operationsPort}/status`, { headers: { authorization: `Bearer ${OPERATOR}` } })).text(),
  );
const metricsOf = async (service: Countersign): Promise<string[]> =>
  (await (await fetch(`http://127.0.0.1:${service.operationsPort}/metrics`)).text()).split('\n');
const candidateReady = (service: Countersign) =>
  vi.waitFor(async () => expect(await statusOf(service)).toMatchObject({ policies: [{ candidate: { state: 'ready' } }] }), {
    timeout: 30_000,
    interval: 100,
  });
/** So many lines, as soon as they are written. */
const linesOf = (service: Countersign, kind: string, count: number) =>
  vi.waitFor(() => {
    const lines = decisionLines(service).filter((line) => line['kind'] === kind);
    expect(lines.length).toBeGreaterThanOrEqual(count);
    return lines;
  });

describe('a candidate', () => {
  const start = async (name: string, candidate: Readonly<Record<string, unknown>>): Promise<Countersign> => {
    const bundle = policiesIn(`${name}-candidate`, { ...ten, r9: closed('/r9') });
    const service = await world.service(
      { operations, peps: [EDGE], policy: { bundle: policiesIn(`${name}-active`, ten), candidate: { bundle, ...candidate } } },
      {},
    );
    await candidateReady(service);
    return service;
  };

  it('[asks 88] in shadow, that differs on one of ten requests: answers unchanged, one diff', async () => {
    const service = await start('shadow', { shadow: { share: 1 } });
    const envoy = await world.envoy([service]);
    for (const path of Object.keys(ten)) expect((await send(envoy.port, { path: `/${path}` })).status).toBe(200);
    await vi.waitFor(async () => {
      expect(await metricsOf(service)).toEqual(
        expect.arrayContaining([
          'countersign_shadow_evaluations_total{policy="default",result="same"} 9',
          'countersign_shadow_evaluations_total{policy="default",result="differs"} 1',
        ]),
      );
    });
    const metrics = await metricsOf(service);
    expect(metrics.filter((line) => line.startsWith('countersign_shadow_diffs_total{'))).toEqual([
      expect.stringMatching(
        /^countersign_shadow_diffs_total\{policy="default",from="allow",to="deny",reason="identity\.token_required"\} 1$/,
      ),
    ]);
    const decided = metrics.filter((line) => line.startsWith('countersign_decisions_total{'));
    expect(decided).toEqual([expect.stringMatching(/effect="allow".* 10$/)]);
    expect((await linesOf(service, 'decision', 10)).map((line) => line['effect'])).toEqual(Array.from({ length: 10 }, () => 'allow'));
    const [diff, ...more] = await linesOf(service, 'shadow_diff', 1);
    expect(more).toEqual([]);
    expect(SHADOW_LINE.parse(diff)).toMatchObject({
      request: { path: '/r9' },
      active: { effect: 'allow' },
      candidate: { effect: 'deny', status: 401 },
    });
  });

  it('for a part of the callers: each has one side, and answer and log say which', async () => {
    const service = await start('canary', { canary: { percent: 50, secret: SECRET } });
    const ask = async (ip: string) => {
      const response = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ request: { method: 'GET', host: 'api.example', path: '/r9' }, source: { ip } }),
      });
      const { decision, policy } = jsonObject(await response.text());
      return { decision, revision: Object(policy).revision };
    };
    const addresses = Array.from({ length: 30 }, (_, index) => `203.0.113.${index}`);
    const sides = await Promise.all(addresses.map(ask));
    expect(new Set(sides.map(({ decision }) => decision))).toEqual(new Set(['allow', 'deny']));
    expect(new Set(sides.map(({ revision }) => revision)).size).toBe(2);
    expect(await Promise.all(addresses.map(ask))).toEqual(sides);
    const logged = (await linesOf(service, 'decision', 60)).map(({ effect, policy }) => ({
      decision: effect,
      revision: Object(policy).revision,
    }));
    expect(new Set(logged.map((one) => JSON.stringify(one)))).toEqual(new Set(sides.map((one) => JSON.stringify(one))));

    const envoy = await world.envoy([service]);
    const through = [(await send(envoy.port, { path: '/r9' })).status, (await send(envoy.port, { path: '/r9' })).status];
    expect([
      [200, 200],
      [401, 401],
    ]).toContainEqual(through);
  });
});

describe('monitor mode', () => {
  const routes = { low: closed('/low'), critical: closed('/critical', { tier: 'critical' }), open: open('/open') };
  const ask = (port: number, path: string, ...more: string[]) =>
    send(port, { path, headers: ['x-countersign-would', 'allow', 'X-Countersign-Subject', 'root', ...more] });

  it('of a gateway: what would be refused passes, save on critical routes, and everybody can see it', async () => {
    const service = await world.service({
      operations,
      peps: [{ ...EDGE, enforce: false }],
      policy: { bundle: policiesIn('monitor', routes) },
    });
    const envoy = await world.envoy([service]);
    world.upstream.clear();
    const bearer = await world.bearer('agent-a', 'orders:read');
    expect((await ask(envoy.port, '/low', 'authorization', bearer)).status).toBe(200);
    expect(await linesOf(service, 'decision', 1)).toMatchObject([{ reason: 'access.scope_missing' }]);
    const [seen] = world.upstream.requests;
    expect(headerValues(seen?.rawHeaders ?? [], 'x-countersign-would')).toEqual(['step_up']);
    expect(headerValues(seen?.rawHeaders ?? [], 'x-countersign-subject')).toEqual(['agent-a']);
    expect((await ask(envoy.port, '/nowhere')).status).toBe(200);
    expect(headerValues(world.upstream.requests[1]?.rawHeaders ?? [], 'x-countersign-would')).toEqual(['deny']);
    expect((await ask(envoy.port, '/open')).status).toBe(200);
    expect(headerValues(world.upstream.requests[2]?.rawHeaders ?? [], 'x-countersign-would')).toEqual([]);
    expect((await ask(envoy.port, '/critical')).status).toBe(401);
    expect(world.upstream.requests).toHaveLength(3);

    expect(await statusOf(service)).toMatchObject({
      monitor: { peps: [{ name: 'edge', by: 'configuration', since: expect.any(Number) }], routes: [], critical: 'enforced' },
    });
    expect(service.output()).toContain('"monitor_mode"');
    expect(await metricsOf(service)).toEqual(
      expect.arrayContaining([
        'countersign_monitored_total{by="pep",would="step_up"} 1',
        'countersign_monitored_total{by="pep",would="deny"} 1',
        'countersign_monitor_mode{scope="pep",name="edge"} 1',
      ]),
    );
    expect((await linesOf(service, 'decision', 4))[0]).toMatchObject({
      effect: 'step_up',
      status: 403,
      enforced: false,
      monitored_by: 'pep',
    });
    const answer = await fetch(`http://127.0.0.1:${service.httpPort}/decide`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ request: { method: 'GET', host: 'api.example', path: '/low' } }),
    });
    expect(await answer.json()).toMatchObject({
      decision: 'allow',
      would: 'deny',
      upstream: { headers_to_set: { 'x-countersign-would': 'deny' } },
    });
  });

  it('of a route, where the configuration allows it', async () => {
    const bundle = policiesIn('monitored-routes', { ...routes, low: closed('/low', { enforce: false }), high: closed('/high') });
    const service = await world.service({ operations, peps: [EDGE], monitor: { routes: 'allowed' }, policy: { bundle } });
    const envoy = await world.envoy([service]);
    expect([(await ask(envoy.port, '/low')).status, (await ask(envoy.port, '/high')).status]).toEqual([200, 401]);
    expect(await statusOf(service)).toMatchObject({ monitor: { peps: [], routes: [{ policy: 'default', names: ['low'], count: 1 }] } });
    expect(await metricsOf(service)).toContain('countersign_monitored_total{by="route",would="deny"} 1');
  });

  it('where no decision can be made the request passes too, and is counted apart', async () => {
    const broken = join(world.directory, 'broken.tar.gz');
    writeFileSync(broken, 'no bundle');
    const config = world.config({ operations, peps: [{ ...EDGE, enforce: false }], policy: { bundle: broken } });
    const service = await startCountersign({ config, until: 'live' });
    try {
      const envoy = await world.envoy([service]);
      world.upstream.clear();
      expect((await ask(envoy.port, '/low')).status).toBe(200);
      expect(headerValues(world.upstream.requests[0]?.rawHeaders ?? [], 'x-countersign-would')).toEqual(['deny']);
      expect(headerValues(world.upstream.requests[0]?.rawHeaders ?? [], 'x-countersign-subject')).toEqual([]);
      expect(await metricsOf(service)).toContain('countersign_monitored_total{by="pep",would="failed"} 1');
    } finally {
      await service.stop();
    }
  });
});
