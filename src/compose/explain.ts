import type { Pep } from '../contract/pep.ts';
import type { PolicySet } from '../decide/policies.ts';
import type { DecisionAdmin } from '../endpoints/admin/decisions.ts';
import { receiveDecide } from '../endpoints/decide/receive.ts';
import { decideAnswer } from '../endpoints/decide/respond.ts';
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
      const explanation = explainer === null || trace === null ? null : explainer(kept.decision, trace, redactInput);
      // what a policy sets for the upstream may be a credential
      const upstream = { headersToSet: {}, headersToRemove: [] };
      return { decision: { ...kept.decision, upstream, explanation }, asked };
    },
    pepNamed,
    simulate: simulation.decide,
    receive: receiveDecide,
    answer: decideAnswer,
  };
}
