import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { opa, POLICIES, PROJECT_ROOT } from '../decide/fixtures.ts';
import { fencedBlocks } from '../support/markdown.ts';
import { placesOf, policyJson } from '../support/policy-cli.ts';
import { addTo } from '../support/rego-page.ts';

const read = (path: string): string => readFileSync(join(PROJECT_ROOT, path), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'countersign-policies-docs-'));
afterAll(() => rmSync(scratch, { recursive: true }));

describe('docs/policies.md', () => {
  const table = read('docs/policies.md').split('\n## The base pack\n')[1]?.split('\n## ')[0] ?? '';
  const named = [...table.matchAll(/`([a-z]+\.[a-z_]*)(…?)`/g)];
  const rules = globSync('countersign/rules/*/*.rego', { cwd: POLICIES }).map((path) => path.split('/').slice(-2).join('.').slice(0, -5));

  it.each(rules)('names the rule %s of the base pack', (code) => {
    expect(named.some(([, name = '', open]) => (open === '' ? code === name : code.startsWith(name)))).toBe(true);
  });
});

/* Rules outside docs/rego.md, which has a test of its own; that of docs/policy-cli.md is there to be found fault with. */
describe('rules that other pages show', () => {
  const pages = globSync('docs/**/*.md', { cwd: PROJECT_ROOT }).filter((page) => !/(rego|policy-cli)\.md$/.test(page));
  const blocks = pages.flatMap((page) => fencedBlocks(read(page)).map(({ info, text }) => ({ page, info, text })));
  const rules = blocks.flatMap(({ page, info, text }) => {
    const [, category, name] = /^package countersign\.rules\.(\w+)\.(\w+)$/m.exec(text) ?? [];
    return info === 'rego' && name !== undefined ? [{ page, path: `countersign/rules/${category}/${name}.rego`, text }] : [];
  });
  /** The numbers that they compare with. */
  const LIMITS = { office_hours: ['last_hour_utc'], account: ['score_max'] };

  it('pass `countersign policy check`, and are formatted', { timeout: 120_000 }, async () => {
    expect(rules.map(({ page }) => page).sort()).toEqual(['docs/policies.md', 'docs/replay.md', 'docs/sources.md']);
    cpSync(POLICIES, scratch, { recursive: true });
    addTo(scratch, new Map(rules.map(({ path, text }) => [path, text])), {});
    for (const [name, keys] of Object.entries(LIMITS)) {
      const properties = Object.fromEntries(keys.map((key) => [key, { type: 'number' }]));
      const data = keys.map((key) => `${key}: 17\n`).join('');
      addTo(scratch, new Map([[`countersign/limits/${name}/data.yaml`, data]]), { [name]: { type: 'object', properties } });
    }
    expect(opa(['fmt', '--list', scratch])).toBe('');
    const { code, said } = await policyJson(['check', scratch]);
    expect(placesOf(said)).toEqual([]);
    expect(code).toBe(0);
  });
});
