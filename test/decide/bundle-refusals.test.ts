import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { BUNDLE_LIMITS, type BundleLimits, readBundle } from '../../src/decide/bundle.ts';
import { bundleWith, editBundle, tarOf } from './bundles.ts';
import { baseBundle, createTestPolicies, policyOptions } from './fixtures.ts';
import { refused } from './refused.ts';

let base: Uint8Array;
beforeAll(async () => {
  base = await baseBundle();
});

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
    ['io.jwt.encode_sign', 'x := io.jwt.encode_sign({}, {}, {})', /io\.jwt\.encode_sign: a policy holds no private keys/],
    [
      'http.send',
      'x := http.send({"method": "GET", "url": "http://127.0.0.1"})',
      /http\.send: policies ask nobody; configure an attribute source/,
    ],
    ['net.lookup_ip_addr', 'x := net.lookup_ip_addr("a")', /net\.lookup_ip_addr: policies ask nobody/],
    ['providers.aws.sign_req', 'x := providers.aws.sign_req({}, {}, 1)', /providers\.aws\.sign_req: a policy holds no cloud credentials/],
    ['graphql.is_valid', 'x := graphql.is_valid("a", "b")', /graphql\.is_valid: GraphQL/],
    ['regex.globs_match', 'x := regex.globs_match("a", input.id)', /regex\.globs_match: its time grows/],
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
    expect(set.status()[0]).toMatchObject({ state: 'active', rules: 67 });
  });

  it('a required rule that is not there, by name', async () => {
    const set = createTestPolicies({ policies: { default: policyOptions({ requiredRules: ['rate.exceeded', 'acme.own'] }) } });
    await refused(base, 'bundle_rule_missing', /acme\.own/, set);
    await expect(set.activate('default', base)).rejects.toMatchObject({ field: 'acme.own' });
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
