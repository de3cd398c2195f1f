import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/contract/codes.ts';
import { CountersignError } from '../../src/contract/errors.ts';
import { BUNDLE_LIMITS, type BundleLimits, readBundle } from '../../src/decide/bundle.ts';
import type { PolicySet } from '../../src/decide/policies.ts';
import { bundleWith, editBundle, editData, tarOf } from './bundles.ts';
import { baseBundle, createTestPolicies, policyOptions } from './fixtures.ts';

let base: Uint8Array;
let policies: PolicySet;
beforeAll(async () => {
  base = await baseBundle();
  policies = createTestPolicies();
  await policies.activate('default', base);
});

/** Expects a refusal with this code and text, and that the active revision stays. */
async function refused(bundle: Uint8Array, code: ErrorCode, text: RegExp = /./, set: PolicySet = policies): Promise<void> {
  const before = set.status()[0]?.revision;
  const thrown = await set.activate('default', bundle).then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(CountersignError);
  expect(thrown).toMatchObject({ code, message: expect.stringMatching(text) });
  const status = set.status()[0];
  expect(status).toMatchObject({ revision: before, lastError: { code } });
}

const RULE = 'package countersign.rules.access.extra\n\nverdict := "clear"\n';

describe('[asks 48] bytes that are no bundle', () => {
  it.each([
    ['no byte', new Uint8Array()],
    ['text', new TextEncoder().encode('hello')],
    ['gzip of text', gzipSync('hello')],
    ['an empty archive', gzipSync(Buffer.alloc(1024))],
  ])('%s', (_name, bytes) => refused(bytes, 'bundle_unreadable'));

  it('a bundle that is cut off', async () => {
    await refused(base.subarray(0, base.length / 2), 'bundle_unreadable');
  });

  it('JSON that is none', async () => {
    await refused(await editBundle(base, (files) => files.set('data.json', '{"a":')), 'bundle_unreadable', /data\.json/);
  });

  it('Rego that is no UTF-8', async () => {
    await refused(await editBundle(base, (files) => files.set('x.rego', new Uint8Array([0x70, 0xff]))), 'bundle_unreadable', /x\.rego/);
  });

  it('a source without a package', async () => {
    await refused(await editBundle(base, (files) => files.set('x.rego', 'allow := true')), 'bundle_unreadable', /x\.rego/);
  });

  it('no source at all, so that nothing can be checked', async () => {
    const bare = await editBundle(base, (files) => {
      for (const path of [...files.keys()]) if (path.endsWith('.rego')) files.delete(path);
    });
    await refused(bare, 'bundle_unreadable', /no Rego/);
  });
});

describe('bounds and paths', () => {
  const read = (bundle: Uint8Array, limits: Partial<BundleLimits>) => readBundle(bundle, { ...BUNDLE_LIMITS, ...limits });

  it.each([
    ['packed bytes', { packedBytesMax: 100 }],
    ['bytes', { bytesMax: 2048 }],
    ['files', { filesMax: 3 }],
  ])('too many %s', async (_name, limits) => {
    await expect(read(base, limits)).rejects.toMatchObject({ code: 'bundle_too_large' });
  });

  it('a small file that unpacks to a large one', async () => {
    await expect(read(gzipSync(Buffer.alloc(8 << 20)), { bytesMax: 1 << 20 })).rejects.toMatchObject({ code: 'bundle_too_large' });
  });

  it.each(['../policy.wasm', 'a/../../b', 'a//b', 'a\\b', 'a\u0001b', 'ä', '__proto__/data.json', 'x'.repeat(600)])(
    'the path %j',
    async (name) => {
      await refused(await tarOf([[{ name }, 'x']]), 'bundle_path_invalid');
    },
  );

  it('a link', async () => {
    await refused(await tarOf([[{ name: 'policy.wasm', type: 'symlink', linkname: '/etc/passwd' }, '']]), 'bundle_path_invalid');
  });

  it('the same file twice', async () => {
    await refused(
      await tarOf([
        [{ name: 'a' }, '1'],
        [{ name: '/a' }, '2'],
      ]),
      'bundle_path_invalid',
    );
  });
});

