import type { LogFormat } from '../contract/decision-log.ts';
import type { DecisionRecord } from '../contract/record.ts';
import type { ShadowDiff } from '../contract/rollout.ts';
import type { Clock, Logger, Recorder } from '../contract/stages.ts';
import type { RecordStatus } from '../contract/status.ts';
import { buildLine, type InputMode } from './build-line.ts';
import { createDecisionLog } from './decision-log.ts';
import type { Rotation } from './log-file.ts';
import { createOutlet, type Outlet, type OutletSink } from './log-outlet.ts';
import type { LogLabels } from './opa-event.ts';
import type { Pseudonymise } from './pseudonyms.ts';
import { buildShadowLine } from './shadow-line.ts';
import { createLineSink, type LineSink } from './sink.ts';
import { createUndecidedLog } from './undecided-report.ts';

/** What the decision log is configured by: the section `decisions.log`. */
export type RecorderOptions = {
  readonly sink: 'stdout' | 'none' | { readonly file: string; readonly rotation?: Rotation | null };
  /** Of the sink; left out: `countersign`. */
  readonly format?: LogFormat;
  readonly input: InputMode;
  /** Lines that wait for a slow sink; what does not fit is dropped and counted. */
  readonly bufferBytesMax: number;
  /** `required`: what cannot be recorded is not decided. Left out: `best_effort`. */
  readonly audit?: 'best_effort' | 'required';
  /** Of every event but those of our own kind. */
  readonly labels?: LogLabels;
};

export type RecorderParts = {
  readonly metrics: { count(record: DecisionRecord): void };
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic'> & Partial<Pick<Clock, 'now'>>;
  /** A collector, beside the sink. */
  readonly http?: { readonly format: LogFormat; readonly open: (onError: (error: Error) => void) => OutletSink } | null;
  /** Left out: addresses and ids stay as they are. */
  readonly pseudonymise?: Pseudonymise | null;
  /** After what is to be done now; left out: at once. */
  readonly later?: (work: () => void) => void;
};

/** Keeps what happened: one line a decision, and the metrics. */
export interface DecisionRecorder extends Recorder {
  /** Keeps what a candidate would have decided otherwise: a line of its own kind, and no metric. */
  recordDiff(diff: ShadowDiff): void;
  status(): RecordStatus;
  /** Hands on what is buffered, for `boundMs` at most. */
  close(boundMs?: number): Promise<void>;
}

const STDOUT = 1;
/** A broken sink is reported once in this time, not once a line. */
const REPORT_EVERY_MS = 10_000;

/** Throws CountersignError `config_invalid` where the file of the sink cannot be opened. */
export function createRecorder(options: RecorderOptions, parts: RecorderParts): DecisionRecorder {
  const { logger, metrics, clock } = parts;
  const { labels = {}, format = 'countersign', input } = options;
  const required = options.audit === 'required';
  const reportedAtMs = new Map<string, number>();
  const outlets: Outlet[] = [];
  let denied = 0;
  let closed = false;

  function report(event: string, error: unknown): void {
    const nowMs = clock.monotonic();
    if (nowMs - (reportedAtMs.get(event) ?? Number.NEGATIVE_INFINITY) < REPORT_EVERY_MS) return;
    reportedAtMs.set(event, nowMs);
    logger.error(event, { error, ...countsOf(outlets) });
  }

  const sink = openSink(options, parts, (error) => report('decision_log_write_failed', error));
  if (sink !== null) outlets.push(createOutlet(options.sink === 'stdout' ? 'stdout' : 'file', format, sink, labels));
  if (parts.http != null) {
    const posts = parts.http.open((error) => report('decision_log_post_failed', error));
    outlets.push(createOutlet('http', parts.http.format, posts, labels));
  }
  const log = createDecisionLog(
    { outlets, labels, required },
    {
      pseudonymise: parts.pseudonymise ?? null,
      later: parts.later ?? ((work) => work()),
      clock,
      onFailed: (thrown) => report('decision_record_failed', thrown),
    },
  );
  const tellUndecided = createUndecidedLog(logger, clock);

  function record(one: DecisionRecord): void {
    try {
      tellUndecided(one);
      metrics.count(one);
    } catch (thrown) {
      report('decision_record_failed', thrown);
    }
    if (outlets.length === 0) return;
    const refused = one.decision.error?.code === 'audit_unavailable';
    const must = required && !refused;
    const bare = must ? { bare: () => buildLine(one, 'none') } : {};
    log.take({ make: () => buildLine(one, input), ...bare, record: one, native: false }, must);
  }

  function recordDiff(diff: ShadowDiff): void {
    if (outlets.length > 0) log.take({ make: () => buildShadowLine(diff, input), record: diff.record, native: true }, false);
  }

  function refuses(): 'audit_unavailable' | null {
    if (log.ready() && !closed) return null;
    denied += 1;
    report('audit_unavailable', null);
    return 'audit_unavailable';
  }

  return {
    record,
    ...(required ? { refuses } : {}),
    recordDiff,
    status: () => ({
      ...countsOf(outlets),
      sinks: outlets.map((outlet) => outlet.status()),
      maskFailures: log.maskFailures(),
      ...(required ? { audit: auditOf(outlets, log.ready(), denied) } : {}),
    }),
    async close(boundMs) {
      closed = true;
      log.flush();
      await Promise.all(outlets.map((outlet) => outlet.close(boundMs)));
      // nobody asks for the counts of a process that has ended
      for (const { sink, lost } of outlets.map(lossesOf)) if (lost.shutdown > 0) logger.error('decision_log_lost', { sink, ...lost });
    },
  };
}

function lossesOf(outlet: Outlet) {
  const { name, lost } = outlet.status();
  return { sink: name, lost };
}

function auditOf(outlets: readonly Outlet[], ready: boolean, denied: number): NonNullable<RecordStatus['audit']> {
  const broken = outlets.filter((outlet) => !outlet.ready());
  return { state: ready ? 'ready' : 'unavailable', local: broken.some(({ name }) => name !== 'http'), denied };
}

/** Lines that were written, and lost for whatever reason. */
function countsOf(outlets: readonly Outlet[]): { readonly written: number; readonly dropped: number } {
  const all = outlets.map((outlet) => outlet.status());
  return {
    written: all.reduce((sum, { written }) => sum + written, 0),
    dropped: all.reduce((sum, { lost }) => sum + Object.values(lost).reduce((losses, count) => losses + count, 0), 0),
  };
}

function openSink({ sink, bufferBytesMax }: RecorderOptions, parts: RecorderParts, onError: (error: Error) => void): LineSink | null {
  if (sink === 'none') return null;
  const { now } = parts.clock;
  const target = sink === 'stdout' ? { fd: STDOUT } : { ...sink, ...(now === undefined ? {} : { now }) };
  return createLineSink(target, { bufferBytesMax, batch: true, onError });
}
