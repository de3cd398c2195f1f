import type { PolicyStatus } from '../contract/status.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

const REVISION_MAX = 128;
const RUNNING_ON = ['source', 'last_known_good', 'activated', 'rolled_back'] as const;

/** Where each policy stands to its source; labels are names of the configuration. */
export const POLICY_METRICS = {
  policyRunningOn: {
    name: 'countersign_policy_running_on',
    type: 'gauge',
    help: '1 for what a policy runs on: source, last_known_good (its source cannot be read or has something that is refused), activated or rolled_back (by an operator).',
    labels: ['policy', 'running_on'],
  },
  policyFailed: {
    name: 'countersign_policy_failed_revision_info',
    type: 'gauge',
    help: '1 for the revision that was refused last, with the code; there is no value where the last load was good, or where its revision could not be read.',
    labels: ['policy', 'revision', 'code'],
  },
  policyAge: {
    name: 'countersign_policy_age_seconds',
    type: 'gauge',
    help: 'Time since the source of a policy last confirmed the active revision.',
    labels: ['policy'],
  },
  policyInSync: {
    name: 'countersign_policy_in_sync',
    type: 'gauge',
    help: '1 where the active revision is the one that the source has, else 0; there is no value where it is not known what the source has.',
    labels: ['policy'],
  },
  policyTooOld: {
    name: 'countersign_policy_too_old',
    type: 'gauge',
    help: '1 where a policy is older than `policy.ageMax`, which makes the process unready.',
    labels: ['policy'],
  },
  policyMissingData: {
    name: 'countersign_policy_missing_data',
    type: 'gauge',
    help: 'Paths of `policy.requiredData` that are not there: above 0 nothing is decided.',
    labels: ['policy'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Shows what each policy says of itself beside its active revision. */
export function showPolicies(
  policies: readonly PolicyStatus[],
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  for (const { name: policy, revision, runningOn, expectedRevision, ageSeconds, tooOld, missingData, lastError } of policies) {
    if (runningOn === undefined) continue;
    if (lastError !== null && lastError.revision !== null && lastError.revision !== undefined)
      set(POLICY_METRICS.policyFailed, { policy, revision: lastError.revision.slice(0, REVISION_MAX), code: lastError.code }, 1);
    for (const one of RUNNING_ON) set(POLICY_METRICS.policyRunningOn, { policy, running_on: one }, one === runningOn ? 1 : 0);
    if (typeof ageSeconds === 'number') set(POLICY_METRICS.policyAge, { policy }, ageSeconds);
    if (typeof expectedRevision === 'string') set(POLICY_METRICS.policyInSync, { policy }, expectedRevision === revision ? 1 : 0);
    set(POLICY_METRICS.policyTooOld, { policy }, tooOld === true ? 1 : 0);
    set(POLICY_METRICS.policyMissingData, { policy }, missingData?.length ?? 0);
  }
}
