import type { OverloadStatus } from '../contract/overload.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

/** Of what is at the door. */
export const OVERLOAD_METRICS = {
  refused: {
    name: 'countersign_refused_total',
    type: 'counter',
    help: 'Requests that were refused at the border and never became a decision, by code (codes.md): bad bodies, unknown gateways, overload.',
    labels: ['code'],
  },
  openRequests: {
    name: 'countersign_open_requests',
    type: 'gauge',
    help: 'Requests at work now, by listener.',
    labels: ['listener'],
  },
  shed: {
    name: 'countersign_shed_total',
    type: 'counter',
    help: 'Questions that were turned away as `overloaded`: in_flight (more than `http.inFlightMax` or `grpc.inFlightMax` at work), bytes (more than `overload.heldBytesMax`), queue (waited for longer than `overload.queueMs`).',
    labels: ['reason'],
  },
  heldBytes: {
    name: 'countersign_held_bytes',
    type: 'gauge',
    help: 'Bytes of questions that arrive or are at work now, over all protocols.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Shows what is held and what was turned away. */
export function showOverload(
  status: OverloadStatus | undefined,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  if (status === undefined) return;
  for (const [reason, count] of Object.entries(status.shed)) set(OVERLOAD_METRICS.shed, { reason }, count);
  set(OVERLOAD_METRICS.heldBytes, {}, status.heldBytes);
}
