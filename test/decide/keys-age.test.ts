import { expect, it } from 'vitest';
import { enrichmentOf, identityOf, requestOf } from '../../src/cases/signals.ts';
import { compileInput } from '../../src/decide/input.ts';
import { loadCases } from '../cases/load.ts';
import { baseBundle, createTestPolicies, decideOptions } from './fixtures.ts';

/* The age of a token's keys, as Rego reads it: of a token that was verified here, and null for claims that a gateway asserts. */

it('the input says how old the keys are that verified the token', async () => {
  const policy = await createTestPolicies().activate('default', await baseBundle());
  const input = compileInput(decideOptions().input, null);
  const ages = new Map<unknown, Set<unknown>>();
  for (const one of loadCases()) {
    const request = requestOf(one);
    const identity = identityOf(one, request);
    const enrichment = enrichmentOf(one, request, identity);
    const { signals } = Object(input({ request, identity, enrichment, route: policy.routeOf(request), lists: [] }));
    const { status, value } = signals.token;
    if (status === 'present') ages.set(value.verified_by, (ages.get(value.verified_by) ?? new Set()).add(value.keys_age_seconds));
  }
  // the cases' keys are fetched 30 s before each question
  expect(ages).toEqual(
    new Map<unknown, Set<unknown>>([
      ['countersign', new Set([30])],
      ['pep', new Set([null])],
    ]),
  );
});
