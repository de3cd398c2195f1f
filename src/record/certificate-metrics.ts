import type { CertificateEnd } from '../contract/certificate-ends.ts';
import type { MetricDefinition } from './metric-definitions.ts';
import type { Labels } from './tally.ts';

/** Of the certificates that the service itself needs; labels are keys of the configuration. */
export const CERTIFICATE_METRICS = {
  certificateEnds: {
    name: 'countersign_certificate_not_after_timestamp_seconds',
    type: 'gauge',
    help: 'When a file of certificates that the configuration names is of no use any more, unix time: the first to end of an own certificate and its intermediates, and of those that are trusted the first that has not ended yet. There is no value where the file could not be read.',
    labels: ['key'],
  },
  certificateLifetime: {
    name: 'countersign_certificate_lifetime_seconds',
    type: 'gauge',
    help: 'How long the certificate holds in all that a file is of no use without; there is no value where the file could not be read.',
    labels: ['key'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Shows when certificates end. */
export function showCertificates(
  ends: readonly CertificateEnd[] | undefined,
  set: (definition: MetricDefinition, labels: Labels, value: number) => void,
): void {
  for (const { key, endsAt, lifetimeSeconds } of ends ?? []) {
    if (endsAt !== null) set(CERTIFICATE_METRICS.certificateEnds, { key }, endsAt);
    if (lifetimeSeconds !== null) set(CERTIFICATE_METRICS.certificateLifetime, { key }, lifetimeSeconds);
  }
}
