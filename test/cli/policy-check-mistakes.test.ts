import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyWith, type Files } from '../decide/bundles.ts';
import { POLICIES } from '../decide/fixtures.ts';
import { placesOf, policyJson } from '../support/policy-cli.ts';

/* Mistakes as authors make them, and that `policy check` tells the mistake at its place and nothing else. */

const METADATA = '# METADATA\n# title: A title\n# custom:\n#   remedy: Do something.\n';
const CLEAR = 'verdict := "clear" if {\n\tinput.route.status == "none"\n}\n';
const file = (name: string): string => `countersign/rules/extra/${name}.rego`;
const rule = (name: string, body: string) => ({ [file(name)]: `${METADATA}package countersign.rules.extra.${name}\n\n${body}\n` });

async function check(files: Files) {
  const directory = copyWith(files);
  try {
    const { code, said } = await policyJson(['check', directory]);
    return { code, places: placesOf(said), warned: placesOf({ findings: said.warnings }), texts: textsOf(said.findings) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function textsOf(findings: unknown): string[] {
  return Array.isArray(findings) ? findings.map(({ text }) => String(text)) : [];
}

describe('mistakes in a folder of a policy', { timeout: 180_000 }, () => {
  it('tells what does not parse, and of the other files only what is wrong with them', async () => {
    const { places, warned } = await check({
      ...rule('broken', 'verdict := "deny" if { )'),
      [file('misquoted')]: `# METADATA\n# title: [a\npackage countersign.rules.extra.misquoted\n\n${CLEAR}`,
      [file('bare')]: `package countersign.rules.extra.bare\n\n${CLEAR}`,
    });
    expect(places).toEqual([
      `${file('bare')}:1:1 rule_metadata_missing`,
      `${file('broken')}:7:24 rego_parse_error`,
      `${file('misquoted')}:2:1 rego_parse_error`,
    ]);
    expect(warned).toEqual([]);
  });

  it('tells what is wrong with the manifest, and not of every rule that its METADATA is missing', async () => {
    const manifest = readFileSync(join(POLICIES, '.manifest'), 'utf8');
    const broken = await check({ '.manifest': manifest.replace('"rego_version":1,', '\n"rego_version":1,,') });
    expect([broken.places, broken.warned]).toEqual([['.manifest:2:18 data_invalid'], []]);
    const outside = await check({ 'other/other.rego': 'package other\n\nx := 1\n' });
    expect(outside.places).toEqual(['.manifest:1:1 policy_compile_failed']);
    expect(outside.texts[0]).toContain('other/other.rego');
  });

  it('warns of data that no bundle takes, and of what is left to operators and is not there', async () => {
    const paths = ['countersign/limits/rate', 'countersign/limits/raet', 'countersign/rules', 'tenants/default/x'];
    const manifest = { roots: ['countersign'], rego_version: 1, metadata: { mutable: paths } };
    const { code, warned } = await check({
      '.manifest': JSON.stringify(manifest, null, 1),
      'countersign/limits/more.yaml': 'a: 1\n',
      'countersign/limits/more.json': '{"a": 1}',
    });
    expect([code, warned]).toEqual([
      0,
      [
        '.manifest:9:4 mutable_unknown',
        '.manifest:10:4 mutable_unknown',
        'countersign/limits/more.json:1:1 data_ignored',
        'countersign/limits/more.yaml:1:1 data_ignored',
      ],
    ]);
  });

  it('points at what is no YAML and no JSON, and at names that are there twice', async () => {
    const routes = 'countersign/routes/data.yaml';
    const tenants = 'countersign_test/extra/data.json';
    const twice = await check({
      [routes]:
        'a: { methods: [GET], path: /a, tier: low }\nb: { methods: [GET], path: /b, tier: low }\na: { methods: [GET], path: /c, tier: low }\n',
      [tenants]: '{\n  "a": 1,\n  "a": 2\n}\n',
    });
    expect(twice.places).toEqual([`${routes}:3:1 data_invalid`, `${tenants}:3:3 data_invalid`]);
    const broken = await check({
      [routes]: 'a: { methods: [GET], path: /a, tier: low }\nb: [1\n',
      [tenants]: '{\n\t"a": 1,\n\t"b" 2\n}\n',
    });
    expect(broken.places).toEqual([expect.stringMatching(`^${routes}:[23]:\\d+ data_invalid$`), `${tenants}:3:6 data_invalid`]);
    expect((await check({ [tenants]: '{\n\t"a": 1\n}\n' })).places).toEqual([]);
  });

  it('points at verdicts that the service takes for undecided, or that are none', async () => {
    const { code, places, warned, texts } = await check({
      ...rule('misspelt', `verdict := "dney" if {\n\tinput.route.public\n} else := "clear" if {\n\tinput.route.status == "none"\n}`),
      ...rule('elsewhere', `${CLEAR.trimEnd()} else := "block" if {\n\tinput.route.public\n}`),
      ...rule('truth', `verdict if input.route.public\n\n_clear := "clear"`),
      ...rule(
        'pathless',
        'verdict := {"effect": "refuse"} if {\n\tinput.route.public\n} else := "clear" if {\n\tinput.route.status == "none"\n}',
      ),
      ...rule(
        'status',
        'verdict := {"effect": "deny", "status": 200} if {\n\tinput.route.public\n} else := "clear" if {\n\tinput.route.status == "none"\n}',
      ),
      ...rule(
        'effectless',
        'verdict := {"status": 403} if {\n\tinput.route.public\n} else := "clear" if {\n\tinput.route.status == "none"\n}',
      ),
      ...rule('members', 'verdict contains "clear" if input.route.status == "none"'),
      ...rule('called', 'verdict(x) := "clear" if x == "none"'),
      ...rule('below', 'verdict.a := "clear" if input.route.status == "none"'),
      ...rule(
        'right',
        'verdict := {"effect": "deny", "status": 429} if {\n\tinput.route.public\n} else := {"effect": "clear"} if {\n\tinput.route.status == "none"\n}',
      ),
      ...rule('several', `verdict := "deny" if {\n\tinput.route.public\n}\n\n${CLEAR}`),
    });
    expect(code).toBe(1);
    expect(places).toEqual([
      `${file('below')}:7:1 rule_verdict_form`,
      `${file('called')}:7:1 rule_verdict_form`,
      `${file('effectless')}:7:1 rule_verdict_unknown`,
      `${file('elsewhere')}:9:3 rule_verdict_unknown`,
      `${file('members')}:7:1 rule_verdict_form`,
      `${file('misspelt')}:7:1 rule_verdict_unknown`,
      `${file('pathless')}:7:1 rule_verdict_unknown`,
      `${file('status')}:7:1 rule_verdict_unknown`,
      `${file('truth')}:7:1 rule_never_clear`,
      `${file('truth')}:7:1 rule_verdict_unknown`,
    ]);
    expect(texts.join('\n')).toContain('dney');
    expect(warned).toEqual([`${file('several')}:11:1 rule_verdict_several`]);
  });

  it('names the field of the METADATA that the service would pass over', async () => {
    const custom = (name: string, line: string) => ({
      [file(name)]: `# METADATA\n# title: t\n# custom:\n#   ${line}\npackage countersign.rules.extra.${name}\n\n${CLEAR}`,
    });
    const { places, texts } = await check({
      ...custom('excepted', 'exceptions: "false"'),
      ...custom('lengthy', `remedy: ${'x'.repeat(1025)}`),
      ...custom('numbered', 'remedy: 5'),
      ...custom('own', 'severity: high'),
      ...custom('shown', 'public: "no"'),
      ...custom('status', 'status: "403"'),
    });
    expect(places).toEqual(['excepted', 'lengthy', 'numbered', 'shown', 'status'].map((name) => `${file(name)}:5:1 rule_custom_invalid`));
    expect(texts.map((text) => /`custom\.(\w+)`/.exec(text)?.[1])).toEqual(['exceptions', 'remedy', 'remedy', 'public', 'status']);
  });

  it('finds thresholds that are reckoned, and names what a field could be', async () => {
    const { places, texts } = await check({
      ...rule(
        'reckoned',
        `verdict := "deny" if {\n\tinput.time.hour_utc > 16 + 1\n} else := "clear" if {\n\tinput.route.status == "none"\n}`,
      ),
      ...rule('unknown', `verdict := "deny" if {\n\tinput.route.publik\n} else := "clear" if {\n\tinput.route.status == "none"\n}`),
    });
    expect(places).toEqual([`${file('reckoned')}:8:2 rule_threshold`, `${file('unknown')}:8:2 rego_type_error`]);
    expect(texts[1]).toContain('input.route.publik');
    expect(texts[1]).toContain('public, scopes, status');
  });

  it('names the file that was put beside the base, not the base', async () => {
    const { places } = await check({ 'countersign/lib/zz.rego': 'package countersign.lib.say\n\nmore := 1\n' });
    expect(places).toEqual(['countersign/lib/zz.rego:1:1 bundle_redefines_base']);
  });

  it('asks the cases that the bundle would bring, and builds none that would fail them', async () => {
    const directory = copyWith({});
    mkdirSync(join(directory, 'cases'));
    const one =
      '- name: wrong\n  ask: { request: { method: GET, host: api.example, path: /health } }\n  want: { effect: deny, reasons: [access.public_route], record: { route: health } }\n';
    writeFileSync(join(directory, 'cases/health.yaml'), `# cases\n${one}`);
    const { code, said } = await policyJson(['check', directory]);
    expect([code, placesOf(said)]).toEqual([1, ['cases/health.yaml:2:1 case_failed']]);
    const out = join(directory, '..', `${directory.split('/').at(-1)}.tar.gz`);
    const built = await policyJson(['build', directory, '--out', out]);
    expect([built.code, placesOf(built.said), existsSync(out)]).toEqual([1, ['cases/health.yaml:2:1 case_failed'], false]);
    rmSync(directory, { recursive: true });
  });
});
