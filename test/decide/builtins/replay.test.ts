import { describe, expect, it } from 'vitest';
import type { ActivePolicy } from '../../../src/contract/stages.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { bundleWith } from '../bundles.ts';
import { createTestPolicies } from '../fixtures.ts';

const NOON_MS = 1_700_000_000_123;
/** Neither the time nor the id is read but by builtins, which OPA does not count among what the rules read. */
const FILES = {
  'countersign/rules/access/late.rego': `package countersign.rules.access.late\n\nlate if time.now_ns() >= ${NOON_MS}000000\n\nverdict := "deny" if {\n\tlate\n} else := "clear" if {\n\tnot late\n}\n`,
  'countersign/rules/access/drawn.rego':
    'package countersign.rules.access.drawn\n\ndrawn if rand.intn("key", 2) == 1\n\nverdict := "deny" if {\n\tdrawn\n} else := "clear" if {\n\tnot drawn\n}\n',
};

function codesAt(policy: ActivePolicy, receivedAtMs: number, id: string) {
  const request = { ...SMOKE_FACTS.request, receivedAtMs, id };
  const evaluated = policy.decide(request, SMOKE_FACTS.identity, SMOKE_FACTS.enrichment, policy.routeOf(request));
  return { codes: evaluated.decision.reasons.map(({ code }) => code), input: evaluated.input('referenced') };
}

describe('builtins of time and chance in a bundle', () => {
  it('draw on the input, which a record holds', async () => {
    const policy = await createTestPolicies().activate('default', await bundleWith(FILES));
    expect(codesAt(policy, NOON_MS - 1, 'a').codes).not.toContain('access.late');
    expect(codesAt(policy, NOON_MS, 'a').codes).toContain('access.late');
    expect(codesAt(policy, NOON_MS, 'a').input).toMatchObject({ id: 'a', time: { rfc3339: '2023-11-14T22:13:20.123Z' } });
    const ids = Array.from({ length: 40 }, (_, index) => `id-${index}`);
    const isDrawn = (id: string): boolean => codesAt(policy, NOON_MS, id).codes.includes('access.drawn');
    const once = ids.map(isDrawn);
    expect(new Set(once)).toEqual(new Set([true, false]));
    expect(ids.map(isDrawn)).toEqual(once);
  });
});
