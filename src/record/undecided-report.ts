import type { Reason } from '../contract/decision.ts';
import type { DecisionRecord } from '../contract/record.ts';
import type { Clock, Logger } from '../contract/stages.ts';
import { createLabelGate, Tally } from './tally.ts';

/** Rules that could not be evaluated; shown by `metrics.ts`. */
export const UNDECIDED = {
  name: 'countersign_rules_undecided_total',
  type: 'counter',
  help: 'Rules that could not be evaluated, by why: input_undefined (something that they refer to is not in the input), evaluation_error (a wrong type, a null, an error of a builtin), unknown.',
  labels: ['policy', 'rule', 'cause'],
} as const;

const SERIES_MAX = 500;
const NAME_FORM = /^[a-z0-9][a-z0-9_.-]{0,129}$/;
/** A rule is told of once in this time; the counter has them all. */
const EVERY_MS = 60_000;
const CAUSES: ReadonlySet<unknown> = new Set(['input_undefined', 'evaluation_error']);

/** The rules among the reasons that were left undecided, and no code of the host. */
function undecidedRules({ decision }: DecisionRecord): readonly Reason[] {
  if (decision.effect !== 'deny' || decision.error !== null) return [];
  return decision.reasons.filter(({ effect, code }) => effect === 'undecided' && code.includes('.'));
}

function causeOf({ details: { cause } }: Reason): string {
  return typeof cause === 'string' && CAUSES.has(cause) ? cause : 'unknown';
}

/** Counts undecided rules; nothing but two comparisons for a decision that was made. */
export function createUndecidedCounter(): { readonly tally: Tally; readonly count: (record: DecisionRecord) => void } {
  const tally = new Tally(UNDECIDED.labels);
  const policyLabel = createLabelGate(SERIES_MAX, NAME_FORM);
  const ruleLabel = createLabelGate(SERIES_MAX, NAME_FORM);
  return {
    tally,
    count(record) {
      for (const reason of undecidedRules(record))
        tally.cell(policyLabel(record.decision.policy.name), ruleLabel(reason.code), causeOf(reason)).count += 1;
    },
  };
}

/** Tells the operational log which rule said nothing, where it is written and what it lacked: names and types, never a value. */
export function createUndecidedLog(logger: Logger, clock: Pick<Clock, 'monotonic'>): (record: DecisionRecord) => void {
  const toldAtMs = new Map<string, number>();
  return (record) => {
    for (const reason of undecidedRules(record)) {
      const { id, policy } = record.decision;
      const key = `${policy.name} ${policy.revision} ${reason.code}`;
      const nowMs = clock.monotonic();
      const before = toldAtMs.get(key);
      if (before !== undefined && nowMs - before < EVERY_MS) continue;
      if (toldAtMs.size >= SERIES_MAX) toldAtMs.clear();
      toldAtMs.set(key, nowMs);
      const { at, missing, types } = reason.details;
      const cause = causeOf(reason);
      logger.warn('rule_undecided', {
        policy: policy.name,
        revision: policy.revision,
        rule: reason.code,
        at,
        cause,
        missing,
        types,
        decision_id: id,
      });
    }
  };
}
