import type { SourceCode, SourceStatus } from '../../contract/sources.ts';
import type { Clock, Logger } from '../../contract/stages.ts';
import type { SourceSignal } from './answer.ts';

/** Least time between two lines about one source: one that fails every other time must not fill the log. */
const QUIET_MS = 10_000;

/** Counts what became of the questions to one source, and says when that changes. */
export interface SourceTally {
  cached(): void;
  shed(): void;
  /** One that was sent, and took so long. */
  answered(signal: SourceSignal, works: boolean, tookMs: number): void;
  /** Failures from here on are our own doing and are not logged. */
  stop(): void;
  status(open: boolean): Pick<SourceStatus, 'state' | 'answers' | 'secondsTotal' | 'shed' | 'lastError'>;
}

/** Line and status by the name of the source alone: no part of a question or of an answer. */
export function createSourceTally(name: string, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }): SourceTally {
  const answers = { present: 0, absent: 0, invalid: 0, unavailable: 0, cached: 0 };
  let tookTotalMs = 0;
  let shed = 0;
  let failing = false;
  let lastError: SourceCode | null = null;
  let told: SourceCode | 'recovered' | null = null;
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  let stopped = false;

  function tell(news: SourceCode | 'recovered'): void {
    const nowMs = clock.monotonic();
    if (stopped || news === told || (news === 'recovered' && told === null) || nowMs < quietUntilMs) return;
    told = news;
    quietUntilMs = nowMs + QUIET_MS;
    if (news === 'recovered') logger.info('source_recovered', { source: name });
    else logger.warn('source_failed', { source: name, code: news });
  }

  return {
    cached: () => {
      answers.cached++;
    },
    shed: () => {
      shed++;
    },
    answered(signal, works, tookMs) {
      tookTotalMs += tookMs;
      answers[signal.status]++;
      failing = !works;
      lastError = signal.status === 'present' || signal.code === 'not_found' ? null : signal.code;
      tell(lastError ?? 'recovered');
    },
    stop: () => {
      stopped = true;
    },
    status: (open) => ({
      state: open ? 'open' : failing ? 'failing' : sum(answers) === 0 ? 'never_asked' : 'ready',
      answers: { ...answers },
      secondsTotal: tookTotalMs / 1000,
      shed,
      lastError,
    }),
  };
}

function sum({ present, absent, invalid, unavailable }: SourceStatus['answers']): number {
  return present + absent + invalid + unavailable;
}
