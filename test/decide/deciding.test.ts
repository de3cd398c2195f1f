import { beforeAll, describe, expect, it } from 'vitest';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { bundleWith } from './bundles.ts';
import { baseBundle, createTestPolicies, policyOptions } from './fixtures.ts';

let base: Uint8Array;
beforeAll(async () => {
  base = await baseBundle();
});

const ask = (policies: readonly string[], policyName: string | null = null, more: Partial<DecisionRequest> = {}): DecisionRequest => ({
  ...SMOKE_FACTS.request,
  ...more,
  policyName,
  pep: { ...SMOKE_FACTS.request.pep, policies },
});

function decide(policy: ActivePolicy, request: DecisionRequest = ask(['default'])) {
  return policy.decide(request, SMOKE_FACTS.identity, SMOKE_FACTS.enrichment, policy.routeOf(request));
}

describe('deciding', () => {
  it('a builtin that throws on any input is found by the trial', async () => {
    const rego = 'package countersign.rules.access.extra\n\nverdict := "clear" if is_string(sprintf("%z", [input.id]))\n';
    const bundle = await bundleWith({ 'countersign/rules/access/extra.rego': rego });
    await expect(createTestPolicies().activate('default', bundle)).rejects.toMatchObject({ code: 'bundle_smoke_failed' });
  });

  it('[asks 57] a builtin that throws on this input makes a deny 503 with its cause, and the instance goes on', async () => {
    const rego =
      'package countersign.rules.access.extra\n\nverdict := "clear" if {\n\tis_string(sprintf(input.context.format, [1]))\n} else := "clear" if {\n\tnot input.context.format\n}\n';
    const set = createTestPolicies();
    const policy = await set.activate('default', await bundleWith({ 'countersign/rules/access/extra.rego': rego }));
    const failed = decide(policy, ask(['default'], null, { context: { format: '%z' } }));
    expect(failed).toMatchObject({ decision: { effect: 'deny', error: { code: 'policy_evaluation_failed' }, response: { status: 503 } } });
    expect(failed.cause).toMatchObject({ code: 'policy_evaluation_failed' });
    expect(decide(policy).decision.error).toBeNull();
  });

  it('[asks 49] a bad CIDR leaves a rule undefined: undecided, denied, and the process goes on', async () => {
    const rego =
      'package countersign.rules.network.own\n\nimport data.countersign.lib.say\n\nverdict := say.deny_when(net.cidr_contains(input.context.cidr, "10.0.0.1"))\n';
    const set = createTestPolicies();
    const policy = await set.activate('default', await bundleWith({ 'countersign/rules/network/own.rego': rego }));
    const asked = (cidr: string) => decide(policy, ask(['default'], null, { context: { cidr } })).decision;
    expect(asked('no cidr')).toMatchObject({ effect: 'deny', response: { status: 503 } });
    expect(asked('no cidr').reasons[0]).toMatchObject({ code: 'network.own', effect: 'undecided' });
    expect(asked('10.0.0.0/8').reasons.map(({ code }) => code)).toContain('network.own');
    expect(asked('192.0.2.0/24').reasons.map(({ code }) => code)).not.toContain('network.own');
  });

  it('a very deep input overflows the engine, not the process', async () => {
    const policy = await createTestPolicies().activate(
      'default',
      await bundleWith({
        'countersign/rules/access/extra.rego':
          'package countersign.rules.access.extra\n\nverdict := "clear" if {\n\tcount(input.context) >= 0\n}\n',
      }),
    );
    let context: DecisionRequest['context'] = {};
    for (let depth = 0; depth < 20_000; depth++) context = { a: context };
    const deep = decide(policy, ask(['default'], null, { context })).decision;
    expect(deep).toMatchObject({ effect: 'deny', error: { code: 'policy_evaluation_failed' } });
    expect(decide(policy).decision.error).toBeNull();
  });

  it('an input that does not fit into the memory is a deny 503, and the next one works', async () => {
    const policies = { default: policyOptions({ memoryPagesMax: 16 }) };
    const policy = await createTestPolicies({ policies }).activate(
      'default',
      await bundleWith({
        'countersign/rules/access/extra.rego':
          'package countersign.rules.access.extra\n\nverdict := "clear" if {\n\tcount(input.context) >= 0\n}\n',
      }),
    );
    const failed = decide(policy, ask(['default'], null, { context: { big: 'x'.repeat(2 << 20) } }));
    expect(failed.decision).toMatchObject({ effect: 'deny', error: { code: 'policy_evaluation_failed' } });
    expect(decide(policy).decision.error).toBeNull();
  });

  it('[asks 47] 5 MB of data', async () => {
    const entries = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, index) => [`client-${index}`, { note: 'some text to fill it' }]),
    );
    const rego =
      'package countersign.rules.access.known\n\nverdict := "allow" if {\n\tdata.tenants["default"][input.context.client].note\n} else := "clear" if {\n\tis_string(input.context.client)\n}\n';
    const directory = {
      'countersign/rules/access/known.rego': rego,
      'tenants/default/data.json': JSON.stringify(entries),
      '.manifest': '{"roots":["countersign","tenants"],"rego_version":1}',
    };
    expect(directory['tenants/default/data.json'].length).toBeGreaterThan(4_500_000);
    const set = createTestPolicies({ policies: { default: policyOptions({ memoryPagesMax: 2048 }) } });
    const policy = await set.activate('default', await bundleWith(directory));
    const verdicts = (client: string) =>
      decide(policy, ask(['default'], null, { context: { client }, explain: true })).decision.explanation?.verdicts;
    expect(verdicts('client-99999')).toContainEqual({ code: 'access.known', effect: 'allow' });
    expect(verdicts('client-x')).toContainEqual({ code: 'access.known', effect: 'clear' });
  });

  it('marks an evaluation that is slow', async () => {
    let ticks = 0;
    const clock = { now: () => 0, monotonic: () => (ticks += 30) };
    const { createPolicies } = await import('../../src/decide/policies.ts');
    const { decideOptions, SILENT } = await import('./fixtures.ts');
    const set = createPolicies(decideOptions({ policies: { default: policyOptions({ slowMs: 20 }) } }), { clock, logger: SILENT });
    expect(decide(await set.activate('default', base))).toMatchObject({ slow: true, evaluationMs: 30 });
  });

  it('explains to those who may ask: signals and every verdict', async () => {
    const set = createTestPolicies();
    const policy = await set.activate('default', base);
    const { explanation } = decide(policy, ask(['default'], null, { explain: true })).decision;
    expect(explanation?.signals).toMatchObject({ token: { status: 'absent', code: 'token_missing' } });
    expect(explanation?.verdicts).toHaveLength(set.status()[0]?.rules ?? 0);
    expect(explanation?.verdicts).toContainEqual({ code: 'rate.exceeded', effect: 'clear' });
    expect(decide(policy).decision.explanation).toBeNull();
  });

  it('the whole input is total: the same keys with and without a request', async () => {
    const policy = await createTestPolicies().activate('default', base);
    expect(decide(policy).input('full')).toMatchObject({
      version: 1,
      request: { method: null, body: { status: 'absent' }, headers: {} },
      resource: { type: null, id: null },
    });
  });
});
