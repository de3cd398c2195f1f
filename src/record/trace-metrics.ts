import type { TracingStatus } from '../contract/trace.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

/** Of exported traces; there are no values where `tracing` is off. */
export const TRACE_METRICS = {
  traceSpans: {
    name: 'countersign_trace_spans_total',
    type: 'counter',
    help: 'Spans of sampled traces: exported (the collector took them), dropped_full (the queue was full), dropped_failed (the collector could not be reached, or refused them).',
    labels: ['result'],
  },
  traceQueue: {
    name: 'countersign_trace_queue_spans',
    type: 'gauge',
    help: 'Spans that wait for the collector.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Shows what became of spans. */
export function showTracing(
  status: TracingStatus | undefined,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  if (status === undefined) return;
  set(TRACE_METRICS.traceSpans, { result: 'exported' }, status.exported);
  set(TRACE_METRICS.traceSpans, { result: 'dropped_full' }, status.droppedFull);
  set(TRACE_METRICS.traceSpans, { result: 'dropped_failed' }, status.droppedFailed);
  set(TRACE_METRICS.traceQueue, {}, status.queued);
}
