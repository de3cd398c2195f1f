import { beforeAll, describe, expect, it } from 'vitest';
import { runCase } from '../../src/cases/run-case.ts';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { EvaluationInput } from '../../src/decide/input-schema.ts';
import { loadCases } from '../cases/load.ts';
import { baseBundle, createTestPolicies } from './fixtures.ts';

let policy: ActivePolicy;
beforeAll(async () => {
  policy = await createTestPolicies().activate('default', await baseBundle());
});

const cases = loadCases().filter(({ levels }) => levels.includes('wasm'));

describe('cases, at the level of Wasm and combining', () => {
  it.each(cases.map((one) => [`${one.file}: ${one.name}`, one] as const))('%s', (_name, one) => {
    const { evaluated, differences } = runCase(policy, one);
    expect(evaluated.cause).toBeNull();
    expect(differences).toEqual([]);
    if (one.want.effect === 'allow') expect(evaluated.decision.response).toBeNull();
  });
});

describe('the input', () => {
  it.each(cases.map((one) => [`${one.file}: ${one.name}`, one] as const))('has the form that policy authors are told: %s', (_name, one) => {
    const { evaluated } = runCase(policy, one);
    const parsed = EvaluationInput.safeParse(evaluated.input('full'));
    expect(parsed.error?.issues ?? []).toEqual([]);
  });
});
