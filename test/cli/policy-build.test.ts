import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyWith, editBundle } from '../decide/bundles.ts';
import { createTestPolicies, OPA_BIN, POLICIES } from '../decide/fixtures.ts';
import { policyCli, policyJson, TOOLS } from '../support/policy-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-policy-cli-build-'));
const at = (name: string): string => join(folder, name);
let plain: Buffer;
beforeAll(async () => {
  for (const [name, pair] of [
    ['rsa', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ec', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ] as const) {
    writeFileSync(at(`${name}.pem`), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(at(`${name}.pub.pem`), pair.publicKey.export({ type: 'spki', format: 'pem' }));
  }
  writeFileSync(at('secret'), 'a-secret-of-the-tests-of-32-chars');
  expect((await policyCli(['build', POLICIES, '--out', at('plain.tar.gz')])).code).toBe(0);
  plain = readFileSync(at('plain.tar.gz'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Whether the real OPA takes the bundle with this key. */
function verifiedByOpa(bundle: string, key: readonly string[]): boolean {
  try {
    execFileSync(OPA_BIN, ['build', '-b', bundle, ...key, '-o', at('verified.tar.gz')], { stdio: 'pipe' });
    return true;
  } catch {
    // that it is refused is the answer
    return false;
  }
}

describe('policy build', { timeout: 120_000 }, () => {
  it('makes the same bytes of the same sources, wherever they lie', async () => {
    const elsewhere = at('elsewhere');
    cpSync(POLICIES, elsewhere, { recursive: true });
    const { code, said } = await policyJson(['build', elsewhere, '--out', at('again.tar.gz')]);
    expect(code).toBe(0);
    expect(readFileSync(at('again.tar.gz')).equals(plain)).toBe(true);
    expect(said).toEqual({
      ok: true,
      file: at('again.tar.gz'),
      revision: expect.stringMatching(/^[0-9a-f]{16}$/),
      rules: expect.any(Number),
      bytes: plain.length,
      signed: false,
    });
  });

  it.each([
    ['RS256', 'rsa.pem', 'rsa.pub.pem', true],
    ['HS256', 'secret', 'secret', true],
    ['ES256', 'ec.pem', 'ec.pub.pem', false],
  ])('signs by %s as OPA verifies it', async (algorithm, key, publicKey, repeatable) => {
    const build = (out: string) =>
      policyJson([
        'build',
        POLICIES,
        '--out',
        at(out),
        '--signing-key',
        at(key),
        '--signing-alg',
        algorithm,
        '--key-id',
        'k1',
        '--scope',
        'write',
        '--sequence',
        '7',
      ]);
    expect(await build('signed.tar.gz')).toMatchObject({ code: 0, said: { signed: true } });
    await build('signed-again.tar.gz');
    const signed = readFileSync(at('signed.tar.gz'));
    expect(readFileSync(at('signed-again.tar.gz')).equals(signed)).toBe(repeatable);
    const trusted = ['--verification-key', at(publicKey), '--verification-key-id', 'k1', '--signing-alg', algorithm, '--scope', 'write'];
    expect(verifiedByOpa(at('signed.tar.gz'), trusted)).toBe(true);
    expect(verifiedByOpa(at('signed.tar.gz'), trusted.with(-1, 'read'))).toBe(false);
    const other = await editBundle(signed, (files) => files.set('data.json', '{}'));
    writeFileSync(at('other.tar.gz'), other);
    expect(verifiedByOpa(at('other.tar.gz'), trusted)).toBe(false);
    const { said } = await policyJson(['inspect', at('signed.tar.gz')]);
    expect(said.signatures).toEqual([{ algorithm, key_id: 'k1', scope: 'write', files: said.files - 1 }]);
    expect(said.metadata).toMatchObject({ sequence: 7 });
    // whose signature counts is for a service to say
    const question = '{"request":{"method":"GET","host":"api.example","path":"/health"}}';
    expect((await policyJson(['eval', at('signed.tar.gz'), '--input', '-'], question)).said).toMatchObject({ effect: 'allow' });
  });

  it('names the revision that is wanted, and makes a bundle that the service takes', async () => {
    await policyCli(['build', POLICIES, '--out', at('named.tar.gz'), '--revision', '2026-11-26.1', '--signing-key', at('rsa.pem')]);
    expect((await TOOLS.read(readFileSync(at('named.tar.gz')))).revision).toBe('2026-11-26.1');
    const bundle = await editBundle(readFileSync(at('named.tar.gz')), (files) => files.delete('.signatures.json'));
    expect((await createTestPolicies().activate('default', bundle)).revision).toBe('2026-11-26.1');
  });

  it('writes nothing that no service would take, and says why', async () => {
    const defaulted = copyWith({
      'countersign/rules/extra/open.rego': '# METADATA\n# title: t\npackage countersign.rules.extra.open\n\ndefault verdict := "allow"\n',
    });
    expect(await policyJson(['build', defaulted, '--out', at('bad.tar.gz')])).toMatchObject({
      code: 65,
      said: { error: { code: 'bundle_rule_defaulted' } },
    });
    rmSync(defaulted, { recursive: true });
    const broken = copyWith({ 'countersign/rules/extra/open.rego': 'package countersign.rules.extra.open\n\nverdict := \n' });
    expect(await policyJson(['build', broken, '--out', at('bad.tar.gz')])).toMatchObject({
      code: 1,
      said: { error: { code: 'policy_compile_failed' } },
    });
    rmSync(broken, { recursive: true });
    const build = (...more: readonly string[]) => policyJson(['build', POLICIES, '--out', at('bad.tar.gz'), ...more]);
    expect(await build('--signing-key', at('none'))).toMatchObject({ code: 66, said: { error: { code: 'file_missing' } } });
    expect(await build('--signing-key', at('secret'))).toMatchObject({ code: 65, said: { error: { code: 'signing_failed' } } });
    expect(existsSync(at('bad.tar.gz'))).toBe(false);
    expect(await policyJson(['build', POLICIES, '--out', join(folder, 'none', 'x.tar.gz')])).toMatchObject({
      code: 74,
      said: { error: { code: 'write_failed' } },
    });
    for (const wrong of [
      ['--sequence', '-1'],
      ['--revision', 'a b'],
      ['--signing-alg', 'none'],
    ])
      expect((await policyCli(['build', POLICIES, '--out', at('bad.tar.gz'), ...wrong])).code).toBe(64);
  });
});

describe('policy inspect and diff', { timeout: 120_000 }, () => {
  it('tell what is in a bundle, read from a file, from standard input, or compiled', async () => {
    const { code, said } = await policyJson(['inspect', at('plain.tar.gz')]);
    expect(code).toBe(0);
    expect(said).toMatchObject({
      entrypoints: ['countersign/decision/result'],
      roots: ['countersign', 'countersign_test'],
      builtins_missing: [],
      data_roots: ['countersign.limits', 'countersign.routes'],
      packed_bytes: plain.length,
      signatures: [],
    });
    expect(said.rules).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ code: 'access.public_route', title: 'The route is public', public: true, status: null }),
      ]),
    );
    expect((await policyJson(['inspect', '-'], plain)).said).toEqual(said);
    expect((await policyJson(['inspect', POLICIES])).said).toEqual(said);
    const words = await policyCli(['inspect', at('plain.tar.gz')]);
    expect(words.stdout).toContain('entry points  countersign/decision/result\n');
  });

  it('names a builtin that is not there', async () => {
    const asks = copyWith({
      'countersign/rules/extra/asks.rego':
        '# METADATA\n# title: t\npackage countersign.rules.extra.asks\n\nverdict := "clear" if http.send({"method": "GET", "url": input.route.id}).status_code == 1\n',
    });
    const { said } = await policyJson(['inspect', asks]);
    rmSync(asks, { recursive: true });
    expect(said.builtins).toContain('http.send');
    expect(said.builtins_missing).toEqual([expect.stringContaining('http.send')]);
  });

  it('compare rules by their code and METADATA, and data value by value', async () => {
    const file = 'countersign/rules/access/public_route.rego';
    const source = readFileSync(join(POLICIES, file), 'utf8');
    const limits = readFileSync(join(POLICIES, 'countersign/limits/data.yaml'), 'utf8');
    const after = copyWith({
      [file]: source.replace('title: The route is public', 'title: The route is open'),
      'countersign/rules/access/route_unknown.rego': `# another comment\n\n${readFileSync(join(POLICIES, 'countersign/rules/access/route_unknown.rego'), 'utf8')}`,
      'countersign/rules/network/country_blocked.rego': null,
      'countersign/rules/extra/more.rego':
        '# METADATA\n# title: t\npackage countersign.rules.extra.more\n\nverdict := "clear" if input.route.status\n',
      'countersign/limits/data.yaml': limits
        .replace('countries_blocked: [KP]', 'countries_blocked: [KP, XX]')
        .replace('rate_fields: denied\n', ''),
    });
    const { code, said } = await policyJson(['diff', at('plain.tar.gz'), after]);
    expect(code).toBe(0);
    expect(said).toMatchObject({
      same: false,
      rules: { added: ['extra.more'], removed: ['network.country_blocked'], changed: ['access.public_route'] },
      // what tests stand on was left out of the copy
      modules: { added: [], removed: ['countersign_test/fixtures.rego'], changed: [] },
      entrypoints: { added: [], removed: [] },
      data: [
        { path: 'countersign.limits.network.countries_blocked', before: ['KP'], after: ['KP', 'XX'] },
        { path: 'countersign.limits.rate_fields', before: 'denied' },
      ],
    });
    const words = await policyCli(['diff', at('plain.tar.gz'), after, '--exit-code']);
    expect(words.code).toBe(1);
    expect(words.stdout.split('\n')).toEqual(
      expect.arrayContaining(['+ rule extra.more', '- rule network.country_blocked', '~ rule access.public_route']),
    );
    rmSync(after, { recursive: true });
    expect(await policyJson(['diff', at('plain.tar.gz'), POLICIES, '--exit-code'])).toMatchObject({ code: 0, said: { same: true } });
  });

  it('end by what is wrong with a bundle', async () => {
    writeFileSync(at('text.tar.gz'), 'not a bundle');
    expect(await policyJson(['inspect', at('text.tar.gz')])).toMatchObject({ code: 65, said: { error: { code: 'bundle_unreadable' } } });
    const cut = await editBundle(plain, (files) => files.set('policy.wasm', Buffer.from(files.get('policy.wasm') ?? '').subarray(0, 1000)));
    writeFileSync(at('cut.tar.gz'), cut);
    expect(await policyJson(['inspect', at('cut.tar.gz')])).toMatchObject({ code: 65, said: { error: { code: 'bundle_wasm_invalid' } } });
    expect((await policyCli(['inspect', at('none.tar.gz')])).code).toBe(66);
    expect((await policyCli(['diff', at('plain.tar.gz')])).code).toBe(64);
  });
});