describe('manifest and module', () => {
  it('no manifest', async () => {
    await refused(await editBundle(base, (files) => files.delete('.manifest')), 'bundle_manifest_invalid');
  });

  it.each(['[]', '{"roots":"countersign"}', '{"metadata":{"countersign":{"version":2}}}', '{'])('the manifest %s', async (text) => {
    await refused(await editBundle(base, (files) => files.set('.manifest', text)), 'bundle_manifest_invalid');
  });

  it('no module', async () => {
    await refused(await editBundle(base, (files) => files.delete('policy.wasm')), 'bundle_wasm_missing');
  });

  it.each([
    ['zero bytes', new Uint8Array()],
    ['text', 'hello'],
    ['a header alone', new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
  ])('[asks 48] a module of %s', async (_name, wasm) => {
    await refused(await editBundle(base, (files) => files.set('policy.wasm', wasm)), 'bundle_wasm_invalid');
  });

  it('[asks 48] a module that is cut off', async () => {
    const cut = await editBundle(base, (files) =>
      files.set('policy.wasm', Buffer.from(files.get('policy.wasm') ?? '').subarray(0, 60_000)),
    );
    await refused(cut, 'bundle_wasm_invalid');
  });

  it('[asks 59] an entry point that is not there', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ entrypoint: 'a/b/c' }) } });
    await refused(base, 'bundle_entrypoint_missing', /a\/b\/c/, set);
  });

  it.each([
    ['io.jwt.decode', 'x := io.jwt.decode("a.b.c")', /io\.jwt\.decode/],
    ['http.send', 'x := http.send({"method": "GET", "url": "http://127.0.0.1"})', /http\.send: policies ask nobody/],
    ['time.now_ns', 'x := time.now_ns()', /time\.now_ns: the time is input\.time/],
    ['rand.intn', 'x := rand.intn("a", 3)', /rand\.intn/],
    ['regex.split', 'x := regex.split("a", input.id)', /regex\.split/],
  ])('[asks 46] the builtin %s', async (_name, line, text) => {
    const rego = `package countersign.rules.access.extra\n\nverdict := "deny" if {\n\t${line}\n\tx\n}\n`;
    await refused(await bundleWith({ 'countersign/rules/access/extra.rego': rego }), 'bundle_builtin_missing', text);
  });
});

