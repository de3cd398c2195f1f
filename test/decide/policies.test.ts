import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enrichmentOf, identityOf, requestOf } from '../../src/cases/signals.ts';
import type { DecisionRequest } from '../../src/contract/request.ts';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { SMOKE_FACTS } from '../../src/decide/smoke.ts';
import { loadCases } from '../cases/load.ts';
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

  it('a pipe in the place of a bundle keeps no other policy waiting', async () => {
    const pipe = join(scratch, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const set = createTestPolicies({ policies: { default: policyOptions({ bundle: pipe }), payments: policyOptions({ bundle: file }) } });
    await set.load();
    expect(set.status()).toMatchObject([
      { name: 'default', state: 'not_loaded', lastError: { code: 'bundle_unreadable' } },
      { name: 'payments', state: 'active' },
    ]);
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
      { state: 'active', revision: expect.stringMatching(/^[0-9a-f]{16}$/), rules: 66, routes: 15, lastError: null },
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

  it('[asks 55] a file that is missing is named, and the next start', async () => {
    const later = join(scratch, 'later.tar.gz');
    const set = createTestPolicies({ policies: { default: policyOptions({ bundle: later }) } });
    await set.load();
    expect(set.status()).toMatchObject([
      {
        state: 'not_loaded',
        lastError: { code: 'bundle_unreadable', at: 1_780_308_000, text: expect.stringMatching(/^later\.tar\.gz: /) },
      },
    ]);
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
