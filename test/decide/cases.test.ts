import { beforeAll, describe, expect, it } from 'vitest';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { EvaluationInput } from '../../src/decide/input-schema.ts';
import { bindingSeen, checkCase } from '../cases/check.ts';
import { loadCases } from '../cases/load.ts';
import type { Case } from '../cases/schema.ts';
import { enrichmentOf, identityOf, requestOf } from '../cases/signals.ts';
import { baseBundle, createTestPolicies } from './fixtures.ts';

let policy: ActivePolicy;
beforeAll(async () => {
  policy = await createTestPolicies().activate('default', await baseBundle());
});

function decide(one: Case) {
  const request = requestOf(one);
  const identity = identityOf(one, request);
  const enrichment = enrichmentOf(one, request, identity);
  const route = policy.routeOf(request);
  return { route, identity, evaluated: policy.decide(request, identity, enrichment, route) };
}

const cases = loadCases().filter(({ levels }) => levels.includes('wasm'));

describe('cases, at the level of Wasm and combining', () => {
  it.each(cases.map((one) => [`${one.file}: ${one.name}`, one] as const))('%s', (_name, one) => {
    const { route, identity, evaluated } = decide(one);
    expect(evaluated.cause).toBeNull();
    checkCase(one, evaluated.decision, {
      route: route.id,
      subject: identity.subject.id,
      client: identity.subject.client,
      binding: bindingSeen(identity),
      error: evaluated.decision.error?.code ?? null,
    });
  });
});

describe('the input', () => {
  it.each(cases.map((one) => [`${one.file}: ${one.name}`, one] as const))('has the form that policy authors are told: %s', (_name, one) => {
    const { evaluated } = decide(one);
    const parsed = EvaluationInput.safeParse(evaluated.input('full'));
    expect(parsed.error?.issues ?? []).toEqual([]);
  });
});
