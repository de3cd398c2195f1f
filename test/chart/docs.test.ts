import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { isJsonObject } from '../../src/contract/json.ts';
import { chartConfig } from '../support/chart-config.ts';
import { createHelm } from '../support/helm.ts';
import { fencedBlocks } from '../support/markdown.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/kubernetes.md'), 'utf8');
const helm = createHelm();
afterAll(() => helm.close());

const blocks = fencedBlocks(page);
const commands = blocks
  .filter(({ info }) => info === 'sh')
  .flatMap(({ text }) => text.trim().split('\n'))
  .filter((line) => /^helm (install|upgrade) /.test(line));
const values = blocks.filter(({ info }) => info === 'yaml').map(({ line, text }) => ({ line, text }));

describe('docs/kubernetes.md', () => {
  test('has commands and values', () => {
    expect(commands.length).toBeGreaterThan(3);
    expect(values.length).toBeGreaterThan(2);
  });

  test.each(commands)('shows a command that renders: %s', async (command) => {
    const [, , release = '', chart, ...args] = command.split(' ');
    expect(chart).toBe('helm/countersign');
    expect(await helm.template(release, args)).toMatchObject({ ok: true });
  });

  test.each(values)('shows values that render, with a configuration that loads: line $line', async ({ text }) => {
    const shown: unknown = parse(text);
    const own = isJsonObject(shown) ? shown : {};
    const withPep = { config: { peps: [{ name: 'edge', tokenSha256: '0'.repeat(64) }] }, ...own };
    expect(chartConfig(await helm.render({ values: stringify(withPep) })).peps.length).toBeGreaterThan(0);
  });

  test('names every value that it explains', () => {
    const defaults: unknown = parse(readFileSync(join(ROOT, 'helm/countersign/values.yaml'), 'utf8'));
    const tops = isJsonObject(defaults) ? Object.keys(defaults) : [];
    const named = [...page.matchAll(/`([a-z]\w*)\.(\w+)(?:\.\w+)*`/gi)].map(([, top = '', second = '']) => ({ top, second }));
    const ours = named.filter(({ top }) => tops.includes(top) && top !== 'config');
    expect(ours.length).toBeGreaterThan(15);
    const missing = ours.filter(({ top, second }) => {
      const part = isJsonObject(defaults) ? defaults[top] : undefined;
      return !isJsonObject(part) || !Object.hasOwn(part, second);
    });
    expect(missing).toEqual([]);
  });
});
