import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { loadCases } from '../cases/load.ts';
import { enrichmentOf, identityOf, requestOf } from '../cases/signals.ts';
import { bundleWith, copyWith, editBundle } from './bundles.ts';
import { baseBundle, createTestPolicies, opa, POLICIES, policyOptions } from './fixtures.ts';

const scratch = mkdtempSync(join(tmpdir(), 'countersign-decide-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let base: Uint8Array;
let file: string;
beforeAll(async () => {
  base = await baseBundle();
  file = join(scratch, 'base.tar.gz');
  writeFileSync(file, base);
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

function active(found: ActivePolicy | { readonly refused: string }): ActivePolicy {
  if ('refused' in found) throw new Error(found.refused);
  return found;
}

describe('selection', () => {
  const named = () =>
    createTestPolicies({ policies: { default: policyOptions({ bundle: file }), payments: policyOptions({ bundle: file }) } });

  it('[asks 53] before loading there is no policy, and a deny says so', () => {
    const set = named();
    expect(set.select(ask(['default']))).toEqual({ refused: 'policy_not_loaded' });
    expect(set.failed(ask(['default']), 'policy_not_loaded', null)).toMatchObject({
      effect: 'deny',
      error: { code: 'policy_not_loaded' },
      policy: { name: 'default', revision: '' },
      response: { status: 503 },
    });
    expect(set.status()).toMatchObject([{ name: 'default', state: 'not_loaded', revision: null, rules: 0 }, { name: 'payments' }]);
  });

  it('by the name that is asked for, else the only one, else default', async () => {
    const set = named();
    await set.load();
    expect(set.select(ask(['default', 'payments'], 'payments'))).toMatchObject({ name: 'payments' });
    expect(set.select(ask(['payments']))).toMatchObject({ name: 'payments' });
    expect(set.select(ask(['payments', 'default']))).toMatchObject({ name: 'default' });
  });

  it('a name that the gateway may not ask for, and one that nobody knows', async () => {
    const set = named();
    await set.load();
    expect(set.select(ask(['payments'], 'default'))).toEqual({ refused: 'policy_not_allowed' });
    expect(set.select(ask(['other']))).toEqual({ refused: 'policy_unknown' });
    expect(set.select(ask(['payments', 'other']))).toEqual({ refused: 'policy_not_allowed' });
  });

  it('each policy has its own catalogue', async () => {
    const set = named();
    await set.load();
    expect(active(set.select(ask(['payments']))).routeOf(ask(['payments'])).catalogue).toBe('payments');
  });
});

describe('loading', () => {
  it('a directory is compiled, with its titles', async () => {
    const set = createTestPolicies();
    await set.load();
    expect(set.status()).toMatchObject([
      { state: 'active', revision: expect.stringMatching(/^[0-9a-f]{16}$/), rules: 17, routes: 12, lastError: null },
    ]);
    expect(decide(active(set.select(ask(['default'])))).decision.policy).toEqual({ name: 'default', revision: set.status()[0]?.revision });
  });

  it('the same sources give the same bundle', async () => {
    expect(Buffer.from(await bundleWith({})).equals(Buffer.from(await bundleWith({})))).toBe(true);
  });

  it('a bundle of plain `opa build -b` works, without titles and with the whole input', async () => {
    const plain = join(scratch, 'plain.tar.gz');
    opa(['build', '-b', '.', '-t', 'wasm', '-o', plain, '--ignore', '*_test.rego', '--revision', 'r7'], POLICIES);
    const set = createTestPolicies({ policies: { default: policyOptions({ bundle: plain }) } });
    await set.load();
    expect(set.status()).toMatchObject([{ state: 'active', revision: 'r7', lastError: null }]);
    const policy = active(set.select(ask(['default'])));
    const { input } = decide(policy);
    expect(input('referenced')).toEqual(input('full'));
    // statuses are in the verdicts, so that they do not depend on who built it
    const ours = await createTestPolicies().activate('default', base);
    for (const one of loadCases()) {
      const request = requestOf(one);
      const identity = identityOf(one, request);
      const enrichment = enrichmentOf(one, request, identity);
      const [a, b] = [policy, ours].map((each) => each.decide(request, identity, enrichment, each.routeOf(request)).decision);
      expect([a?.effect, a?.response?.status, a?.reasons.map(({ code }) => code)], one.name).toEqual([
        b?.effect,
        b?.response?.status,
        b?.reasons.map(({ code }) => code),
      ]);
      expect(a?.reasons.every(({ code, title, effect }) => title === code || effect === 'undecided' || code === 'not_applicable')).toBe(
        true,
      );
    }
  });

  it('a file that is missing, and the next start', async () => {
    const later = join(scratch, 'later.tar.gz');
    const set = createTestPolicies({ policies: { default: policyOptions({ bundle: later }) } });
    await set.load();
    expect(set.status()).toMatchObject([{ state: 'not_loaded', lastError: { code: 'bundle_unreadable', at: 1_780_308_000 } }]);
    writeFileSync(later, base);
    await set.load();
    expect(set.status()).toMatchObject([{ state: 'active', lastError: null }]);
  });

  it('one policy that fails leaves the others alone', async () => {
    const set = createTestPolicies({
      policies: { default: policyOptions({ bundle: join(scratch, 'none') }), payments: policyOptions({ bundle: file }) },
    });
    await set.load();
    expect(set.status()).toMatchObject([{ state: 'not_loaded' }, { state: 'active' }]);
  });

  it.each([
    ['Rego that does not compile', { 'x.rego': 'package x\n\na := b\n' }, /opa check: .*x\.rego.*var b is unsafe/s],
    [
      'a misspelt field of the input',
      { 'countersign/rules/access/x.rego': 'package countersign.rules.access.x\n\nverdict := "clear" if input.rout.id\n' },
      /undefined ref/,
    ],
    ['a schema that is no JSON', { 'schemas/limits.json': '{' }, /schemas\/limits\.json/],
  ])('%s is named', async (_name, files, text) => {
    const directory = copyWith(files);
    const set = createTestPolicies({ policies: { default: policyOptions({ bundle: directory }) } });
    await set.load();
    rmSync(directory, { recursive: true });
    expect(set.status()).toMatchObject([
      { state: 'not_loaded', lastError: { code: 'policy_compile_failed', text: expect.stringMatching(text) } },
    ]);
  });

  it('without OPA a directory says so', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ opaBin: join(scratch, 'no-opa') }) } });
    await set.load();
    expect(set.status()).toMatchObject([{ state: 'not_loaded', lastError: { code: 'opa_missing' } }]);
  });
});

