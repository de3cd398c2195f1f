import { type FeedbackSink, OUTCOMES } from '../../contract/behaviour.ts';
import type { RecentEntries } from '../../stores/recent-entries.ts';
import type { WindowKeys } from '../../stores/windows.ts';
import type { Behaviour } from './behaviour.ts';

/** What is kept of a decision until its outcome is reported. */
export type Reportable = { readonly keys: WindowKeys; reported: boolean };

/** Takes what a request has cost, afterwards: amounts by unit under the keys that the request itself was counted under. */
export type CostSink = (keys: WindowKeys, cost: ReadonlyMap<string, number>, nowMs: number) => void;

/** The sink with what the enricher tells it. */
export type RunningFeedback = FeedbackSink & {
  /** Notes a decision that may be reported on. */
  note(decisionId: string, keys: WindowKeys, nowMs: number): void;
  status(): FeedbackCounts;
};

export type FeedbackCounts = {
  readonly accepted: number;
  readonly repeated: number;
  readonly unknown: number;
  /** Decisions that may be reported on. */
  readonly entries: number;
};

/** Ties reports to decisions. Each decision is reported on once: a gateway that did not get our answer may say it again. */
export function createFeedback(recent: RecentEntries<Reportable>, behaviour: Behaviour | null, onCost: CostSink): RunningFeedback {
  const counts = { accepted: 0, repeated: 0, unknown: 0 };
  return {
    note: (decisionId, keys, nowMs) => recent.note(decisionId, { keys, reported: false }, nowMs),
    report({ decisionId, outcome, cost }, receivedAtMs) {
      const entry = recent.find(decisionId, receivedAtMs);
      if (entry === null) {
        counts.unknown += 1;
        return 'unknown';
      }
      if (entry.reported) {
        counts.repeated += 1;
        return 'repeated';
      }
      entry.reported = true;
      counts.accepted += 1;
      const { client } = entry.keys;
      if (client !== null) behaviour?.outcome(client, OUTCOMES.indexOf(outcome), receivedAtMs);
      if (cost.size > 0) onCost(entry.keys, cost, receivedAtMs);
      return 'accepted';
    },
    status: () => ({ ...counts, entries: recent.size }),
  };
}
