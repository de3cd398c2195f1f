import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { copyWith } from '../decide/bundles.ts';
import { POLICIES, PROJECT_ROOT } from '../decide/fixtures.ts';
import { placesOf, policyCli, policyJson } from '../support/policy-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-policy-cli-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD_TEST = 'package countersign_test.rules.public_test\n\nimport data.countersign.rules.access.public_route\n\n';
const ONE_TEST = `${GOOD_TEST}test_allows if public_route.verdict == "allow" with input as {"route": {"status": "matched", "public": true}}\n`;

/** A copy of the base pack with one Rego test of its own. */
function small(test: string): string {
  return copyWith({ 'countersign_test/public_test.rego': test });
}

describe('policy test', { timeout: 120_000 }, () => {
  it('runs the Rego tests of the base pack with their coverage, and its cases against the compiled Wasm', async () => {
    const { code, said } = await policyJson(['test', POLICIES, '--cases', join(PROJECT_ROOT, 'test/cases')]);
    expect([code, said.findings]).toEqual([0, []]);
    expect(said.rego).toMatchObject({ failed: 0, skipped: 0 });
    expect(said.rego.passed).toBeGreaterThan(200);
    expect(said.rego.coverage.percent).toBeGreaterThan(95);
    expect(said.cases).toMatchObject({ failed: 0 });
    expect(said.cases.passed).toBeGreaterThan(150);
  });

  it('points at the Rego test that failed, and at lines that none reaches', async () => {
    const directory = small(`${ONE_TEST}\ntest_wrong if public_route.verdict == "deny" with input as {"route": {"status": "unknown"}}\n`);
    const { code, said } = await policyJson(['test', directory]);
    expect([code, placesOf(said)]).toEqual([1, ['countersign_test/public_test.rego:7:1 test_failed']]);
    expect(said.rego).toMatchObject({ passed: 1, failed: 1 });
    writeFileSync(join(directory, 'countersign_test/public_test.rego'), ONE_TEST);
    expect(placesOf((await policyJson(['test', directory, '--coverage-min', '50'])).said)).toEqual(['.manifest:1:1 coverage_low']);
    const words = await policyCli(['test', directory]);
    expect(words.code).toBe(0);
    expect(words.stdout).toContain('not reached: countersign/rules/access/route_unknown.rego:');
    rmSync(directory, { recursive: true });
  });

  it('runs cases that lie in the folder, and points at the one that is decided otherwise', async () => {
    const directory = small(ONE_TEST);
    mkdirSync(join(directory, 'cases'));
    const one = (name: string, effect: string): string =>
      `- name: ${name}\n  ask: { request: { method: GET, host: api.example, path: /health } }\n  want: { effect: ${effect}, reasons: [access.public_route], record: { route: health } }\n`;
    writeFileSync(join(directory, 'cases/health.yaml'), `# cases\n${one('right', 'allow')}${one('wrong', 'deny')}`);
    const { code, said } = await policyJson(['test', directory]);
    expect([code, placesOf(said)]).toEqual([1, [`${directory}/cases/health.yaml:5:1 case_failed`]]);
    expect(said.findings[0].text).toContain('wrong: effect is "allow" and not "deny"');
    expect(said.cases).toEqual({ passed: 1, failed: 1 });
    rmSync(directory, { recursive: true });
  });

  it('points at what a case may not say, and at a question that cannot be asked', async () => {
    const directory = small(ONE_TEST);
    const file = join(folder, 'odd.yaml');
    writeFileSync(file, '- name: odd\n  ask: {}\n  want:\n    effect: perhaps\n    reasons: [a]\n    record: { route: x }\n');
    expect(placesOf((await policyJson(['test', directory, '--cases', file])).said)).toEqual([`${file}:4:13 case_invalid`]);
    writeFileSync(
      file,
      '- name: a\n  ask: { request: { method: GET, path: 1 } }\n  want: { effect: deny, reasons: [a], record: { route: x } }\n',
    );
    const asked = await policyJson(['test', directory, '--cases', file]);
    expect([asked.code, placesOf(asked.said)]).toEqual([1, [`${file}:1:1 case_invalid`]]);
    rmSync(directory, { recursive: true });
  });

  it('finds nothing where there is no test, and does not start where nothing is there', async () => {
    const bare = copyWith({});
    expect(placesOf((await policyJson(['test', bare])).said)).toEqual(['.manifest:1:1 tests_missing']);
    rmSync(bare, { recursive: true });
    expect((await policyCli(['test', POLICIES, '--cases', join(folder, 'none')])).code).toBe(66);
    expect((await policyCli(['test', folder])).code).toBe(66);
    expect((await policyCli(['test', POLICIES, '--coverage-min', 'most'])).code).toBe(64);
  });

  it('tells the Rego tests all the same where nothing compiles that cases could be asked', async () => {
    const directory = small(`${ONE_TEST}\ntest_more if {\n\tx := 1\n\tpublic_route\n}\n`);
    const file = join(folder, 'some.yaml');
    writeFileSync(
      file,
      '- name: a\n  ask: { request: { method: GET, host: a, path: / } }\n  want: { effect: deny, reasons: [a], record: { route: x } }\n',
    );
    const { code, said } = await policyJson(['test', directory, '--cases', file]);
    expect([code, placesOf(said)]).toEqual([1, ['countersign_test/public_test.rego:8:1 rego_compile_error']]);
    expect(said.findings[0].text).toBe('assigned var x unused');
    expect([said.rego.passed, said.cases]).toEqual([2, { passed: 0, failed: 0 }]);
    rmSync(directory, { recursive: true });
  });

  it('says what does not compile', async () => {
    const broken = small('package countersign_test.public_test\n\ntest_x if {\n');
    const { code, said } = await policyJson(['test', broken]);
    expect(code).toBe(1);
    expect(placesOf(said)[0]).toMatch(/^countersign_test\/public_test\.rego:\d+:\d+ rego_parse_error$/);
    rmSync(broken, { recursive: true });
  });
});