describe('activation', () => {
  it('a request keeps the revision that it was given', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ bundle: file }) } });
    await set.load();
    const old = active(set.select(ask(['default'])));
    const changed = await editBundle(base, (files) =>
      files.set('.manifest', String(Buffer.from(files.get('.manifest') ?? '')).replace(old.revision, 'next')),
    );
    const next = await set.activate('default', changed);
    expect(next.revision).toBe('next');
    expect(set.select(ask(['default']))).toBe(next);
    expect(decide(old).decision.policy.revision).toBe(old.revision);
  });

  it('[asks 54] a bundle that is refused leaves the active one, and the status says both', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ bundle: file }) } });
    await set.load();
    const revision = set.status()[0]?.revision;
    await expect(set.activate('default', new Uint8Array())).rejects.toMatchObject({ code: 'bundle_unreadable' });
    expect(set.status()).toMatchObject([{ state: 'active', revision, lastError: { code: 'bundle_unreadable' } }]);
    expect(decide(active(set.select(ask(['default'])))).decision.error).toBeNull();
  });

  it('of a policy that is not configured', async () => {
    await expect(createTestPolicies().activate('other', base)).rejects.toMatchObject({ code: 'policy_unknown' });
  });
});

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
      'package countersign.rules.access.known\n\nverdict := "allow" if {\n\tdata.tenants.a[input.context.client].note\n} else := "clear" if {\n\tis_string(input.context.client)\n}\n';
    const directory = {
      'countersign/rules/access/known.rego': rego,
      'tenants/a/data.json': JSON.stringify(entries),
      '.manifest': '{"roots":["countersign","tenants"],"rego_version":1}',
    };
    expect(directory['tenants/a/data.json'].length).toBeGreaterThan(4_500_000);
    const set = createTestPolicies({ policies: { default: policyOptions({ memoryPagesMax: 2048 }) } });
    const policy = await set.activate('default', await bundleWith(directory));
    const verdicts = (client: string) =>
      decide(policy, ask(['default'], null, { context: { client }, explain: true })).decision.explanation?.verdicts;
    expect(verdicts('client-99999')).toContainEqual({ code: 'access.known', effect: 'allow' });
    expect(verdicts('client-x')).not.toContainEqual(expect.objectContaining({ code: 'access.known' }));
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
    const policy = await createTestPolicies().activate('default', base);
    const { explanation } = decide(policy, ask(['default'], null, { explain: true })).decision;
    expect(explanation?.signals).toMatchObject({ token: { status: 'absent', code: 'token_missing' } });
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
