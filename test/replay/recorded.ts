import type { Case } from '../../src/cases/schema.ts';
import { enrichmentOf, identityOf, requestOf } from '../../src/cases/signals.ts';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import type { InputMode } from '../../src/record/build-line.ts';
import { buildLine } from '../../src/record/build-line.ts';
import type { DecisionLine } from '../../src/record/decision-line.ts';

const TIMES = { identify: 0, enrich: 0, decide: 0, total: 0 };

/** The line that the service writes when a policy decides a case. */
export function lineOfCase(policy: ActivePolicy, one: Case, mode: InputMode): DecisionLine {
  const request = requestOf(one);
  const identity = identityOf(one, request);
  const enrichment = enrichmentOf(one, request, identity);
  const route = policy.routeOf(request);
  const { decision, input, slow, cause } = policy.decide(request, identity, enrichment, route);
  return buildLine({ request, decision, route, identity, enrichment, times: TIMES, slow, input, cause }, mode);
}
