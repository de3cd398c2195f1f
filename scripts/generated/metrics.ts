import { LATENCY_BUCKETS, METRICS } from '../../src/record/metric-definitions.ts';
import { PROCESS_METRICS } from '../../src/record/process-metrics.ts';
import { code, opening, table } from './markdown.ts';

const ABOUT = [
  '`GET /metrics` on the operations listener has them in the text format of Prometheus, and beside them the `process_…` and `nodejs_…` metrics of prom-client.',
  'Labels hold names of the configuration and of policies only: never a client, an address, a path or an id of a request. Their number is bounded.',
  '',
  `Latency buckets, in seconds: ${LATENCY_BUCKETS.join(', ')}.`,
];

const ABOUT_PROCESS = [
  '## Memory, event loop and garbage collection',
  'Of the process, by prom-client. One process is one thread that decides: where the event loop is late, every answer is.',
];

/** The text of docs/metrics.md. */
export function metricsDoc(): string {
  const rows = Object.values(METRICS).map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]);
  const ofProcess = PROCESS_METRICS.map(([name, help]) => [code(name), help]);
  return `${[opening('Metrics', '`src/record/metric-definitions.ts`', ABOUT), table(['metric', 'type', 'labels', 'what it says'], rows), ...ABOUT_PROCESS, table(['metric', 'what it says'], ofProcess)].join('\n\n')}\n`;
}
