import type { ServiceStatus } from '../contract/status.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

const REVISION_MAX = 128;
const CANDIDATE_STATES = ['ready', 'not_loaded', 'data_not_loaded', 'resting'] as const;

/** Candidates, and where decisions are not enforced; labels are names of the configuration, codes of rules and fixed words. */
export const ROLLOUT_METRICS = {
  candidateInfo: {
    name: 'countersign_candidate_revision_info',
    type: 'gauge',
    help: '1 for the revision of the candidate of a policy; there is no value where none is loaded.',
    labels: ['policy', 'revision'],
  },
  candidateState: {
    name: 'countersign_candidate_state',
    type: 'gauge',
    help: '1 for the state that the candidate of a policy is in: ready, not_loaded, data_not_loaded, resting (it is or was active, its sequence is behind that of the active one, it has not the pushed data, or it was withdrawn).',
    labels: ['policy', 'state'],
  },
  shadowResults: {
    name: 'countersign_shadow_evaluations_total',
    type: 'counter',
    help: 'Requests that a candidate was to be evaluated on in shadow, by result: same, other_reason (the same effect), differs, failed, not_comparable, dropped (queue full or time spent).',
    labels: ['policy', 'result'],
  },
  shadowDiffs: {
    name: 'countersign_shadow_diffs_total',
    type: 'counter',
    help: 'Requests that a candidate would have decided otherwise, by the effect that was, the one that would have been, and the primary reason of the side that lets less pass. Codes beyond the bound are counted as `other`.',
    labels: ['policy', 'from', 'to', 'reason'],
  },
  shadowUnwritten: {
    name: 'countersign_shadow_diffs_unwritten_total',
    type: 'counter',
    help: 'Differences that the decision log does not hold, since there were too many a second.',
    labels: ['policy'],
  },
  canaryDecisions: {
    name: 'countersign_canary_decisions_total',
    type: 'counter',
    help: 'Decisions that a candidate made for callers of its canary, by effect; failed: it could not decide, which is a deny. They are counted among all others too.',
    labels: ['policy', 'result'],
  },
  canaryPercent: {
    name: 'countersign_canary_percent',
    type: 'gauge',
    help: 'Percent of the callers whom the candidate decides for; 0 while its key cannot be read.',
    labels: ['policy'],
  },
  monitorMode: {
    name: 'countersign_monitor_mode',
    type: 'gauge',
    help: 'What is not enforced: 1 for a gateway (scope `pep`, by its name), the number of routes for a policy and the candidate of its canary (scope `route`). There is no value where everything is enforced.',
    labels: ['scope', 'name'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Shows candidates and monitor mode. */
export function showRollout(
  { policies, monitor }: Pick<ServiceStatus, 'policies' | 'monitor'>,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  for (const { name: policy, candidate } of policies) {
    if (candidate === undefined) continue;
    const { revision, state, shadow, canary } = candidate;
    if (revision !== null) set(ROLLOUT_METRICS.candidateInfo, { policy, revision: revision.slice(0, REVISION_MAX) }, 1);
    for (const one of CANDIDATE_STATES) set(ROLLOUT_METRICS.candidateState, { policy, state: one }, one === state ? 1 : 0);
    for (const [result, count] of Object.entries(shadow.results)) set(ROLLOUT_METRICS.shadowResults, { policy, result }, count);
    for (const { from, to, reason, count } of shadow.diffs) set(ROLLOUT_METRICS.shadowDiffs, { policy, from, to, reason }, count);
    set(ROLLOUT_METRICS.shadowUnwritten, { policy }, shadow.unwritten);
    for (const [result, count] of Object.entries(canary.decisions)) set(ROLLOUT_METRICS.canaryDecisions, { policy, result }, count);
    set(ROLLOUT_METRICS.canaryPercent, { policy }, canary.keyError === null ? canary.percent : 0);
  }
  for (const { name } of monitor?.peps ?? []) set(ROLLOUT_METRICS.monitorMode, { scope: 'pep', name }, 1);
  // a policy and its candidate are one name
  const counts = new Map<string, number>();
  for (const { policy, count } of monitor?.routes ?? []) counts.set(policy, (counts.get(policy) ?? 0) + count);
  for (const [name, count] of counts) set(ROLLOUT_METRICS.monitorMode, { scope: 'route', name }, count);
}