describe('rules and packages', () => {
  it.each([
    ['a rule at another depth', 'package countersign.rules.access.deep.extra\n\nverdict := "allow"\n'],
    ['a rule without a category', 'package countersign.rules.extra\n\nverdict := "allow"\n'],
    ['a rule by a reference head', 'package countersign.rules\n\naccess.extra.verdict := "allow"\n'],
    ['a quoted package', 'package countersign["rules"].access\n\nextra.verdict := "allow"\n'],
  ])('%s', async (_name, rego) => {
    await refused(await editBundle(base, (files) => files.set('extra.rego', rego)), 'bundle_rule_depth', /extra\.rego/);
  });

  it.each([
    ['a second file of the decision', { 'x.rego': 'package countersign.decision\n\n_clear(_) if input.id\n' }],
    ['a second file of the words', { 'x.rego': 'package countersign.lib.is\n\nabove(_, _) := false\n' }],
    ['more words', { 'x.rego': 'package countersign.lib.more\n\nx := 1\n' }],
    ['a rule at the root', { 'x.rego': 'package countersign\n\nrules.access.extra.verdict := "allow"\n' }],
    ['another decision', { 'countersign/decision/decision.rego': 'package countersign.decision\n\nresult := {"verdicts": []}\n' }],
  ])('%s', async (_name, files) => {
    const edited = await editBundle(base, (all) => {
      for (const [path, text] of Object.entries(files)) all.set(path, text);
    });
    await refused(edited, 'bundle_redefines_base');
  });

  it('another decision, built from its sources', async () => {
    const rego =
      '# METADATA\n# entrypoint: true\npackage countersign.decision\n\n# METADATA\n# entrypoint: true\nresult := {"verdicts": []}\n';
    await refused(await bundleWith({ 'countersign/decision/decision.rego': rego }), 'bundle_redefines_base');
  });

  it.each([
    ['a default', `${RULE}\ndefault verdict := "allow"\n`],
    ['a bare else', 'package countersign.rules.access.extra\n\nverdict := "deny" if {\n\tinput.x\n} else := "clear"\n'],
    ['a bare else in one line', 'package countersign.rules.access.extra\n\nverdict := "deny" if input.x\n\nelse := "clear"\n'],
    [
      'a bare else before another rule',
      'package countersign.rules.access.extra\n\nverdict := "deny" if input.x\nelse := {"effect": "clear"}\n\n_a if input.y\n',
    ],
    ['an else that is always true', 'package countersign.rules.access.extra\n\nverdict := "deny" if input.x\nelse := "clear" if true\n'],
    [
      'an else with a body that is always true',
      'package countersign.rules.access.extra\n\nverdict := "deny" if input.x\nelse := "clear" if { true }\n',
    ],
  ])('%s', async (_name, rego) => {
    await refused(await editBundle(base, (files) => files.set('extra.rego', rego)), 'bundle_rule_defaulted', /extra\.rego/);
  });

  it('takes words in comments and strings for what they are', async () => {
    const rego = `package countersign.rules.access.extra\n\n# default verdict := "allow"\n_text := "default verdict else"\n\n_raw := \`else\`\n\n${'verdict := "clear" if input.id == _text\n\nelse := "clear" if {\n\tinput.id != _raw\n}\n'}`;
    const set = createTestPolicies();
    await set.activate('default', await bundleWith({ 'countersign/rules/access/extra.rego': rego }));
    expect(set.status()[0]).toMatchObject({ state: 'active', rules: 16 });
  });

  it('a required rule that is not there, by name', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ requiredRules: ['rate.exceeded', 'acme.own'] }) } });
    await refused(base, 'bundle_rule_missing', /acme\.own/, set);
    await expect(set.activate('default', base)).rejects.toMatchObject({ field: 'acme.own' });
  });
});

