import { KEY_END_SPANS, type KeyEndSpan, type KeyEnds } from '../contract/registry-status.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

/** Of the registry's API keys; no label is a key's. */
export const KEY_END_METRICS = {
  keysExpiring: {
    name: 'countersign_registry_api_keys_expiring',
    type: 'gauge',
    help: 'API keys of the registry that are good now and end within 1d, 7d, 30d; those of a shorter span are in the longer ones too.',
    labels: ['within'],
  },
  keyNextEnd: {
    name: 'countersign_registry_api_key_next_end_timestamp_seconds',
    type: 'gauge',
    help: 'When the first of the API keys of the registry that are good now ends, unix time; there is no value where none has an end. /status names it.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

const SPANS = Object.keys(KEY_END_SPANS).filter((span): span is KeyEndSpan => Object.hasOwn(KEY_END_SPANS, span));

/** Shows how many keys are about to end. */
export function showKeyEnds(ends: KeyEnds | undefined, set: (definition: MetricDefinition, labels: Labels, value: number) => void): void {
  if (ends === undefined) return;
  for (const within of SPANS) set(KEY_END_METRICS.keysExpiring, { within }, ends.within[within]);
  if (ends.next !== null) set(KEY_END_METRICS.keyNextEnd, {}, ends.next.endsAt);
}
