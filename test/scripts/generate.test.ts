import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inputSections } from '../../scripts/generated/input.ts';
import { outline } from '../../src/config/outline.ts';
import { CONFIG_JSON_SCHEMA } from '../../src/config/schema.ts';
import { CODES } from '../../src/contract/codes.ts';
import { EvaluationInput } from '../../src/decide/input-schema.ts';
import { METRICS } from '../../src/record/metric-definitions.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = [
  'docs/configuration.md',
  'docs/codes.md',
  'docs/metrics.md',
  'docs/rego-input.md',
  'docs/openapi.json',
  'policies/schemas/input.json',
  'helm/countersign/values.schema.json',
  'helm/countersign/README.md',
];

function generate(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/generate.ts'), ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const read = (root: string, file: string) => readFileSync(join(root, file), 'utf8');

describe('generated files', () => {
  it('are current', () => {
    expect(generate('--check')).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('are each named where they are stale or missing, and left as they are', () => {
    const root = mkdtempSync(join(tmpdir(), 'countersign-generate-'));
    expect(generate('--root', root)).toMatchObject({ status: 0, stdout: FILES.map((file) => `wrote ${file}\n`).join('') });
    expect(generate('--check', '--root', root)).toEqual({ status: 0, stdout: '', stderr: '' });
    appendFileSync(join(root, 'docs/codes.md'), 'by hand\n');
    rmSync(join(root, 'docs/metrics.md'));
    const { status, stderr } = generate('--check', '--root', root);
    expect(status).toBe(1);
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^docs\/codes\.md is stale/),
      expect.stringMatching(/^docs\/metrics\.md is stale/),
      '',
    ]);
    expect(read(root, 'docs/codes.md')).toMatch(/by hand\n$/);
  });

  it('have every key, variable, code and metric', () => {
    const configuration = read(ROOT, 'docs/configuration.md');
    for (const { variable, node } of outline(CONFIG_JSON_SCHEMA)) {
      if (variable !== null) expect(configuration).toContain(`| \`${variable}\` |`);
      expect(configuration).toContain(node.description?.replaceAll('|', '\\|'));
    }
    for (const code of Object.keys(CODES)) expect(read(ROOT, 'docs/codes.md')).toContain(`| \`${code}\` |`);
    for (const { name } of Object.values(METRICS)) expect(read(ROOT, 'docs/metrics.md')).toContain(`| \`${name}\` |`);
  });

  it('have every field of the input, each with what it is', () => {
    const fields = inputSections().flatMap((section) => section.fields);
    expect(fields.filter(({ about, form }) => about === '' || form === '')).toEqual([]);
    for (const name of Object.keys(EvaluationInput.shape))
      expect(
        fields.some(({ path }) => path === `input.${name}` || path.startsWith(`input.${name}.`)),
        name,
      ).toBe(true);
    const paths = fields.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toEqual(
      expect.arrayContaining([
        'input.signals.network.value.lists[].name',
        'input.signals.token.value.actor.chain[].subject',
        'input.signals.rate.value.client["1m"]',
        'input.sources.<name>.value.attributes',
      ]),
    );
  });
});
