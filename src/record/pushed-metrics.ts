import type { DecisionRecord } from '../contract/record.ts';
import type { PolicyStatus } from '../contract/status.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import { createLabelGate, type Labels, Tally } from './tally.ts';

/** Of the data that operators push; labels are names of policies. */
export const PUSHED_METRICS = {
  dataRevision: {
    name: 'countersign_pushed_data_revision',
    type: 'gauge',
    help: 'Revision of the data that was pushed over a policy; there is no value where nothing was ever pushed.',
    labels: ['policy'],
  },
  dataBytes: {
    name: 'countersign_pushed_data_bytes',
    type: 'gauge',
    help: 'Bytes of the data that was pushed over a policy.',
    labels: ['policy'],
  },
  dataReady: {
    name: 'countersign_pushed_data_ready',
    type: 'gauge',
    help: '1 where pushed data is in force, 0 where what was kept over the restart could not be read and is not.',
    labels: ['policy'],
  },
  exceptionsActive: {
    name: 'countersign_exceptions_active',
    type: 'gauge',
    help: 'Time-boxed exceptions of a policy that are not over.',
    labels: ['policy'],
  },
} as const satisfies Record<string, MetricDefinition>;

export const EXCEPTION_USES = {
  name: 'countersign_exception_uses_total',
  type: 'counter',
  help: 'Verdicts of rules that a time-boxed exception took back, by exception and rule.',
  labels: ['exception', 'rule'],
} as const satisfies MetricDefinition;

/** Shows what was pushed over a policy. */
export function showPushed(
  { name: policy, data }: PolicyStatus,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  if (data === undefined) return;
  set(PUSHED_METRICS.dataRevision, { policy }, data.revision);
  set(PUSHED_METRICS.dataBytes, { policy }, data.bytes);
  set(PUSHED_METRICS.dataReady, { policy }, data.state === 'ready' ? 1 : 0);
  set(PUSHED_METRICS.exceptionsActive, { policy }, data.exceptions.length);
}

const SERIES_MAX = 500;
const ID_FORM = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

/** Counts what exceptions did; nothing but a comparison for a decision without one. */
export function createExceptionCounter(): { readonly tally: Tally; readonly count: (record: DecisionRecord) => void } {
  const tally = new Tally(EXCEPTION_USES.labels);
  const idLabel = createLabelGate(SERIES_MAX, ID_FORM);
  const ruleLabel = createLabelGate(SERIES_MAX, ID_FORM);
  return {
    tally,
    count({ decision: { exceptions } }) {
      if (exceptions === undefined) return;
      for (const { id, rules } of exceptions) for (const rule of rules) tally.cell(idLabel(id), ruleLabel(rule)).count += 1;
    },
  };
}
