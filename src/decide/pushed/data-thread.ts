import { Worker } from 'node:worker_threads';
import { asCountersignError } from '../../contract/errors.ts';
import type { DataJob, DataOutcome } from './data-job.ts';

/** Does a job with pushed data; never rejects. */
export type RunDataJob = (job: DataJob) => Promise<DataOutcome>;

export type DataThreadOptions = {
  /** The module that the thread runs: it answers its `workerData` by one message. */
  readonly worker: URL;
  /** Longer than this is given up, milliseconds. */
  readonly timeoutMs: number;
  /** Of the thread's JavaScript. */
  readonly heapMbMax: number;
  /** Jobs that run or wait; more are refused. */
  readonly jobsMax: number;
};

/** One thread a job, one job after the other: pushes are few, and a thread that is gone holds no memory. */
export function createDataThread(options: DataThreadOptions): { readonly run: RunDataJob; readonly stop: () => void } {
  const running = new Set<() => void>();
  let last: Promise<unknown> = Promise.resolve();
  let jobs = 0;
  let stopped = false;

  /** Null where the system gives no more threads: the next job may get one. */
  function open(job: DataJob): Worker | null {
    try {
      return new Worker(options.worker, {
        workerData: job,
        execArgv: [],
        resourceLimits: { maxOldGenerationSizeMb: options.heapMbMax },
      });
    } catch {
      return null;
    }
  }

  function start(job: DataJob): Promise<DataOutcome> {
    return new Promise((resolve) => {
      if (stopped) return resolve(failed('stopped'));
      const worker = open(job);
      if (worker === null) return resolve(failed('no thread could be started'));
      const end = (outcome: DataOutcome): void => {
        clearTimeout(timer);
        running.delete(stop);
        worker.removeAllListeners();
        // what a dying thread still says is of no interest
        worker.on('error', () => undefined);
        void worker.terminate();
        resolve(outcome);
      };
      const stop = (): void => end(failed('stopped'));
      running.add(stop);
      const timer = setTimeout(() => end(failed(`not done within ${options.timeoutMs} ms`)), options.timeoutMs);
      worker.unref();
      worker.on('message', (outcome: DataOutcome) => end(outcome));
      worker.on('error', (cause) => end(failed(asCountersignError(cause, 'data_preparation_failed').message)));
      worker.on('exit', () => end(failed('the thread ended')));
    });
  }

  return {
    run: async (job) => {
      if (jobs >= options.jobsMax) return { kind: 'refused', refused: 'overloaded' };
      jobs += 1;
      const turn = last.then(() => start(job));
      last = turn;
      try {
        return await turn;
      } finally {
        jobs -= 1;
      }
    },
    stop() {
      stopped = true;
      for (const stop of running) stop();
    },
  };
}

function failed(detail: string): DataOutcome {
  return { kind: 'refused', refused: 'data_preparation_failed', detail };
}
