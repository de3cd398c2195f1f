import type { Identity } from '../contract/identity.ts';
import type { Route } from '../contract/route.ts';
import type { ActivePolicy, Evaluated } from '../contract/stages.ts';
import { bindingSeen, type Difference, differencesOf } from './differences.ts';
import type { Case } from './schema.ts';
import { enrichmentOf, identityOf, requestOf } from './signals.ts';

/** What a policy made of a case, and what of it is not as the case wants it. */
export type CaseRun = {
  readonly route: Route;
  readonly identity: Identity;
  readonly evaluated: Evaluated;
  readonly differences: readonly Difference[];
};

/**
 * Asks a policy the question of a case: the signals are made from `given`, and nothing is verified, looked up or counted.
 * @throws CaseError where the question or what is given cannot be
 */
export function runCase(policy: ActivePolicy, one: Case): CaseRun {
  const { route, identity, evaluated } = askCase(policy, one);
  const seen = {
    route: route.id,
    subject: identity.subject.id,
    client: identity.subject.client,
    binding: bindingSeen(identity),
    error: evaluated.decision.error?.code ?? null,
  };
  return { route, identity, evaluated, differences: differencesOf(one, evaluated.decision, seen) };
}

/**
 * The same without looking at what is wanted; `explain` adds the verdict of every rule.
 * @throws CaseError where the question or what is given cannot be
 */
export function askCase(policy: ActivePolicy, one: Case, explain = false): Omit<CaseRun, 'differences'> {
  const request = { ...requestOf(one), explain };
  const identity = identityOf(one, request);
  const enrichment = enrichmentOf(one, request, identity);
  const route = policy.routeOf(request);
  return { route, identity, evaluated: policy.decide(request, identity, enrichment, route) };
}
