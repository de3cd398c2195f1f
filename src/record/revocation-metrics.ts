import type { PushedRevocationsStatus } from '../contract/revocations.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

/** Of what operators revoke while the service runs. */
export const REVOCATION_METRICS = {
  revocations: {
    name: 'countersign_pushed_revocations',
    type: 'gauge',
    help: 'Revocations in force that operators made through the admin API.',
    labels: [],
  },
  revocationsUnreadable: {
    name: 'countersign_pushed_revocations_unreadable',
    type: 'gauge',
    help: 'Of them, those of a form that this version does not know: they revoke nothing here.',
    labels: [],
  },
  revocationsVersion: {
    name: 'countersign_pushed_revocations_version',
    type: 'gauge',
    help: 'Version of the revocations: replicas with the same one have the same.',
    labels: [],
  },
  revocationsState: {
    name: 'countersign_pushed_revocations_state',
    type: 'gauge',
    help: '1 for the state of the revocations: ready, stale (the store cannot be asked, what is known is in force), never_loaded.',
    labels: ['state'],
  },
  revocationsAge: {
    name: 'countersign_pushed_revocations_age_seconds',
    type: 'gauge',
    help: 'Time since the shared store was last asked for revocations with success; there is no value without one.',
    labels: [],
  },
  revocationsLost: {
    name: 'countersign_pushed_revocations_history_lost_total',
    type: 'counter',
    help: 'Times that the shared store had lost revocations that were known here, and got them back.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

const STATES = ['ready', 'stale', 'never_loaded'] as const;

/** Shows what is revoked beside the files. */
export function showRevocations(
  status: PushedRevocationsStatus | undefined,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  if (status === undefined) return;
  set(REVOCATION_METRICS.revocations, {}, status.entries);
  set(REVOCATION_METRICS.revocationsUnreadable, {}, status.unreadable);
  set(REVOCATION_METRICS.revocationsVersion, {}, status.version);
  for (const state of STATES) set(REVOCATION_METRICS.revocationsState, { state }, state === status.state ? 1 : 0);
  if (status.ageSeconds !== null) set(REVOCATION_METRICS.revocationsAge, {}, status.ageSeconds);
  set(REVOCATION_METRICS.revocationsLost, {}, status.historyLost);
}
