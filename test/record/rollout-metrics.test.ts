import { describe, expect, it } from 'vitest';
import type { CandidateStatus } from '../../src/contract/rollout.ts';
import { createMetrics, type MetricsOptions } from '../../src/record/metrics.ts';
import { status } from './records.ts';

const make = (changes: Partial<MetricsOptions> = {}) =>
  createMetrics({ version: '0.1.0', node: '26.10.0', clock: { now: () => 0 }, status: () => status, processMetrics: false, ...changes });

describe('candidates and monitor mode', () => {
  const candidate: CandidateStatus = {
    state: 'resting',
    revision: 'c1',
    loadedAt: 1,
    rules: 3,
    lastError: null,
    shadow: {
      share: 1,
      results: { same: 9, other_reason: 0, differs: 1, failed: 2, not_comparable: 0, dropped: 4 },
      diffs: [{ from: 'allow', to: 'deny', reason: 'rate.burst', count: 1 }],
      unwritten: 5,
      queued: 0,
      lastError: null,
    },
    canary: { percent: 10, keyError: 'canary_key_invalid', decisions: { allow: 1, deny: 0, step_up: 0, failed: 7 } },
  };

  it('are shown from the status', async () => {
    const policies = status.policies.map((one) => ({ ...one, candidate }));
    const monitor = {
      peps: [{ name: 'edge', by: 'configuration' as const, since: 1 }],
      routes: [
        { policy: 'default', by: 'r1', since: 1, count: 2, names: ['a', 'b'] },
        { policy: 'default', by: 'c1', since: 1, count: 1, names: ['c'] },
      ],
      critical: 'enforced' as const,
    };
    const metrics = make({ status: () => ({ ...status, policies, monitor }) });
    const { text } = await metrics.scrape();
    for (const line of [
      'countersign_candidate_revision_info{policy="default",revision="c1"} 1',
      'countersign_candidate_state{policy="default",state="resting"} 1',
      'countersign_candidate_state{policy="default",state="ready"} 0',
      'countersign_shadow_evaluations_total{policy="default",result="dropped"} 4',
      'countersign_shadow_diffs_total{policy="default",from="allow",to="deny",reason="rate.burst"} 1',
      'countersign_shadow_diffs_unwritten_total{policy="default"} 5',
      'countersign_canary_decisions_total{policy="default",result="failed"} 7',
      'countersign_canary_percent{policy="default"} 0',
      'countersign_monitor_mode{scope="pep",name="edge"} 1',
      'countersign_monitor_mode{scope="route",name="default"} 3',
    ])
      expect(text).toContain(line);
  });

  it('have no value where there are none', async () => {
    expect((await make().scrape()).text).not.toMatch(/^countersign_(candidate|shadow_diffs|canary|monitor_mode)\w*\{/m);
  });
});
