import { LATENCY_BUCKETS, METRICS } from '../../src/record/metric-definitions.ts';
import { code, opening, table } from './markdown.ts';

const ABOUT = [
  '`GET /metrics` on the operations listener has them in the text format of Prometheus, and beside them the `process_…` and `nodejs_…` metrics of prom-client.',
  'Labels hold names of the configuration and of policies only: never a client, an address, a path or an id of a request. Their number is bounded.',
  '',
  `Latency buckets, in seconds: ${LATENCY_BUCKETS.join(', ')}.`,
];

/** The text of docs/metrics.md. */
export function metricsDoc(): string {
  const rows = Object.values(METRICS).map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]);
  return `${[opening('Metrics', '`src/record/metric-definitions.ts`', ABOUT), table(['metric', 'type', 'labels', 'what it says'], rows)].join('\n\n')}\n`;
}
