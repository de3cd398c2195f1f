import type { FeedbackResult, Outcome } from '../../contract/behaviour.ts';
import type { SharedCall, SharedStore } from '../../stores/shared-store.ts';
import { type CostSink, costHits, mayReport, type Reportable, type RunningFeedback } from '../behaviour/feedback.ts';
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

  function accept(decision: Reportable, outcome: Outcome, cost: ReadonlyMap<string, number>, nowMs: number): void {
    counts.accepted += 1;
    if (decision.client !== null) clients.outcome(decision.client, outcome, nowMs);
    const hits = costHits(decision, cost);
    if (hits.length > 0) onCost(hits, nowMs);
  }

  /** Null where the key is not there, undefined where the store did not answer. */
  async function ask(call: SharedCall, nowMs: number): Promise<string | null | undefined> {
    const reply = (await store.ask(() => [call], nowMs, BUDGET_MS))?.replies[0];
    return reply instanceof Uint8Array ? Buffer.from(reply).toString() : reply === null ? null : undefined;
  }

  function unavailable(): FeedbackResult {
    counts.unavailable += 1;
    return 'unavailable';
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
    async report({ decisionId, outcome, cost }, receivedAtMs, reporter) {
      const tag = tagOf(decisionId);
      const unknown = (): FeedbackResult => {
        counts.unknown += 1;
        return 'unknown';
      };
      // looked at first: who may not report must not use up the one report that there is
      const noted = await ask({ tag, before: ['GET'], args: [] }, receivedAtMs);
      if (noted === undefined) return unavailable();
      const decision = noted === null ? null : parseReportable(noted);
      if (decision === null || Math.abs(receivedAtMs - decision.at) > ageMaxMs || !mayReport(reporter, decision.pep)) return unknown();
      // one step takes the decision and leaves that it was reported on: of two reports at once one is the first
      const reported = JSON.stringify({ pep: decision.pep, at: decision.at, reported: true });
      const taken = await ask({ tag, before: ['SET'], args: [reported, 'XX', 'GET', 'PX', ageMaxMs] }, receivedAtMs);
      if (taken === undefined) return unavailable();
      if (taken === null) return unknown();
      if (taken === reported) {
        counts.repeated += 1;
        return 'repeated';
      }
      accept(decision, outcome, cost, receivedAtMs);
      return 'accepted';
    },
    status: () => ({ ...counts, entries: null }),
  };
}

function tagOf(decisionId: string): string {
  return `o:${boundedKey(decisionId)}`;
}
