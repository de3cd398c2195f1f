import { describe, expect, it } from 'vitest';
import type { MonitoredBy } from '../../../src/contract/rollout.ts';
import type { Route } from '../../../src/contract/route.ts';
import { createEnforcement } from '../../../src/decide/recorded/enforced.ts';
import type { RecordedDecision } from '../../../src/decide/recorded/recorded-decision.ts';

/* What a gateway does with a denial of the new policy. */

const RECORD: RecordedDecision = {
  ...{ id: 'd', receivedAtMs: 0, pep: 'edge', policy: { name: 'default', revision: 'r' }, request: null, subject: null, evidence: [] },
  ...{ assurance: 0, address: null, signals: new Map(), effect: 'deny', reasons: ['a.b'], status: 403, error: null, excepted: false },
  ...{ input: null, monitoredBy: null, route: null },
};
const matched = { status: 'matched', id: 'orders', tier: 'high' } as const;
const routeOf = (route: Pick<Route, 'status' | 'id' | 'tier'>): Route => ({
  ...{ catalogue: 'default', scopes: [], public: false, resourceMetadataUrl: null, parameters: {} },
  ...route,
});
const enforces = createEnforcement({ orders: { enforce: false }, payments: { enforce: true }, plain: {}, unknown: { enforce: false } });

describe('a denial is enforced', () => {
  it.each<[string, string, MonitoredBy | null, boolean]>([
    ['on a route of which the catalogue says nothing', 'plain', null, true],
    ['on a route that is enforced', 'payments', null, true],
    ['on one that passes now', 'orders', null, false],
    ['on one that passed and does no longer', 'payments', 'route', true],
    ['on one that passed and does still', 'orders', 'route', false],
    ['of a gateway that is not enforced, on whichever', 'plain', 'pep', false],
  ])('%s', (_name, id, monitoredBy, enforced) => {
    expect(enforces({ ...RECORD, monitoredBy, route: matched }, routeOf({ ...matched, id }))).toBe(enforced);
    // where the path is hidden it stays on its route
    expect(enforces({ ...RECORD, monitoredBy, route: { ...matched, id } }, null)).toBe(enforced);
  });

  it.each<[Route['status'], Route['tier'], boolean]>([
    ['matched', 'critical', true],
    ['ambiguous', 'critical', true],
    ['unknown', 'critical', false],
    ['none', 'critical', false],
  ])('of a gateway that is not enforced, %s on tier %s: %s', (status, tier, enforced) => {
    const now = routeOf({ status, id: status === 'matched' ? 'plain' : 'unknown', tier });
    expect(enforces({ ...RECORD, monitoredBy: 'pep', route: matched }, now)).toBe(enforced);
    // one that passed on what may be critical passes on all
    expect(enforces({ ...RECORD, monitoredBy: 'pep', route: { ...matched, tier: 'critical' } }, now)).toBe(false);
    // and a catalogue says nothing of what is on none of its routes
    if (status !== 'matched') expect(enforces(RECORD, now)).toBe(true);
  });

  it('where nothing is known of a route or a catalogue', () => {
    expect([createEnforcement(undefined)(RECORD, null), enforces(RECORD, null)]).toEqual([true, true]);
    expect(enforces({ ...RECORD, monitoredBy: 'pep' }, null)).toBe(false);
  });
});
