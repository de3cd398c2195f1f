import type { ConfigStatus } from '../contract/config-status.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

/** Of the configuration file; there are no values where the service was started without one. */
export const CONFIG_METRICS = {
  configState: {
    name: 'countersign_config_state',
    type: 'gauge',
    help: '1 for the state of the configuration file: in_force, restart_needed (keys that cannot change while the service runs differ), refused (what was good before is in force).',
    labels: ['state'],
  },
  configRevision: {
    name: 'countersign_config_revision_info',
    type: 'gauge',
    help: '1 for the revision of the configuration that runs: the same on every replica that runs the same.',
    labels: ['revision'],
  },
  configReloads: {
    name: 'countersign_config_reloads_total',
    type: 'counter',
    help: 'Changes of the configuration file, by what became of them: taken, refused.',
    labels: ['result'],
  },
  configChanged: {
    name: 'countersign_config_changed_timestamp_seconds',
    type: 'gauge',
    help: 'When a change of the configuration file was last taken into force; the start where none was.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

const STATES = ['in_force', 'restart_needed', 'refused'] as const;

/** Shows what became of the configuration file. */
export function showConfig(
  status: ConfigStatus | undefined,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  if (status === undefined) return;
  for (const state of STATES) set(CONFIG_METRICS.configState, { state }, state === status.state ? 1 : 0);
  set(CONFIG_METRICS.configRevision, { revision: status.revision }, 1);
  set(CONFIG_METRICS.configReloads, { result: 'taken' }, status.taken);
  set(CONFIG_METRICS.configReloads, { result: 'refused' }, status.refused);
  set(CONFIG_METRICS.configChanged, {}, status.changedAt);
}
