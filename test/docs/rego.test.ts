import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCases } from '../../src/cases/parse-cases.ts';
import { runCase } from '../../src/cases/run-case.ts';
import { isJsonObject } from '../../src/contract/json.ts';
import type { ActivePolicy } from '../../src/contract/stages.ts';
import { buildBundle } from '../../src/decide/bundle-build.ts';
import { combine } from '../../src/decide/combine.ts';
import { EvaluationInput } from '../../src/decide/input-schema.ts';
import { openOffline } from '../../src/decide/offline.ts';
import { baseBundle, createTestPolicies, ENTRYPOINT, OPA_BIN, opa, POLICIES, PROJECT_ROOT, policyOptions } from '../decide/fixtures.ts';
import { commandsOf, outputPattern, runCommand } from '../support/doc-commands.ts';
import { fencedBlocks } from '../support/markdown.ts';
import { placesOf, policyJson } from '../support/policy-cli.ts';
import { addTo, recipesOf, schemaOf, sectionOf } from '../support/rego-page.ts';

/* All that docs/rego.md shows: the table of verdicts, the five steps with their commands, and every recipe in the compiled WebAssembly. */

const PAGE = readFileSync(join(PROJECT_ROOT, 'docs/rego.md'), 'utf8');
const RECIPES = recipesOf(PAGE);
const scratch = mkdtempSync(join(tmpdir(), 'countersign-rego-guide-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A copy of the base pack. */
function copyOf(name: string): string {
  const folder = join(scratch, name);
  cpSync(POLICIES, folder, { recursive: true });
  return folder;
}

describe('the table of verdicts', () => {
  const rows = [...sectionOf(PAGE, 'From verdicts to a decision').matchAll(/^\| `(\[.*\])` \| (\w+) \| (\d*) *\| `([\w.]+)` \|$/gm)];

  it('is read', () => expect(rows.length).toBeGreaterThanOrEqual(14));

  it.each(rows.map(([, said = '', effect, status, reason]) => ({ said, effect, status, reason })))('$said', (row) => {
    const said: unknown = JSON.parse(row.said);
    if (!Array.isArray(said)) throw new TypeError('no list');
    const combined = combine({ verdicts: said.map((verdict, index) => ['demo', `rule${index}`, verdict]) }, new Map());
    expect([combined.effect, combined.reasons[0]?.code]).toEqual([row.effect, row.reason]);
    expect(combined.status).toBe(row.status === '' ? null : Number(row.status));
  });
});

describe('the input', () => {
  it('is described part by part', () => {
    const named = sectionOf(PAGE, 'The input')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(named.sort()).toEqual(Object.keys(EvaluationInput.shape).sort());
  });
});

/** A file is named at the end of the line before its block: `path`. */
const BEFORE = /`([\w./]+)`[^`]*:$/;

// files are written and commands run in the order of the page
describe.each(['A rule in five steps', 'What Wasm cannot do'])('%s', (heading) => {
  const section = sectionOf(PAGE, heading);
  const folder = join(scratch, heading.replaceAll(' ', '-'));
  const policies = join(folder, 'policies');
  const steps = fencedBlocks(section).map((block) => {
    const before = section.split('\n')[block.line - 3] ?? '';
    return { ...block, name: `${block.info}, line ${block.line}: ${before.slice(-60)}`, file: BEFORE.exec(before)?.[1] ?? null };
  });
  beforeAll(() => {
    mkdirSync(folder);
    cpSync(POLICIES, policies, { recursive: true });
    cpSync(POLICIES, join(scratch, 'before'), { recursive: true });
  });

  it('has files and commands only', () => {
    expect(steps.filter(({ info }) => info === 'console')).not.toEqual([]);
    expect(steps.filter(({ info, file }) => (info === 'console') === (file !== null))).toEqual([]);
  });

  it.each(steps)('$name', { timeout: 120_000 }, async ({ info, text, file }) => {
    if (file === 'schemas/limits.json') return addTo(policies, new Map(), schemaOf(text));
    if (file !== null) {
      const path = join(/^(countersign|cases)/.test(file) ? policies : folder, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      if (info === 'rego') expect(opa(['fmt', '--list', path])).toBe('');
      return;
    }
    for (const { command, output } of commandsOf(text)) {
      const ran = await runCommand(command, folder);
      expect(ran.output).toMatch(outputPattern(output));
      expect(ran.code).toBe(output.some((line) => / findings; /.test(line)) ? 1 : 0);
    }
  });
});

describe('the five steps', () => {
  it.each(['init', 'test', 'check', 'build'])('use policy %s', (name) => {
    expect(sectionOf(PAGE, 'A rule in five steps')).toContain(`$ countersign policy ${name} `);
  });
});

describe('the recipes', () => {
  let base: ActivePolicy;
  beforeAll(async () => {
    base = await createTestPolicies().activate('default', await baseBundle());
  }, 60_000);

  it('are eleven beside the rule of the five steps, each with a code of its own that the base pack does not have', () => {
    const codes = RECIPES.map(({ code }) => code);
    expect(codes.length).toBe(11);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('pass `countersign policy check` together, and are formatted', { timeout: 120_000 }, async () => {
    const folder = copyOf('all');
    for (const { files, schema } of RECIPES) addTo(folder, files, schema);
    expect(opa(['fmt', '--list', folder])).toBe('');
    const { code, said } = await policyJson(['check', folder]);
    expect(placesOf(said)).toEqual([]);
    expect(code).toBe(0);
  });

  it.each(RECIPES)('$title: decides as it says, and the base pack alone would not', { timeout: 120_000 }, async (recipe) => {
    const folder = copyOf(recipe.code);
    addTo(folder, recipe.files, recipe.schema);
    const packed = await buildBundle({ opaBin: OPA_BIN, directory: folder, entrypoint: ENTRYPOINT });
    const policy = await createTestPolicies().activate('default', packed);
    const { cases, problems } = parseCases('docs/rego.md', recipe.cases);
    expect(problems).toEqual([]);
    expect(cases.length).toBeGreaterThan(1);
    expect(cases.map((one) => ({ name: one.name, differences: runCase(policy, one).differences }))).toEqual(
      cases.map(({ name }) => ({ name, differences: [] })),
    );
    expect(cases.filter((one) => runCase(base, one).differences.length > 0)).not.toEqual([]);
    // and lets through what it has nothing against
    expect(cases.some(({ want }) => want.effect === 'allow')).toBe(true);
    const { verdicts } = (await openOffline(packed, policyOptions())).decide({});
    expect(verdicts.find((verdict) => isJsonObject(verdict) && verdict['code'] === recipe.code)).toMatchObject({ effect: 'undecided' });
  });
});
