import { Worker } from 'node:worker_threads';
import { CountersignError } from '../../contract/errors.ts';
import { outcomeOf, type PrepareReply, type PrepareRequest } from './prepare-messages.ts';
import type { Prepare, PrepareOutcome, PrepareTask } from './prepare-revision.ts';

export type PrepareThreadOptions = {
  /** The module that the thread runs: it calls `servePreparing`. */
  readonly worker: URL;
  /** For one bundle: a policy that never ends is stopped then. */
  readonly timeoutMs: number;
  /** Of the thread's JavaScript; the memory of a policy has its own bound. */
  readonly heapMbMax: number;
  /** An idle thread ends after so long. */
  readonly idleMs: number;
};

/** Prepares in a thread of its own, one bundle after the other. */
export interface PrepareThread {
  readonly prepare: Prepare;
  /** Ends the thread; what it works on is refused. */
  stop(): void;
}

type Job = { readonly task: PrepareTask; readonly done: (outcome: PrepareOutcome) => void };

/** Bundles that one thread prepares before another one takes its place. */
const JOBS_MAX = 50;

/** Starts the thread when there is work. One that fails, takes too long or too much memory refuses its bundle and is replaced. */
export function createPrepareThread(options: PrepareThreadOptions): PrepareThread {
  const waiting: Job[] = [];
  let worker: Worker | null = null;
  let busy: { readonly job: Job; readonly deadline: NodeJS.Timeout } | null = null;
  let idle: NodeJS.Timeout | undefined;
  let stopped = false;
  let done = 0;

  const end = (): void => {
    clearTimeout(idle);
    worker?.removeAllListeners();
    // what a dying thread still says is of no interest
    worker?.on('error', () => undefined);
    void worker?.terminate();
    worker = null;
    done = 0;
  };

  const finish = (outcome: PrepareOutcome): void => {
    if (busy === null) return;
    const { job, deadline } = busy;
    clearTimeout(deadline);
    busy = null;
    // what a long life leaves behind in a thread goes with it
    if (++done >= JOBS_MAX) end();
    job.done(outcome);
    next();
  };

  const fail = (error: CountersignError): void => {
    end();
    finish({ ok: false, error, revision: null });
  };

  const start = (): Worker => {
    // a thread of its own standard streams would be one more thing that can fail; `execArgv` keeps out what the process was started with
    const started = new Worker(options.worker, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: options.heapMbMax } });
    started.unref();
    started.on('message', (reply: PrepareReply) => finish(outcomeOf(reply)));
    started.on('error', (cause) => {
      const tooMuch = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
      fail(
        tooMuch
          ? new CountersignError('bundle_too_large', { field: 'memory', cause })
          : new CountersignError('bundle_unreadable', { cause }),
      );
    });
    started.on('exit', () => fail(new CountersignError('bundle_unreadable', { detail: 'the preparing thread ended' })));
    return started;
  };

  const next = (): void => {
    if (busy !== null || stopped) return;
    const job = waiting.shift();
    if (job === undefined) {
      idle = setTimeout(end, options.idleMs);
      idle.unref();
      return;
    }
    clearTimeout(idle);
    worker ??= start();
    const late = (): void => fail(new CountersignError('bundle_too_slow', { detail: `not prepared within ${options.timeoutMs} ms` }));
    busy = { job, deadline: setTimeout(late, options.timeoutMs) };
    worker.postMessage({ task: job.task } satisfies PrepareRequest);
  };

  return {
    prepare: (task) =>
      new Promise((resolve) => {
        if (stopped) return resolve({ ok: false, error: new CountersignError('bundle_unreadable', { detail: 'stopped' }), revision: null });
        waiting.push({ task, done: resolve });
        next();
      }),
    stop() {
      stopped = true;
      fail(new CountersignError('bundle_unreadable', { detail: 'stopped' }));
      for (const { done } of waiting.splice(0))
        done({ ok: false, error: new CountersignError('bundle_unreadable', { detail: 'stopped' }), revision: null });
    },
  };
}
