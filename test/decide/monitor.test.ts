import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/contract/decision.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { Route } from '../../src/contract/route.ts';
import { createMonitor, ENFORCED, type MonitorOptions } from '../../src/decide/monitor.ts';
import { failedDecision } from '../../src/decide/output.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { answer } from './answer.ts';
import { editData } from './bundles.ts';
import { baseBundle, createTestPolicies, policyOptions, SILENT } from './fixtures.ts';

const UPSTREAM = { headers: true, removeAuthorization: true, removeApiKey: true };
const open: DecisionRequest = { ...SMOKE_FACTS.request, pep: { ...SMOKE_FACTS.request.pep, enforce: false } };
const closed = SMOKE_FACTS.request;
const { identity, enrichment } = SMOKE_FACTS;
const route = (more: Partial<Route>): Route => ({ ...SMOKE_FACTS.route, status: 'matched', id: 'one', tier: 'low', ...more });
const denied: Decision = answer([['a.shown', 'deny']], { subject: 'agent-a' });
const failed = failedDecision(open, 'policy_evaluation_failed', { name: 'default', revision: 'r1' }, null);

const passes = (request: DecisionRequest, of: Route | null, options: Partial<MonitorOptions> = {}) =>
  createMonitor({ ...ENFORCED, ...options }, UPSTREAM, SILENT).answer(request, denied, { route: of, identity, enrichment });

describe('whose requests pass', () => {
  it.each<[string, DecisionRequest, Route | null, Partial<MonitorOptions>, string | null]>([
    ['nothing says so', closed, route({}), {}, null],
    ['the gateway', open, route({}), {}, 'pep'],
    ['the route', closed, route({ enforce: false }), { routes: 'allowed' }, 'route'],
    ['a critical route is enforced', open, route({ tier: 'critical' }), {}, null],
    ['unless it is forced', open, route({ tier: 'critical' }), { critical: 'forced' }, 'pep'],
    ['so it is by the catalogue', closed, route({ tier: 'critical', enforce: false }), { routes: 'allowed' }, null],
    ['a path that could be of any route', open, route({ status: 'ambiguous', tier: 'critical' }), {}, null],
    ['no route', open, route({ status: 'unknown', tier: 'critical' }), {}, 'pep'],
    ['the route was not found out', open, null, {}, 'pep'],
    ['not for a gateway that enforces', closed, null, {}, null],
  ])('%s', (_, request, of, options, by) => {
    expect(passes(request, of, options)?.by ?? null).toBe(by);
  });

  it('an allow is left as it is', () => {
    const monitor = createMonitor(ENFORCED, UPSTREAM, SILENT);
    expect(monitor.answer(open, answer([['a.shown', 'allow']]), { route: route({}), identity, enrichment })).toBeNull();
  });
});

describe('what is answered', () => {
  const answered = (decision: Decision, known: Partial<typeof SMOKE_FACTS> = {}, request = open) =>
    createMonitor(ENFORCED, UPSTREAM, SILENT).answer(request, decision, { route: route({}), identity, enrichment, ...known })?.decision;

  it('an allow that says what it would have been, and why', () => {
    expect(answered(denied)).toMatchObject({
      effect: 'allow',
      would: 'deny',
      response: null,
      stepUp: null,
      error: null,
      reasons: denied.reasons,
    });
    const stepped = answer([
      ['a.shown', 'allow'],
      ['a.limited', { effect: 'step_up', kind: 'scope', methods: ['scope'], scopes: ['x'] }],
    ]);
    expect(stepped.effect).toBe('step_up');
    expect(answered(stepped)).toMatchObject({
      effect: 'allow',
      would: 'step_up',
      upstream: { headersToSet: { 'x-countersign-would': 'step_up' } },
    });
  });

  it('the upstream is told who asks, and gets no forged header and no credential', () => {
    const who = { ...identity, subject: { ...identity.subject, id: 'agent-a', client: 'agent-a' } };
    const upstream = answered(denied, { identity: who })?.upstream;
    expect(upstream?.headersToSet).toMatchObject({ 'x-countersign-subject': 'agent-a', 'x-countersign-would': 'deny' });
    expect(upstream?.headersToRemove).toEqual(expect.arrayContaining(['authorization', 'x-countersign-actor', 'x_countersign_would']));
    for (const name of Object.keys(upstream?.headersToSet ?? {})) expect(upstream?.headersToRemove).not.toContain(name);
  });

  it('a failure to decide passes too, with nothing that the client could have forged', () => {
    const request: DecisionRequest = {
      ...open,
      flags: ['header_underscore'],
      credentials: { ...open.credentials, apiKeys: ['k'], authorization: ['ApiKey k'] },
    };
    for (const [known, removed] of [
      [{}, ['x-countersign-subject']],
      [
        { identity: undefined, enrichment: undefined },
        ['x-countersign-subject', 'x-countersign-risk', 'x-countersign_subject', 'x-api-key'],
      ],
    ] as const) {
      const given = {
        route: route({}),
        identity: 'identity' in known ? null : identity,
        enrichment: 'enrichment' in known ? null : enrichment,
      };
      const decision = createMonitor(ENFORCED, UPSTREAM, SILENT).answer(request, failed, given)?.decision;
      expect(decision).toMatchObject({ effect: 'allow', would: 'deny', error: null, reasons: [{ code: 'policy_evaluation_failed' }] });
      expect(decision?.upstream.headersToRemove).toEqual(expect.arrayContaining([...removed, 'authorization']));
      expect(decision?.upstream.headersToSet).toMatchObject({ 'x-countersign-decision-id': request.id, 'x-countersign-would': 'deny' });
    }
  });
});

describe('routes of a catalogue', () => {
  const withRoute = async (more: Readonly<Record<string, unknown>>) =>
    editData(await baseBundle(), (data) => {
      const ours = data['countersign'];
      const routes = { one: { methods: ['GET'], path: '/one', tier: 'low', enforce: false, ...more } };
      return { ...data, countersign: { ...(typeof ours === 'object' ? ours : {}), routes } };
    });
  const activate = async (monitor: MonitorOptions, more: Readonly<Record<string, unknown>> = {}) => {
    const set = createTestPolicies({ policies: { default: policyOptions({ monitor }) } });
    await set.activate('default', await withRoute(more));
    return set;
  };

  it('a catalogue that enforces not all is refused where the configuration does not allow it', async () => {
    await expect(activate(ENFORCED)).rejects.toMatchObject({ code: 'bundle_routes_invalid', field: 'one' });
  });

  it('and where a route of tier critical says so', async () => {
    const critical = { tier: 'critical' };
    await expect(activate({ routes: 'allowed', critical: 'enforced' }, critical)).rejects.toMatchObject({ field: 'one' });
    await expect(activate({ routes: 'allowed', critical: 'forced' }, critical)).resolves.toBeDefined();
  });

  it('where it is allowed the route has it, and the status its name', async () => {
    const set = await activate({ routes: 'allowed', critical: 'enforced' });
    expect(set.monitored()).toMatchObject([{ policy: 'default', names: ['one'] }]);
    const asked = { ...SMOKE_FACTS.request, policyName: 'default' };
    const policy = set.select(asked);
    if ('refused' in policy) throw new Error(policy.refused);
    expect(policy.routeOf(asked).enforce).toBeUndefined();
  });
});
