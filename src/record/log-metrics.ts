import type { RecordStatus } from '../contract/status.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

const STATES = ['ready', 'failing', 'full'] as const;

/** Of the decision log; labels are of closed lists. */
export const LOG_METRICS = {
  sinkRecords: {
    name: 'countersign_decision_log_records_total',
    type: 'counter',
    help: 'Records of decisions by sink (stdout, file, http) and by what became of them: written, filtered by the policy, or lost for one of the reasons buffer_full, failed, too_large, refused, shutdown.',
    labels: ['sink', 'result'],
  },
  sinkBuffered: {
    name: 'countersign_decision_log_buffered_bytes',
    type: 'gauge',
    help: 'Bytes of records that wait for a sink of the decision log.',
    labels: ['sink'],
  },
  sinkState: {
    name: 'countersign_decision_log_sink_state',
    type: 'gauge',
    help: '1 for the state that a sink of the decision log is in: ready, failing, full.',
    labels: ['sink', 'state'],
  },
  maskFailures: {
    name: 'countersign_decision_log_mask_failures_total',
    type: 'counter',
    help: "Records whose policy's mask or drop rule failed, and that were kept without what it could have masked.",
    labels: [],
  },
  auditAvailable: {
    name: 'countersign_audit_available',
    type: 'gauge',
    help: '1 where decisions can be recorded, 0 where they are denied since they cannot; only where they must be.',
    labels: [],
  },
  auditDenied: {
    name: 'countersign_audit_denied_total',
    type: 'counter',
    help: 'Decisions that were denied since they could not be recorded.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Shows what the decision log says of itself. */
export function showLog(
  { sinks = [], maskFailures = 0, audit }: RecordStatus,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  for (const { name: sink, state, written, filtered, lost, bufferedBytes } of sinks) {
    for (const [result, count] of Object.entries({ written, filtered, ...lost })) set(LOG_METRICS.sinkRecords, { sink, result }, count);
    set(LOG_METRICS.sinkBuffered, { sink }, bufferedBytes);
    for (const one of STATES) set(LOG_METRICS.sinkState, { sink, state: one }, one === state ? 1 : 0);
  }
  set(LOG_METRICS.maskFailures, {}, maskFailures);
  if (audit === undefined) return;
  set(LOG_METRICS.auditAvailable, {}, audit.state === 'ready' ? 1 : 0);
  set(LOG_METRICS.auditDenied, {}, audit.denied);
}
