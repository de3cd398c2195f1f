import { beforeAll, describe, expect, it } from 'vitest';
import type { Identity } from '../../src/contract/identity.ts';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { combine } from '../../src/decide/combine.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { bundleWith } from './bundles.ts';
import { createTestPolicies } from './fixtures.ts';

const RULES = new Map();
const collectOf = (...verdicts: readonly unknown[]) =>
  combine({ verdicts: verdicts.map((verdict, index) => ['access', `r${index}`, verdict]) }, RULES).collect;

describe('what rules collect', () => {
  it('is gathered from verdicts of every effect, each source once', () => {
    expect(collectOf('allow', 'clear')).toEqual([]);
    for (const effect of ['clear', 'allow', 'deny', 'step_up']) {
      expect(collectOf({ effect, collect: ['introspection'] }, { effect: 'deny', collect: ['introspection', 'introspection'] })).toEqual([
        'introspection',
      ]);
    }
    expect(collectOf({ effect: 'allow', collect: [] })).toEqual([]);
  });

  it.each(['introspections', 'Introspection', '', '__proto__', 'toString'])('a name that is not known is a failure: %j', (name) => {
    expect(() => collectOf('allow', { effect: 'clear', collect: ['introspection', name] })).toThrow(
      expect.objectContaining({ code: 'policy_collect_unknown' }),
    );
  });

  it.each(['introspection', 1, [1], {}, null])('a wrong type is an undecided rule and collects nothing: %j', (collect) => {
    const combined = combine(
      {
        verdicts: [
          ['access', 'a', 'allow'],
          ['access', 'b', { effect: 'clear', collect }],
        ],
      },
      RULES,
    );
    expect(combined).toMatchObject({ effect: 'deny', collect: [], reasons: [{ code: 'access.b', effect: 'undecided' }] });
  });
});

describe('a policy that collects', () => {
  let policy: ActivePolicy;
  beforeAll(async () => {
    // asks for whatever the context names until the token was asked about
    const rego = `package countersign.rules.access.extra

verdict := "clear" if {
	not input.context.wanted
} else := {"effect": "allow", "collect": input.context.wanted} if {
	input.signals.token.status == "absent"
} else := "allow" if {
	input.signals.token.status != "absent"
}
`;
    policy = await createTestPolicies().activate('default', await bundleWith({ 'countersign/rules/access/extra.rego': rego }));
  });

  function decide(context: { readonly wanted?: readonly string[] }, identity: Identity = SMOKE_FACTS.identity) {
    const request = { ...SMOKE_FACTS.request, context };
    return policy.decide(request, identity, SMOKE_FACTS.enrichment, policy.routeOf(request));
  }

  it('says so beside a deny that counts where nobody collects', () => {
    expect(decide({ wanted: ['introspection'] })).toMatchObject({
      collect: ['introspection'],
      decision: { effect: 'deny', error: { code: 'policy_collect_repeated' }, response: { status: 503 } },
    });
  });

  it('does not say so where it decides', () => {
    expect(decide({}).collect).toBeUndefined();
    const token = { status: 'invalid', code: 'token_inactive' } as const;
    const identity = { ...SMOKE_FACTS.identity, signals: { ...SMOKE_FACTS.identity.signals, token } };
    expect(decide({ wanted: ['introspection'] }, identity).collect).toBeUndefined();
  });

  it('and names what is not known is denied with 503', () => {
    const evaluated = decide({ wanted: ['everything'] });
    expect(evaluated.collect).toBeUndefined();
    expect(evaluated.decision).toMatchObject({ effect: 'deny', error: { code: 'policy_collect_unknown' }, response: { status: 503 } });
  });
});
