import { OUTCOMES } from '../../contract/behaviour.ts';
import type { SharedStore } from '../../stores/shared-store.ts';
import { type CostSink, costHits, type Reportable, type RunningFeedback } from '../behaviour/feedback.ts';
import { boundedKey } from '../rate.ts';
import { parseReportable } from './reportable.ts';
import type { SharedClients } from './shared-clients.ts';

export type SharedFeedbackOptions = {
  /** How long an outcome may be reported. */
  readonly ageMaxMs: number;
  /** Decisions that this replica notes in so long a time: those beyond it cannot be reported on. */
  readonly notesMax: number;
};

/** What a report may take: it is not on the path of a decision. */
const BUDGET_MS = 1000;
/** What lies in the place of a decision that was reported on. */
const REPORTED = 'reported';

/** Ties reports to decisions of any replica: each is noted under a key that expires, and reported on once. */
export function createSharedFeedback(
  { ageMaxMs, notesMax }: SharedFeedbackOptions,
  store: SharedStore,
  clients: Pick<SharedClients, 'outcome'>,
  onCost: CostSink,
): RunningFeedback {
  const counts = { accepted: 0, repeated: 0, unknown: 0, unavailable: 0, unnoted: 0 };
  let noted = 0;
  let since = 0;

  function mayNote(nowMs: number): boolean {
    if (Math.abs(nowMs - since) >= ageMaxMs) {
      since = nowMs;
      noted = 0;
    }
    noted += 1;
    return noted <= notesMax;
  }

  function accept(decision: Reportable, outcome: number, cost: ReadonlyMap<string, number>, nowMs: number): void {
    counts.accepted += 1;
    if (decision.client !== null) clients.outcome(decision.client, outcome, nowMs);
    const hits = costHits(decision, cost);
    if (hits.length > 0) onCost(hits, nowMs);
  }

  return {
    note(decisionId, decision, nowMs) {
      if (!mayNote(nowMs)) {
        counts.unnoted += 1;
        return;
      }
      const text = JSON.stringify({ ...decision, at: nowMs });
      store.tell(() => [{ tag: tagOf(decisionId), before: ['SET'], args: [text, 'PX', ageMaxMs] }], nowMs);
    },
    async report({ decisionId, outcome, cost }, receivedAtMs) {
      // one step takes the decision and leaves that it was reported on: of two reports at once one is the first
      const call = { tag: tagOf(decisionId), before: ['SET'] as const, args: [REPORTED, 'XX', 'GET', 'PX', ageMaxMs] };
      const answer = await store.ask(() => [call], receivedAtMs, BUDGET_MS);
      const reply = answer?.replies[0];
      if (reply === undefined) {
        counts.unavailable += 1;
        return 'unavailable';
      }
      const text = reply instanceof Uint8Array ? Buffer.from(reply).toString() : null;
      if (text === REPORTED) {
        counts.repeated += 1;
        return 'repeated';
      }
      const decision = text === null ? null : parseReportable(text);
      if (decision === null || Math.abs(receivedAtMs - decision.at) > ageMaxMs) {
        counts.unknown += 1;
        return 'unknown';
      }
      accept(decision, OUTCOMES.indexOf(outcome), cost, receivedAtMs);
      return 'accepted';
    },
    status: () => ({ ...counts, entries: null }),
  };
}

function tagOf(decisionId: string): string {
  return `o:${boundedKey(decisionId)}`;
}
