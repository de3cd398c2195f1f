import type { Decision } from './decision.ts';
import type { DecisionRequest } from './request.ts';
import type { Awaitable } from './stages.ts';

/** Questions about one caller: all of them have the same evidence, gateway and deadline, and ask about different things. */
export type Batch = {
  readonly items: readonly DecisionRequest[];
  /** The first decision of this kind is the last one that is made (AuthZEN `deny_on_first_deny`, `permit_on_first_permit`); a step_up is a deny there. */
  readonly stopAfter: 'deny' | 'permit' | null;
};

/** Answers batches; it never throws. */
export interface BatchPdp {
  /** One decision an item in their order, or fewer where it stopped. */
  decideBatch(batch: Batch): Awaitable<readonly Decision[]>;
}

/** Whether nothing is decided after this decision. */
export function isLast(decision: Decision, stopAfter: Batch['stopAfter']): boolean {
  return stopAfter !== null && (decision.effect === 'allow') === (stopAfter === 'permit');
}
