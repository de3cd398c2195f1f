import type { FeedbackReport, FeedbackReporter, FeedbackResult, FeedbackSink } from '../../contract/behaviour.ts';
import type { FeedbackStatus } from '../../contract/status.ts';
import type { RecentEntries } from '../../stores/recent-entries.ts';
import type { CounterHit } from '../../stores/windows.ts';
import { toThousandths } from '../counters.ts';
import type { ReportableCost } from '../rate.ts';
import type { Behaviour } from './behaviour.ts';

/** What is kept of a decision until its outcome is reported: who asked, whom it was for, and the counters that take what it has cost. */
export type Reportable = { readonly pep: string; readonly client: string | null; readonly costs: readonly ReportableCost[] };
export type ReportedDecision = Reportable & { reported: boolean };

/** Adds what a request has cost, afterwards, under the keys that the request itself was counted under. */
export type CostSink = (hits: readonly CounterHit[], nowMs: number) => void;

/** The sink with what the enricher tells it. */
export type RunningFeedback = FeedbackSink & {
  /** Notes a decision that may be reported on. */
  note(decisionId: string, decision: Reportable, nowMs: number): void;
  status(): FeedbackStatus;
};

/** The same where decisions are kept in this process: it answers at once. */
export type LocalFeedback = RunningFeedback & {
  report(report: FeedbackReport, receivedAtMs: number, reporter: FeedbackReporter): FeedbackResult;
};

/** Ties reports to decisions. Each decision is reported on once: a gateway that did not get our answer may say it again. */
export function createFeedback(recent: RecentEntries<ReportedDecision>, behaviour: Behaviour | null, onCost: CostSink): LocalFeedback {
  const counts = { accepted: 0, repeated: 0, unknown: 0 };
  return {
    note: (decisionId, decision, nowMs) => recent.note(decisionId, { ...decision, reported: false }, nowMs),
    report({ decisionId, outcome, cost }, receivedAtMs, reporter) {
      const entry = recent.find(decisionId, receivedAtMs);
      if (entry === null || !mayReport(reporter, entry.pep)) {
        counts.unknown += 1;
        return 'unknown';
      }
      if (entry.reported) {
        counts.repeated += 1;
        return 'repeated';
      }
      entry.reported = true;
      counts.accepted += 1;
      const { client } = entry;
      if (client !== null) behaviour?.outcome(client, outcome, receivedAtMs);
      const hits = costHits(entry, cost);
      if (hits.length > 0) onCost(hits, receivedAtMs);
      return 'accepted';
    },
    status: () => ({ ...counts, entries: recent.size }),
  };
}

/** A gateway knows ids of others' decisions from headers and logs; what it says must not make their clients look bad, or spend their amounts. */
export function mayReport({ name, feedbackFor }: FeedbackReporter, pep: string): boolean {
  return pep === name || feedbackFor?.includes(pep) === true;
}

/** What a reported cost adds, and to which counters. */
export function costHits({ costs }: Reportable, cost: ReadonlyMap<string, number>): CounterHit[] {
  return cost.size === 0 ? [] : costs.flatMap((one) => hitOf(one, cost));
}

function hitOf({ unit, counter, key }: ReportableCost, cost: ReadonlyMap<string, number>): CounterHit[] {
  const amount = toThousandths(cost.get(unit));
  return amount === null ? [] : [{ counter, key, amount, thresholds: [] }];
}
