import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/contract/decision.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { Route } from '../../src/contract/route.ts';
import { createMonitor, ENFORCED, type MonitorOptions } from '../../src/decide/monitor.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { createPdp } from '../../src/pdp.ts';
import { http } from '../record/records.ts';
import { answer } from './answer.ts';
import { baseBundle, createTestPolicies, ENTRYPOINT, policyOptions, SILENT } from './fixtures.ts';
import { bundleOf, createRollout } from './rollout/world.ts';

/* What passes in monitor mode is no worse for the upstream than what is enforced. */

const UPSTREAM = { headers: true, removeAuthorization: false };
const { identity, enrichment } = SMOKE_FACTS;
const pep = { ...SMOKE_FACTS.request.pep, enforce: false as const };
const open: DecisionRequest = { ...SMOKE_FACTS.request, pep };
const route: Route = { ...SMOKE_FACTS.route, status: 'matched', id: 'one', tier: 'low' };
const known = { route, identity, enrichment };
const headers = { upstream_headers: { 'X-Tenant': 't', 'x-gone': null, host: 'h', 'x-countersign-subject': 'me' } };

describe('headers that a policy sets are taken away from clients', () => {
  const removed = (monitor: ReturnType<typeof createMonitor>, decision: Decision) =>
    monitor.answer(open, decision, known)?.decision.upstream.headersToRemove;

  it.each<[string, readonly [string, unknown][]]>([
    [
      'of a grant that a denial outweighs',
      [
        ['a.shown', 'deny'],
        ['a.limited', { effect: 'allow', ...headers }],
      ],
    ],
    ['of a denial', [['a.shown', { effect: 'deny', ...headers }]]],
    [
      'of a rule that is clear',
      [
        ['a.shown', 'deny'],
        ['a.limited', { effect: 'clear', ...headers }],
      ],
    ],
    ['of an undecided rule', [['a.shown', { effect: 'word', ...headers }]]],
  ])('%s', (_, verdicts) => {
    const names = removed(createMonitor(ENFORCED, UPSTREAM, SILENT), answer(verdicts));
    expect(names).toContain('x-tenant');
    for (const other of ['x-gone', 'host', 'x-countersign-would']) expect(names).not.toContain(other);
  });

  it('also where only its other decisions say so', () => {
    const monitor = createMonitor(ENFORCED, UPSTREAM, SILENT);
    const refused = answer([['a.shown', 'deny']]);
    expect(removed(monitor, refused)).not.toContain('x-tenant');
    expect(monitor.answer(open, answer([['a.shown', { effect: 'allow', ...headers }]]), known)).toBeNull();
    expect(removed(monitor, refused)).toContain('x-tenant');
    expect(removed(monitor, { ...refused, policy: { name: 'other', revision: 'r' } })).not.toContain('x-tenant');
  });

  it('of a policy that decides itself', async () => {
    const rego = 'decision := {"effect": "deny", "upstream": {"headers_to_set": {"X-Own": "1"}, "headers_to_remove": ["X-Secret"]}}';
    const active = await bundleOf('a1', rego);
    const world = await createRollout({ active, candidate: active, monitor: createMonitor(ENFORCED, UPSTREAM, SILENT) });
    const { upstream } = await world.ask('/x', { request: { pep } });
    expect(upstream.headersToRemove).toEqual(expect.arrayContaining(['x-own', 'x-secret']));
    world.stop();
  });

  it('of one that removes them where it allows', async () => {
    const allowed = '{"effect": "allow", "upstream": {"headers_to_remove": ["X-Secret"]}}';
    const active = await bundleOf('a1', `decision := ${allowed} if input.request.path == "/ok"\n\nelse := {"effect": "deny"}`);
    const world = await createRollout({ active, candidate: active, monitor: createMonitor(ENFORCED, UPSTREAM, SILENT) });
    const removed = async (path: string) => (await world.ask(path, { request: { pep } })).upstream.headersToRemove;
    expect(await removed('/x')).not.toContain('x-secret');
    expect(await removed('/ok')).toContain('x-secret');
    expect(await removed('/x')).toContain('x-secret');
    world.stop();
  });
});

describe('`critical: enforced` where data of the policy is not there', () => {
  const asked = async (missing: string, options: MonitorOptions, path: string, method = 'GET'): Promise<Decision> => {
    const policy = policyOptions({ entrypoint: ENTRYPOINT, requiredData: [missing] });
    const set = createTestPolicies({ policies: { default: policy } });
    await set.activate('default', await baseBundle());
    const pdp = createPdp({
      policies: set,
      identifier: { identify: () => identity },
      enricher: { enrich: () => enrichment, enrichFurther: (_request, _identity, _route, before) => before },
      sources: { introspection: (_request, facts) => facts },
      recorder: { record: () => undefined },
      monitor: createMonitor(options, UPSTREAM, SILENT),
      clock: { now: () => 0, monotonic: () => 0 },
    });
    const asking = { ...http, method, path, pathRaw: path, segments: path.slice(1).split('/') };
    return pdp.decide({ ...open, http: asking, policyName: 'default', pep: { ...pep, policies: ['default'] } });
  };

  it.each<[string, string, MonitorOptions['critical'], Decision['effect']]>([
    ['routes that may be in it', 'countersign.routes.none', 'enforced', 'deny'],
    ['forced', 'countersign.routes.none', 'forced', 'allow'],
    ['of a tenant: the route is known, and is not critical', 'tenants.default.acme', 'enforced', 'allow'],
  ])('%s', async (_, missing, critical, effect) => {
    const decision = await asked(missing, { routes: 'refused', critical }, '/nowhere');
    expect(decision.effect).toBe(effect);
    expect(effect === 'deny' ? decision.error?.code : decision.reasons[0]?.code).toBe('data_not_loaded');
  });

  it('a critical route of the bundle is enforced, whatever else is missing', async () => {
    const decide = (critical: MonitorOptions['critical']) =>
      asked('tenants.default.acme', { routes: 'refused', critical }, '/admin/users/7', 'DELETE');
    expect(await decide('enforced')).toMatchObject({ effect: 'deny', error: { code: 'data_not_loaded' } });
    expect(await decide('forced')).toMatchObject({ effect: 'allow', would: 'deny' });
  });
});
