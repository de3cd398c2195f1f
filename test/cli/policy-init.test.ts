import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyWith } from '../decide/bundles.ts';
import { opa } from '../decide/fixtures.ts';
import { policyCli, policyJson } from '../support/policy-cli.ts';

describe('policy init', { timeout: 120_000 }, () => {
  it('writes rules that are formatted, checked and tested, whatever they say', async () => {
    const directory = copyWith({});
    const paths = (name: string) => [
      join(directory, `countersign/rules/extra/${name}.rego`),
      join(directory, `countersign_test/rules/extra_${name}_test.rego`),
    ];
    for (const effect of ['deny', 'step_up', 'allow']) {
      const title = `It's a "${effect}": [x]`;
      const { code, said } = await policyJson(['init', `extra.a_${effect}`, '--policies', directory, '--effect', effect, '--title', title]);
      expect([code, said]).toEqual([0, { ok: true, files: paths(`a_${effect}`) }]);
      expect(readFileSync(paths(`a_${effect}`)[0] ?? '', 'utf8')).toContain('# title: ');
    }
    expect(opa(['fmt', '--list', directory])).toBe('');
    expect(await policyJson(['check', directory])).toMatchObject({ code: 0, said: { findings: [] } });
    const tested = await policyJson(['test', directory]);
    expect(tested).toMatchObject({ code: 0, said: { rego: { passed: 12, failed: 0 } } });
    const inspected = await policyJson(['inspect', directory]);
    expect(inspected.said.rules).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'extra.a_deny', title: `It's a "deny": [x]`, public: false, status: null })]),
    );
    rmSync(directory, { recursive: true });
  });

  it('overwrites nothing, and writes only into a folder of a policy', async () => {
    const directory = copyWith({});
    const before = readFileSync(join(directory, 'countersign/rules/access/public_route.rego'), 'utf8');
    expect(await policyJson(['init', 'access.public_route', '--policies', directory])).toMatchObject({
      code: 65,
      said: { error: { code: 'file_exists' } },
    });
    expect(readFileSync(join(directory, 'countersign/rules/access/public_route.rego'), 'utf8')).toBe(before);
    rmSync(directory, { recursive: true });
    expect((await policyCli(['init', 'access.more', '--policies', directory])).code).toBe(66);
    expect(existsSync(directory)).toBe(false);
  });

  it.each(['access', 'access.a.b', 'Access.x', 'access.1', '../x.y', 'access.not', 'data.x', ''])(
    'takes %j for no name of a rule',
    async (name) => {
      expect((await policyCli(['init', name])).code).toBe(64);
    },
  );
});
