import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enrichmentOf, identityOf, requestOf } from '../../src/cases/signals.ts';
import { runBundleCases } from '../../src/compose/bundle-cases.ts';
import { loadRevision } from '../../src/decide/load-revision.ts';
import { createPrepareHere, type PrepareTask } from '../../src/decide/prepare/prepare-revision.ts';
import { createPrepareThread, type PrepareThreadOptions } from '../../src/decide/prepare/prepare-thread.ts';
import { worstFacts } from '../../src/decide/prepare/worst-facts.ts';
import { loadCases } from '../cases/load.ts';
import { bundleWith, editBundle, tarOf } from './bundles.ts';
import { baseBundle, CLOCK, createTestPolicies, decideOptions, policyOptions } from './fixtures.ts';

const WORKER = new URL('../../src/compose/prepare-worker.ts', import.meta.url);
const thread = (more: Partial<PrepareThreadOptions> = {}) =>
  createPrepareThread({ worker: WORKER, timeoutMs: 60_000, heapMbMax: 512, idleMs: 1000, ...more });
const shared = thread();
afterAll(() => shared.stop());

let base: Uint8Array;
beforeAll(async () => {
  base = await baseBundle();
});

const task = (packed: Uint8Array, more: Partial<PrepareTask> = {}): PrepareTask => ({
  name: 'default',
  packed,
  pushed: [],
  module: null,
  policy: policyOptions(),
  signing: null,
  shared: { input: decideOptions().input, upstream: decideOptions().upstream, challenge: decideOptions().challenge },
  ...more,
});
const here = createPrepareHere(CLOCK, runBundleCases);

/** A rule that is quick for a small request, and slower with a power of the number of its segments. */
function slowRule(power: number): string {
  const names = 'abcdefgh'.slice(0, power).split('');
  const loops = names.map((name) => `\tsome ${name} in input.request.segments`);
  const order = names.map((name, index) => `\t${name} < ${names[(index + 1) % power]}`);
  return `package countersign.rules.access.slow

verdict := "deny" if {
${[...loops, ...order].join('\n')}
}

else := "clear" if input.request.segments
`;
}

describe('in a thread of its own', () => {
  it('gives the decisions that the same bundle gives here, for every case', async () => {
    const outcomes = await Promise.all([shared.prepare(task(base)), here(task(base))]);
    const loaded = await Promise.all(
      outcomes.map((outcome) => {
        if (!outcome.ok) throw outcome.error;
        return loadRevision('default', outcome.prepared, policyOptions(), decideOptions(), CLOCK);
      }),
    );
    for (const one of loadCases()) {
      const request = requestOf(one);
      const identity = identityOf(one, request);
      const enrichment = enrichmentOf(one, request, identity);
      const [a, b] = loaded.map(({ policy }) => policy.decide(request, identity, enrichment, policy.routeOf(request)).decision);
      expect(a, one.name).toEqual(b);
    }
  });

  it('refuses with the code, the field and the text that it has here', async () => {
    const bundle = await editBundle(base, (files) => files.set('data.json', '{"a":'));
    const [there, same] = await Promise.all([shared.prepare(task(bundle)), here(task(bundle))]);
    if (there.ok || same.ok) throw new Error('not refused');
    expect([there.error.code, there.error.field, there.error.message]).toEqual([same.error.code, same.error.field, same.error.message]);
  });

  it('a policy that does not end is stopped, and the next one is prepared', async () => {
    const quick = thread({ timeoutMs: 4000 });
    const bundle = await bundleWith({ 'countersign/rules/access/slow.rego': slowRule(8) });
    const [slow, next] = await Promise.all([quick.prepare(task(bundle)), quick.prepare(task(base, { policy: policyOptions() }))]);
    quick.stop();
    expect(slow).toMatchObject({ ok: false, error: { code: 'bundle_too_slow' } });
    expect(next).toMatchObject({ ok: true });
  }, 60_000);

  it('one that cannot be started refuses what it is asked, each time', async () => {
    const none = thread({ worker: new URL('https://none.example/') });
    const outcomes = await Promise.all([none.prepare(task(base)), none.prepare(task(base))]);
    none.stop();
    for (const outcome of outcomes) expect(outcome).toMatchObject({ ok: false, error: { code: 'bundle_unreadable' } });
  });

  it('what is asked of one that was stopped is refused', async () => {
    const ended = thread();
    const asked = ended.prepare(task(base));
    ended.stop();
    for (const outcome of [await asked, await ended.prepare(task(base))]) expect(outcome).toMatchObject({ ok: false });
  });
});

