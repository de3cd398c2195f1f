import type { SourceStatus } from '../contract/sources.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

const STATES = ['ready', 'failing', 'open', 'never_asked'] as const;

/** Of the sources of attributes; labels are names of the configuration. */
export const SOURCE_METRICS = {
  sourceAnswers: {
    name: 'countersign_source_answers_total',
    type: 'counter',
    help: 'Questions to a source of attributes, by what became of them: present, absent, invalid, unavailable, or cached (not sent).',
    labels: ['source', 'result'],
  },
  sourceSeconds: {
    name: 'countersign_source_seconds_total',
    type: 'counter',
    help: 'Time that the questions to a source of attributes took that were sent, failed ones included; divide by their number for the mean.',
    labels: ['source'],
  },
  sourceShed: {
    name: 'countersign_source_shed_total',
    type: 'counter',
    help: 'Questions to a source of attributes that were not sent: too many in flight, or it failed several times in a row.',
    labels: ['source'],
  },
  sourceInFlight: {
    name: 'countersign_source_in_flight',
    type: 'gauge',
    help: 'Questions to a source of attributes that wait for an answer now.',
    labels: ['source'],
  },
  sourceState: {
    name: 'countersign_source_state',
    type: 'gauge',
    help: '1 for the state that a source of attributes is in: ready, failing, open (left alone for a while), never_asked.',
    labels: ['source', 'state'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Shows what each source says of itself. */
export function showSources(
  sources: readonly SourceStatus[],
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  for (const { name: source, state, answers, secondsTotal, shed, inFlight } of sources) {
    for (const [result, count] of Object.entries(answers)) set(SOURCE_METRICS.sourceAnswers, { source, result }, count);
    set(SOURCE_METRICS.sourceSeconds, { source }, secondsTotal);
    set(SOURCE_METRICS.sourceShed, { source }, shed);
    set(SOURCE_METRICS.sourceInFlight, { source }, inFlight);
    for (const one of STATES) set(SOURCE_METRICS.sourceState, { source, state: one }, one === state ? 1 : 0);
  }
}
