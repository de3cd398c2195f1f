import type { ProofStatus } from '../contract/assertion.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

/** Of the keys that upstreams verify assertions by. */
export const ASSERTION_METRICS = {
  assertionKeyFailed: {
    name: 'countersign_assertion_key_failed',
    type: 'gauge',
    help: '1 where the file of an assertion key holds what cannot be used, or cannot be read: the key that was read before stays.',
    labels: ['key'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Shows the keys of the configuration. */
export function showAssertion(
  status: ProofStatus | undefined,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  for (const { id, use, lastError } of status?.keys ?? []) {
    if (use !== 'replaced') set(ASSERTION_METRICS.assertionKeyFailed, { key: id }, lastError === null ? 0 : 1);
  }
}