describe('data', () => {
  const put = (countersign: Record<string, unknown>) =>
    editData(base, (data) => ({ ...data, countersign: { ...Object(data['countersign']), ...countersign } }));

  it.each([
    ['at a rule', { rules: { access: { scope_granted: { verdict: 'allow' } } } }],
    ['beside a rule', { rules: { access: { extra: { verdict: 'allow' } } } }],
    ['above the rules', { rules: true }],
    ['at the decision', { decision: { result: { verdicts: [] } } }],
    ['below the words', { lib: { is: { above: true } } }],
  ])('%s', async (_name, countersign) => {
    await refused(await put(countersign), 'bundle_data_shadows_rules');
  });

  it('above every package', async () => {
    await refused(await editData(base, () => ({ countersign: 'x' })), 'bundle_data_shadows_rules', /countersign/);
  });

  it('at a package of the deployment itself', async () => {
    const shadowing = await editBundle(base, (files) => {
      files.set('own.rego', 'package acme.partners\n\nknown if input.id\n');
      files.set('acme/partners/data.json', '{"known": true}');
    });
    await refused(shadowing, 'bundle_data_shadows_rules', /acme\.partners/);
  });

  it.each([
    ['a misspelt name', (limits: Record<string, unknown>) => ({ ...limits, ratte: {} }), /ratte/],
    [
      'a limit that is text',
      (limits: Record<string, unknown>) => ({ ...limits, rate: { client: { '10s': '100' }, address: {}, token: {}, route: {} } }),
      /rate\.client\.10s/,
    ],
    [
      'a window that does not exist',
      (limits: Record<string, unknown>) => ({ ...limits, rate: { client: { '5m': 1 }, address: {}, token: {}, route: {} } }),
      /5m/,
    ],
    ['a tier that is missing', (limits: Record<string, unknown>) => ({ ...limits, tiers: {} }), /tiers\.low/],
    [
      'an address that is none',
      (limits: Record<string, unknown>) => ({ ...limits, network: { countries_blocked: [], addresses_blocked: ['10.0.0.0/33'] } }),
      /addresses_blocked\.0/,
    ],
  ])('limits with %s', async (_name, edit, text) => {
    const bundle = await editData(base, (data) => {
      const ours = Object(data['countersign']);
      return { ...data, countersign: { ...ours, limits: edit(ours.limits) } };
    });
    await refused(bundle, 'bundle_data_invalid', text);
  });

  it.each([
    ['a misspelt name', { a: { methods: ['GET'], path: '/a', tier: 'low', pubic: true } }, 'bundle_data_invalid', /pubic/],
    ['an unknown tier', { a: { methods: ['GET'], path: '/a', tier: 'hgh' } }, 'bundle_data_invalid', /tier/],
    [
      'two routes that are the same',
      { a: { methods: ['GET'], path: '/a/{x}', tier: 'low' }, b: { methods: ['GET'], path: '/a/{y}', tier: 'low' } },
      'bundle_routes_invalid',
      /b/,
    ],
    ['a rest that is not at the end', { a: { methods: ['GET'], path: '/a/{x*}/b', tier: 'low' } }, 'bundle_routes_invalid', /end/],
    ['a parameter with a prefix', { a: { methods: ['GET'], path: '/a/v{x}', tier: 'low' } }, 'bundle_routes_invalid', /segment 2/],
    ['a parameter twice', { a: { methods: ['GET'], path: '/{x}/{x}', tier: 'low' } }, 'bundle_routes_invalid', /twice/],
    ['the reserved id', { unknown: { methods: ['GET'], path: '/a', tier: 'low' } }, 'bundle_routes_invalid', /reserved/],
    ['a method that is none', { a: { methods: ['GE T'], path: '/a', tier: 'low' } }, 'bundle_routes_invalid', /methods/],
  ] as const)('routes with %s', async (_name, routes, code, text) => {
    await refused(await put({ routes }), code, text);
  });

  it('data said twice', async () => {
    const twice = await editBundle(base, (files) => files.set('countersign/limits/data.json', '{"signals": {"retry_after_seconds": 9}}'));
    await refused(twice, 'bundle_data_invalid', /said twice/);
  });

  it('data that is no object', async () => {
    await refused(await editBundle(base, (files) => files.set('x/data.json', '[]')), 'bundle_data_invalid', /x\/data\.json/);
  });

  it('data that does not fit into the memory', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ memoryPagesMax: 16 }) } });
    const big = await editData(base, (data) => ({
      ...data,
      tenants: { a: Array.from({ length: 100_000 }, (_, index) => `entry-${index}`) },
    }));
    await refused(big, 'bundle_data_invalid', /does not fit/, set);
  });
});

describe('the trial', () => {
  it('a result of another form', async () => {
    const rego = '# METADATA\n# entrypoint: true\npackage acme.own\n\n# METADATA\n# entrypoint: true\nresult := {"allow": true}\n';
    const set = createTestPolicies({ policies: { default: policyOptions({ entrypoint: 'acme/own/result' }) } });
    await refused(
      await bundleWith({ 'own.rego': rego, '.manifest': '{"roots":[""],"rego_version":1}' }, 'acme/own/result'),
      'bundle_smoke_failed',
      /verdicts/,
      set,
    );
  });

  it('[asks 59] an own package with an own entry point works', async () => {
    const rego =
      '# METADATA\n# entrypoint: true\npackage a.b.c\n\n# METADATA\n# entrypoint: true\nresult := {"verdicts": [["own", "rule", "allow"]]}\n';
    const set = createTestPolicies({ policies: { default: policyOptions({ entrypoint: 'a/b/c/result' }) } });
    await set.activate('default', await bundleWith({ 'own.rego': rego, '.manifest': '{"roots":[""],"rego_version":1}' }, 'a/b/c/result'));
    expect(set.status()[0]?.state).toBe('active');
  });
});
