import type { DecisionRecord } from '../contract/record.ts';
import type { ShadowDiff } from '../contract/rollout.ts';
import type { Clock, Logger, Recorder } from '../contract/stages.ts';
import type { RecordStatus } from '../contract/status.ts';
import { buildLine, type InputMode } from './build-line.ts';
import { buildShadowLine } from './shadow-line.ts';
import { createLineSink, type LineSink } from './sink.ts';
import { createUndecidedLog } from './undecided-report.ts';

/** What the decision log is configured by: the section `decisions.log`. */
export type RecorderOptions = {
  readonly sink: 'stdout' | 'none' | { readonly file: string };
  readonly input: InputMode;
  /** Lines that wait for a slow sink; what does not fit is dropped and counted. */
  readonly bufferBytesMax: number;
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
const NOTHING = { written: 0, dropped: 0 };
/** A broken sink is reported once in this time, not once a line. */
const REPORT_EVERY_MS = 10_000;

/** Throws CountersignError `config_invalid` where the file of the sink cannot be opened. */
export function createRecorder(
  options: RecorderOptions,
  parts: { readonly metrics: { count(record: DecisionRecord): void }; readonly logger: Logger; readonly clock: Pick<Clock, 'monotonic'> },
): DecisionRecorder {
  const { logger, metrics, clock } = parts;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  let failed = 0;

  function report(event: string, error: unknown): void {
    const nowMs = clock.monotonic();
    if (nowMs - reportedAtMs < REPORT_EVERY_MS) return;
    reportedAtMs = nowMs;
    logger.error(event, { error, ...sinkStatus() });
  }

  const sink = openSink(options, (error) => report('decision_log_write_failed', error));
  const sinkStatus = (): RecordStatus => sink?.status() ?? NOTHING;

  const tellUndecided = createUndecidedLog(logger, clock);

  function record(one: DecisionRecord): void {
    try {
      tellUndecided(one);
      metrics.count(one);
      sink?.write(`${JSON.stringify(buildLine(one, options.input))}\n`);
    } catch (thrown) {
      failed += 1;
      report('decision_record_failed', thrown);
    }
  }

  function recordDiff(diff: ShadowDiff): void {
    try {
      sink?.write(`${JSON.stringify(buildShadowLine(diff, options.input))}\n`);
    } catch (thrown) {
      failed += 1;
      report('decision_record_failed', thrown);
    }
  }

  return {
    record,
    recordDiff,
    status: () => {
      const { written, dropped } = sinkStatus();
      return { written, dropped: dropped + failed };
    },
    close: async (boundMs) => sink?.close(boundMs),
  };
}

function openSink({ sink, bufferBytesMax }: RecorderOptions, onError: (error: Error) => void): LineSink | null {
  if (sink === 'none') return null;
  return createLineSink(sink === 'stdout' ? { fd: STDOUT } : sink, { bufferBytesMax, batch: true, onError });
}
