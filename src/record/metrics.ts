import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { ErrorCode } from '../contract/codes.ts';
import type { DecisionRecord } from '../contract/record.ts';
import type { Clock } from '../contract/stages.ts';
import type { ServiceStatus } from '../contract/status.ts';
import { ASSERTION_METRICS } from './assertion-metrics.ts';
import { CERTIFICATE_METRICS } from './certificate-metrics.ts';
import { CONFIG_METRICS } from './config-metrics.ts';
import { createDecisionCounters } from './decision-counters.ts';
import { KEY_END_METRICS } from './key-end-metrics.ts';
import { histogramText, Latency } from './latency.ts';
import { LOG_METRICS } from './log-metrics.ts';
import { LATENCY_BUCKETS, METRICS, type MetricDefinition } from './metric-definitions.ts';
import { POLICY_METRICS } from './policy-metrics.ts';
import { createExceptionCounter, PUSHED_METRICS } from './pushed-metrics.ts';
import { REVOCATION_METRICS } from './revocation-metrics.ts';
import { ROLLOUT_METRICS } from './rollout-metrics.ts';
import { SOURCE_METRICS } from './source-metrics.ts';
import { showStatus } from './status-gauges.ts';
import { type Labels, Tally } from './tally.ts';
import { TRACE_METRICS } from './trace-metrics.ts';
import { createUndecidedCounter } from './undecided-report.ts';

/** What the metrics are made of. */
export type MetricsOptions = {
  readonly version: string;
  /** The runtime's version, `process.versions.node`. */
  readonly node: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Asked once a scrape. */
  readonly status: () => ServiceStatus;
  /** Requests at work now by listener (`http`, `grpc`), asked once a scrape. */
  readonly openRequests?: () => Readonly<Record<string, number>>;
  /** Also show memory, CPU, event loop and garbage collection of the process; true where it is left out. */
  readonly processMetrics?: boolean;
};

/** The metrics of this process, in a registry of their own. */
export interface Metrics {
  /** Counts one decision: a few additions, no allocation. */
  count(record: DecisionRecord): void;
  /** Counts one request that was refused at the border. */
  refused(code: ErrorCode): void;
  /** Everything in the text format of Prometheus. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Makes the metrics that `metric-definitions.ts` lists. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const common = ({ name, help, labels }: MetricDefinition) => ({ name, help, labelNames: [...labels], registers: [registry] });
  const latencies = {
    identify: new Latency(LATENCY_BUCKETS),
    enrich: new Latency(LATENCY_BUCKETS),
    decide: new Latency(LATENCY_BUCKETS),
    total: new Latency(LATENCY_BUCKETS),
  };
  const counters = createDecisionCounters(latencies);
  const refusals = new Tally(METRICS.refused.labels);
  const exceptions = createExceptionCounter();
  const undecided = createUndecidedCounter();
  const fromStatus = (definition: MetricDefinition) => {
    const metric = definition.type === 'counter' ? new Counter(common(definition)) : new Gauge(common(definition));
    return {
      reset() {
        metric.reset();
        // prom-client gives a gauge without labels the value 0 where none was set: an alert on 0 would fire for what is not there
        if (metric instanceof Gauge && definition.labels.length === 0) metric.remove();
      },
      set: (labels: Labels, value: number) => (metric instanceof Gauge ? metric.set(labels, value) : metric.inc(labels, value)),
    };
  };
  const tallied = [
    { metric: fromStatus(METRICS.decisions), tally: counters.decisions },
    { metric: fromStatus(METRICS.failures), tally: counters.failures },
    { metric: fromStatus(METRICS.signalStates), tally: counters.signalStates },
    { metric: fromStatus(METRICS.slow), tally: counters.slow },
    { metric: fromStatus(METRICS.shadowLimits), tally: counters.shadowLimits },
    { metric: fromStatus(METRICS.monitored), tally: counters.monitored },
    { metric: fromStatus(METRICS.refused), tally: refusals },
    { metric: fromStatus(METRICS.exceptionUses), tally: exceptions.tally },
    { metric: fromStatus(METRICS.rulesUndecided), tally: undecided.tally },
  ];
  const shown = new Map<string, ReturnType<typeof fromStatus>>();
  for (const definition of STATUS_METRICS) shown.set(definition.name, fromStatus(definition));
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });

  async function scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    for (const { metric, tally } of tallied) {
      metric.reset();
      for (const { labels, count } of tally.series()) metric.set(labels, count);
    }
    for (const metric of shown.values()) metric.reset();
    const set = (definition: MetricDefinition, labels: Labels, value: number) => shown.get(definition.name)?.set(labels, value);
    showStatus(options.status(), set, options.clock.now() / 1000);
    for (const [listener, open] of Object.entries(options.openRequests?.() ?? {})) set(METRICS.openRequests, { listener }, open);
    set(METRICS.buildInfo, { version: options.version, node: options.node }, 1);
    return { contentType: registry.contentType, text: `${await registry.metrics()}\n${latencyText(latencies)}` };
  }

  return {
    count(record) {
      counters.count(record);
      exceptions.count(record);
      undecided.count(record);
    },
    refused: (code) => {
      refusals.cell(code).count += 1;
    },
    scrape,
  };
}

function latencyText({ total, ...stages }: Readonly<Record<'identify' | 'enrich' | 'decide' | 'total', Latency>>): string {
  const { decisionSeconds, stageSeconds } = METRICS;
  const byStage = Object.entries(stages).flatMap(([stage, latency]) => latency.lines(stageSeconds.name, `stage="${stage}"`));
  return `${histogramText(decisionSeconds, total.lines(decisionSeconds.name, ''))}\n${histogramText(stageSeconds, byStage)}`;
}

/** Metrics that are taken from the parts' own status at each scrape. */
const STATUS_METRICS: readonly MetricDefinition[] = [
  METRICS.openRequests,
  METRICS.shed,
  METRICS.heldBytes,
  METRICS.cacheHits,
  METRICS.cacheMisses,
  METRICS.cacheEntries,
  METRICS.keySetAge,
  METRICS.keySetState,
  METRICS.introspectionAnswers,
  METRICS.introspectionShed,
  METRICS.introspectionState,
  METRICS.directoryFetches,
  METRICS.directoryFailures,
  METRICS.trustBundleState,
  METRICS.crlAge,
  METRICS.crlExpiry,
  METRICS.crlState,
  METRICS.registryState,
  METRICS.registryAge,
  METRICS.registryEntries,
  METRICS.policyInfo,
  METRICS.policyActivated,
  METRICS.policyError,
  METRICS.databaseBuilt,
  METRICS.databaseBuildTime,
  METRICS.databaseReady,
  METRICS.databaseState,
  METRICS.listState,
  METRICS.listEntries,
  METRICS.listBadLines,
  METRICS.listAge,
  METRICS.storeReady,
  METRICS.storeEntries,
  METRICS.rememberedEntries,
  METRICS.rememberedDropped,
  METRICS.feedback,
  ...Object.values(POLICY_METRICS),
  ...Object.values(SOURCE_METRICS),
  ...Object.values(PUSHED_METRICS),
  ...Object.values(REVOCATION_METRICS),
  ...Object.values(ASSERTION_METRICS),
  ...Object.values(ROLLOUT_METRICS),
  ...Object.values(TRACE_METRICS),
  ...Object.values(CONFIG_METRICS),
  ...Object.values(CERTIFICATE_METRICS),
  ...Object.values(KEY_END_METRICS),
  METRICS.recordLines,
  ...Object.values(LOG_METRICS),
  METRICS.draining,
  METRICS.buildInfo,
];
