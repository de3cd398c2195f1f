import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FINDINGS } from '../../src/authoring/finding.ts';
import { copyWith, type Files } from '../decide/bundles.ts';
import { POLICIES } from '../decide/fixtures.ts';
import { placesOf, policyCli, policyJson } from '../support/policy-cli.ts';

/** What `policy check` finds in a copy of the base pack with other files. */
async function check(files: Files) {
  const directory = copyWith(files);
  try {
    return await policyJson(['check', directory]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const rule = (name: string, body: string, metadata = '# METADATA\n# title: A title\n') => ({
  [`countersign/rules/extra/${name}.rego`]: `${metadata}package countersign.rules.extra.${name}\n\n${body}\n`,
});
const CLEAR = 'verdict := "clear" if {\n\tinput.route.status == "none"\n}';
const extra = (name: string): string => `countersign/rules/extra/${name}.rego`;

describe('policy check', { timeout: 120_000 }, () => {
  it('finds the base pack sound', async () => {
    const { code, said } = await policyJson(['check', POLICIES]);
    expect([code, said]).toEqual([0, { ok: true, rules: expect.any(Number), files: expect.any(Number), findings: [], warnings: [] }]);
    expect(said.rules).toBeGreaterThan(50);
  });

  it('names file, line and column of everything that a rule of ours must not be like', async () => {
    const { code, said } = await check({
      ...rule('bare', CLEAR, ''),
      ...rule('untitled', CLEAR, '# METADATA\n# description: no title\n'),
      ...rule('custom', CLEAR, '# METADATA\n# title: t\n# custom:\n#   status: 200\n'),
      ...rule('mute', 'other := "clear"'),
      ...rule('stern', 'verdict := "deny" if {\n\tinput.route.status == "none"\n}'),
      ...rule('defaulted', `default verdict := "clear"\n\n${CLEAR}`),
      ...rule('otherwise', 'verdict := "clear" if {\n\tinput.route.status == "none"\n} else := "deny"'),
      ...rule('true_else', 'verdict := "clear" if {\n\tinput.route.status == "none"\n} else := "deny" if {\n\ttrue\n}'),
      ...rule(
        'threshold',
        'verdict := "clear" if {\n\tinput.time.hour_utc > 17\n\tcount(input.request.flags) > 0\n\tinput.evidence.assurance >= 3\n}',
      ),
      ...rule('constant', '_limit := 17\n\nverdict := "clear" if {\n\tinput.time.hour_utc <= _limit\n}'),
      ...rule('typed', 'import data.countersign.lib.is\n\nverdict := "clear" if {\n\tis.above(input.time.hour_utc, 17)\n}'),
      ...rule('negated', 'verdict := "clear" if {\n\tnot input.request.flags[0]\n}'),
      ...rule('negated_helper', 'verdict := "clear" if {\n\tnot _open\n}\n\n_open if input.route.public'),
      ...rule('negated_variable', 'verdict := "clear" if {\n\ttoken := input.signals.token\n\tnot token.value.acr\n}'),
      ...rule('negated_import', 'import input.request as asked\n\nverdict := "clear" if {\n\tnot asked.method\n}'),
      ...rule('collected', 'verdict := "clear" if {\n\tcount([1 | some flag in input.request.flags; flag == "x"]) == 0\n}'),
      ...rule(
        'bound',
        'verdict := "clear" if {\n\tflags := input.request.flags\n\tcount({flag | some flag in flags}) == 0\n\tmethod := input.request.method\n\tnot method in {"GET"}\n}',
      ),
      'countersign/rules/extra/misplaced.rego': `# METADATA\n# title: t\npackage countersign.rules.extra.elsewhere\n\n${CLEAR}\n`,
      'countersign/rules/deep/deeper/rule.rego': `# METADATA\n# title: t\npackage countersign.rules.deep.deeper.rule\n\n${CLEAR}\n`,
    });
    expect(code).toBe(1);
    expect(placesOf(said)).toEqual([
      'countersign/rules/deep/deeper/rule.rego:3:1 rule_package_depth',
      `${extra('bare')}:1:1 rule_metadata_missing`,
      `${extra('collected')}:6:8 rule_comprehension_over_input`,
      `${extra('constant')}:8:2 rule_threshold`,
      `${extra('custom')}:5:1 rule_custom_invalid`,
      `${extra('defaulted')}:5:1 rule_default`,
      `${extra('misplaced')}:3:1 rule_file_name`,
      `${extra('mute')}:3:1 rule_verdict_missing`,
      `${extra('negated')}:6:2 rule_not_over_input`,
      `${extra('negated_helper')}:6:2 rule_not_over_input`,
      `${extra('negated_import')}:8:2 rule_not_over_input`,
      `${extra('negated_variable')}:7:2 rule_not_over_input`,
      `${extra('otherwise')}:7:3 rule_else_unconditional`,
      `${extra('stern')}:5:1 rule_never_clear`,
      `${extra('threshold')}:6:2 rule_threshold`,
      `${extra('true_else')}:7:3 rule_else_unconditional`,
      `${extra('typed')}:8:2 rule_threshold`,
      `${extra('untitled')}:3:1 rule_title_missing`,
    ]);
  });

  it('names every call of a builtin that is not there', async () => {
    const { code, said } = await check(
      rule(
        'asks',
        'verdict := "clear" if {\n\tinput.route.status == "none"\n} else := "deny" if {\n\thttp.send({"method": "GET", "url": "https://a.example"}).status_code == 200\n}',
      ),
    );
    expect([code, placesOf(said)]).toEqual([1, [`${extra('asks')}:8:2 builtin_missing`]]);
    expect(said.findings[0].text).toContain('http.send');
  });

  it('checks against the schema of this version, whatever copy of it the folder has', async () => {
    const misspelt = rule('misspelt', 'verdict := "clear" if {\n\tinput.route.stauts == "none"\n}');
    const { code, said } = await check({ ...misspelt, 'schemas/input.json': '{}' });
    expect([code, placesOf(said)]).toEqual([1, [`${extra('misspelt')}:6:2 rego_type_error`]]);
    const unused = await check({ ...misspelt, 'countersign/countersign.rego': 'package countersign\n' });
    expect(placesOf(unused.said)).toContain('countersign/countersign.rego:1:1 schema_unused');
  });

  it('points at what does not parse, and still tells the rest', async () => {
    const { code, said } = await check({ ...rule('broken', 'verdict := '), ...rule('bare', CLEAR, '') });
    expect(code).toBe(1);
    expect(placesOf(said)).toEqual(expect.arrayContaining([`${extra('bare')}:1:1 rule_metadata_missing`]));
    expect(placesOf(said).some((place) => place.startsWith(`${extra('broken')}:`) && place.endsWith(' rego_parse_error'))).toBe(true);
  });

  it('says what the service would say, at the line of the data', async () => {
    const limits = readFileSync(join(POLICIES, 'countersign/limits/data.yaml'), 'utf8');
    const line = limits.split('\n').findIndex((text) => text.startsWith('  high:')) + 1;
    const wrong = await check({ 'countersign/limits/data.yaml': limits.replace('high: { assurance: 3', 'high: { assurance: three') });
    expect(placesOf(wrong.said)).toEqual([
      `countersign/limits/data.yaml:${line}:${'  high: { assurance: '.length + 1} bundle_data_invalid`,
    ]);
    const twice = await check({
      'countersign/routes/data.yaml': 'a: { methods: [GET], path: /a, tier: low }\nb: { methods: [GET], path: /a/, tier: low }\n',
    });
    expect(placesOf(twice.said)).toEqual(['countersign/routes/data.yaml:2:4 bundle_routes_invalid']);
    const base = await check({ 'countersign/lib/say.rego': 'package countersign.lib.say\n\ndeny_when(_) := "clear"\n' });
    expect(placesOf(base.said)).toEqual(expect.arrayContaining([expect.stringContaining('rego_type_error')]));
  });

  it('ends by what kept it from checking', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'countersign-policy-cli-'));
    expect(await policyJson(['check', empty])).toMatchObject({ code: 66, said: { ok: false, error: { code: 'policy_folder_missing' } } });
    expect(await policyCli(['check', empty])).toMatchObject({ code: 66, stdout: '', stderr: expect.stringContaining('.manifest') });
    expect(await policyJson(['check', POLICIES, '--opa', join(empty, 'none')])).toMatchObject({
      code: 69,
      said: { error: { code: 'opa_missing' } },
    });
    expect((await policyCli(['check'])).code).toBe(64);
    expect((await policyCli(['check', POLICIES, '--lax'])).code).toBe(64);
  });

  it('prints findings as compilers do', async () => {
    const directory = copyWith(rule('bare', CLEAR, ''));
    writeFileSync(join(directory, 'notes.txt'), 'not of the policy');
    const { code, stdout, stderr } = await policyCli(['check', directory]);
    rmSync(directory, { recursive: true });
    expect([code, stderr]).toEqual([1, `${extra('bare')}:1:1: rule_metadata_missing: ${FINDINGS.rule_metadata_missing}\n`]);
    expect(stdout).toMatch(/^1 findings; \d+ rules in \d+ files\n$/);
  });
});
