import type { JsonValue } from '../contract/json.ts';
import type { Pep } from '../contract/pep.ts';
import type { PolicySet } from '../decide/policies.ts';
import type { DecisionAdmin } from '../endpoints/admin/decisions.ts';
import { receiveDecide } from '../endpoints/decide/receive.ts';
import { decideAnswer } from '../endpoints/decide/respond.ts';
import { createSaidRedaction, maskDecision, maskHeaders } from '../record/mask-decision.ts';
import type { RecentDecisions } from '../record/recent-decisions.ts';
import { redactInput } from '../record/redact.ts';
import type { Simulation } from './simulation.ts';

type Parts = {
  readonly policies: Pick<PolicySet, 'inspect'>;
  /** Null where none is kept. */
  readonly recent: RecentDecisions | null;
  readonly pepNamed: (name: string) => Pep | null;
  readonly simulation: Simulation;
};

/** The last decisions with their explanations, which are made now, and the simulation. */
export function openExplain({ policies, recent, pepNamed, simulation }: Parts): DecisionAdmin {
  return {
    find(id) {
      const kept = recent?.find(id) ?? null;
      if (kept === null) return null;
      const { asked, trace } = kept;
      const { name, revision } = kept.decision.policy;
      const explainer = trace === null ? null : (policies.inspect(name)?.explainer(revision) ?? null);
      const input: JsonValue = trace === null || trace.input === null ? null : JSON.parse(trace.input);
      const explanation =
        explainer === null || trace === null ? null : explainer(kept.decision, trace, redactInput, createSaidRedaction(input));
      return { decision: { ...maskDecision(kept.decision, input), explanation }, asked };
    },
    pepNamed,
    simulate: async (request, revision) => maskHeaders(await simulation.decide(request, revision)),
    receive: receiveDecide,
    answer: decideAnswer,
  };
}