describe('the worst input', () => {
  it('reaches every cap', () => {
    const { request, identity } = worstFacts(['user-agent']);
    expect(request.http?.headers.size).toBe(100);
    expect(request.http?.headers.get('user-agent')).toHaveLength(16);
    expect(request.http?.query.size).toBe(64);
    expect(request.http?.segments).toHaveLength(64);
    expect(JSON.stringify(request.http?.body.json).length).toBeGreaterThan(60_000);
    const { token } = identity.signals;
    expect(token.status === 'present' && [token.value.scopes.length, token.value.actor?.depth]).toEqual([256, 8]);
  });

  it('a bundle that is too slow on it is refused, though it is quick on others', async () => {
    const bundle = await bundleWith({ 'countersign/rules/access/slow.rego': slowRule(4) });
    const [patient, quick] = [await here(task(bundle)), await here(task(base))];
    if (!patient.ok || !quick.ok) throw new Error('one of them is refused without a bound');
    // a bound that lies between the two, in the measure of this machine at this moment
    const worstCaseMs = Math.sqrt(patient.prepared.worstCaseMs * quick.prepared.worstCaseMs);
    const policy = policyOptions({ worstCaseMs });
    expect(await here(task(bundle, { policy }))).toMatchObject({ ok: false, error: { code: 'bundle_too_slow' } });
    expect(await here(task(base, { policy }))).toMatchObject({ ok: true });
  }, 60_000);
});

describe("a bundle's own cases", () => {
  const file = (effect: string) => `- name: anybody reads the health of the service
  ask: { request: { method: GET, host: api.example, path: /health } }
  want: { effect: ${effect}, reasons: [access.public_route], record: { route: health } }
`;
  const withCases = (text: string) => editBundle(base, (files) => files.set('cases/first.yaml', text));

  it('that hold', async () => {
    expect(await here(task(await withCases(file('allow'))))).toMatchObject({ ok: true });
  });

  it('that fail refuse it, by their names', async () => {
    const outcome = await here(task(await withCases(file('step_up'))));
    expect(outcome).toMatchObject({ ok: false, error: { code: 'bundle_cases_failed', field: 'anybody reads the health of the service' } });
  });

  it.each([
    ['no YAML', '- {'],
    ['another form', '- name: x\n'],
  ])('%s', async (_name, text) => {
    expect(await here(task(await withCases(text)))).toMatchObject({ ok: false, error: { code: 'bundle_cases_failed' } });
  });
});

