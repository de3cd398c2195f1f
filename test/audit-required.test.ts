import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../src/contract/codes.ts';
import type { LogRules } from '../src/contract/decision-log.ts';
import type { DecisionRecord } from '../src/contract/record.ts';
import type { ActivePolicy } from '../src/contract/stages.ts';
import type { ServiceStatus } from '../src/contract/status.ts';
import { createPdp } from '../src/pdp.ts';
import { readinessOf } from '../src/readiness.ts';
import { allow, allowed, failed, request, status } from './record/records.ts';

const { route, identity, enrichment } = allowed;

/** A path whose policy allows, and whose gateway does not enforce. */
function build(refuses?: () => ErrorCode | null) {
  if (route === null || identity === null || enrichment === null) throw new Error('the record is not whole');
  const records: DecisionRecord[] = [];
  const asked: string[] = [];
  const logRules: LogRules = { drop: () => false, mask: () => null };
  const policy: ActivePolicy = {
    name: 'default',
    revision: 'r1',
    logRules,
    routeOf: () => route,
    decide: () => ({ decision: allow, input: () => null, evaluationMs: 0, slow: false, cause: null }),
  };
  const pdp = createPdp({
    policies: {
      select: () => policy,
      failed: (_request, code) => ({ ...failed.decision, error: { code } }),
    },
    identifier: { identify: () => identity },
    enricher: { enrich: () => enrichment, enrichFurther: (_request, _identity, _route, before) => before },
    sources: { introspection: (_request, facts) => facts },
    recorder: { record: (record) => void records.push(record), ...(refuses === undefined ? {} : { refuses }) },
    monitor: {
      answer(_request, decision) {
        asked.push(decision.effect);
        return decision.effect === 'allow' ? null : { by: 'pep', decision: allow };
      },
    },
    clock: { now: () => 0, monotonic: () => 0 },
  });
  return { pdp, records, asked, logRules };
}

describe('a decision that cannot be recorded', () => {
  it('[asks 82] is denied, is recorded as that, and is let pass by no monitor', () => {
    const { pdp, records, asked } = build(() => 'audit_unavailable');
    expect(pdp.decide(request)).toMatchObject({ effect: 'deny', error: { code: 'audit_unavailable' } });
    expect(records).toMatchObject([{ decision: { effect: 'deny', error: { code: 'audit_unavailable' } }, identity }]);
    expect([records[0]?.monitoredBy, asked]).toEqual([undefined, []]);
  });

  it.each([undefined, () => null])('is any other where it can, and takes along what its policy says of records', (refuses) => {
    const { pdp, records, logRules } = build(refuses);
    expect(pdp.decide(request)).toMatchObject({ effect: 'allow', error: null });
    expect(records[0]?.logRules).toBe(logRules);
  });
});

describe('readiness where decisions must be recorded', () => {
  const { registry: _registry, revocations: _revocations, ...others } = status;
  const where = (state: 'ready' | 'unavailable', local: boolean): ServiceStatus => ({
    ...others,
    policies: status.policies.map((policy) => ({ ...policy, state: 'active', missingData: [], tooOld: false })),
    draining: false,
    record: { written: 0, dropped: 0, audit: { state, local, denied: 0 } },
  });

  it.each([
    ['all is well', 'ready', false, true],
    ['the collector of all replicas is away', 'unavailable', false, true],
    ['its own disk is full', 'unavailable', true, false],
  ] as const)('says so where %s', (_what, state, local, ready) => {
    expect(readinessOf(where(state, local))).toMatchObject({ ready, parts: { audit: state } });
  });
});