describe('data', () => {
  it('that is pushed takes the place of what the bundle has there', async () => {
    const json = Buffer.from('{"x":1}');
    const policy = policyOptions({ requiredData: ['tenants.default.acme.x', 'tenants.default.other'] });
    const outcome = await here(task(base, { policy, pushed: [{ path: ['tenants', 'default', 'acme'], json }] }));
    expect(outcome).toMatchObject({ ok: true, prepared: { missingData: ['tenants.default.other'] } });
  });

  it.each([
    ['at a package', ['countersign', 'rules', 'access'], '{}', 'bundle_data_shadows_rules'],
    ['that is no JSON', ['tenants', 'default', 'acme'], '{', 'bundle_data_invalid'],
    ['all of it', [], '{}', 'bundle_data_invalid'],
    ['below a text', ['tenants', 'default', 'acme', 'x', 'y'], '1', 'bundle_data_invalid'],
    ['that breaks its schema', ['countersign', 'limits'], '{"rate":7}', 'bundle_data_invalid'],
  ])('%s is refused', async (_name, path, json, code) => {
    const first = { path: ['tenants', 'default', 'acme'], json: Buffer.from('{"x":"text"}') };
    const outcome = await here(task(base, { pushed: [first, { path, json: Buffer.from(json) }] }));
    expect(outcome).toMatchObject({ ok: false, error: { code } });
  });

  it('[asks 47] 5 MB of it are decided by', async () => {
    const rule =
      'package countersign.rules.access.large\n\nverdict := "allow" if data.tenants.default.large[input.request.host].known\n\nelse := "clear" if input.request\n';
    const bundle = await bundleWith({ 'countersign/rules/access/large.rego': rule });
    const entries = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, index) => [`host-${index}`, { known: index % 2 === 0, tags: ['a', 'b'] }]),
    );
    const json = Buffer.from(JSON.stringify(entries));
    const policy = policyOptions({ memoryPagesMax: 4096 });
    const outcome = await shared.prepare(task(bundle, { policy, pushed: [{ path: ['tenants', 'default', 'large'], json }] }));
    if (!outcome.ok) throw outcome.error;
    const { policy: active } = await loadRevision('default', outcome.prepared, policy, decideOptions(), CLOCK);
    const verdicts = ['host-99998', 'host-99999'].map((host) => {
      const { request, identity, enrichment, route } = worstFacts([]);
      const http = request.http === null ? null : { ...request.http, host };
      return active.decide({ ...request, http, explain: true }, identity, enrichment, route).decision.explanation?.verdicts;
    });
    expect(verdicts[0]).toContainEqual({ code: 'access.large', effect: 'allow' });
    expect(verdicts[1]).toContainEqual({ code: 'access.large', effect: 'clear' });
  });

  it('[asks 62] that is missing denies, and says so', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ requiredData: ['tenants.default.acme'] }) } });
    await set.activate('default', base);
    const { request } = worstFacts([]);
    const selected = set.select({ ...request, pep: { ...request.pep, policies: ['default'] } });
    expect(selected).toMatchObject({ refused: 'data_not_loaded', policy: { name: 'default' }, routesMissing: false });
    expect(set.status()).toMatchObject([{ state: 'active', missingData: ['tenants.default.acme'] }]);
  });
});

describe('[asks 48] a module that is none of ours', () => {
  it('of another ABI', async () => {
    const bundle = await editBundle(base, (files) => files.set('policy.wasm', otherAbi(Buffer.from(files.get('policy.wasm') ?? ''))));
    expect(await here(task(bundle))).toMatchObject({
      ok: false,
      error: { code: 'bundle_wasm_invalid', message: expect.stringMatching(/ABI version 2/) },
    });
  });

  it('more values than a thread has memory for, before they are parsed', async () => {
    const bundle = await editBundle(base, (files) => files.set('tenants/large/data.json', `{"a":[${'{},'.repeat(2_000_000)}0]}`));
    expect(await here(task(bundle))).toMatchObject({ ok: false, error: { code: 'bundle_too_large', field: 'tenants/large/data.json' } });
  });

  it('a bundle of 200 MB', async () => {
    const large = await tarOf([[{ name: '/data.json' }, Buffer.alloc(200 << 20, 0x20)]]);
    expect(await here(task(large))).toMatchObject({ ok: false, error: { code: 'bundle_too_large' } });
    expect(await here(task(new Uint8Array(200 << 20)))).toMatchObject({ ok: false, error: { code: 'bundle_too_large' } });
  });
});

/** The module with the major version of its ABI, a global that is exported by that name, set from 1 to 2. */
function otherAbi(wasm: Buffer): Buffer {
  const copy = Buffer.from(wasm);
  const name = Buffer.from('opa_wasm_abi_version');
  const exported = copy.indexOf(name) + name.length;
  const index = copy[exported + 1] ?? 0;
  if (copy[exported] !== 3) throw new Error('the export is no global');
  const at = globalAt(copy, index);
  if (copy[at + 2] !== 0x41 || copy[at + 3] !== 1) throw new Error('the global is not 1');
  copy[at + 3] = 2;
  return copy;
}

/** Where a global of type i32 lies; each is `7f`, mutability, `i32.const`, LEB128, `0b`. */
function globalAt(wasm: Buffer, wanted: number): number {
  let at = 8;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (wasm[at] !== 6) {
    at++;
    const size = leb();
    at += size;
  }
  at++;
  leb();
  leb();
  for (let index = 0; index < wanted; index++) at = wasm.indexOf(0x0b, at + 3) + 1;
  return at;
}
