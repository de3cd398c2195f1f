import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../src/config/load.ts';
import { fencedBlocks, headingAnchors, linksOf, pathsIn, prose, scriptsIn } from './support/markdown.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const DOCUMENTS = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT }).sort();
/** With those that stand beside what they tell of. */
const PAGES = [...DOCUMENTS, ...globSync(['{bench,config,geoip,helm,policies,scripts,src,test}/**/*.md'], { cwd: ROOT }).sort()];
const manifest: { scripts: Record<string, string> } = JSON.parse(read('package.json'));

describe('the documentation', () => {
  test('is there', () => {
    expect(DOCUMENTS).toEqual(
      expect.arrayContaining(['CHANGELOG.md', 'CONTRIBUTING.md', 'README.md', 'docs/architecture.md', 'docs/configuration.md']),
    );
  });

  test('has links that lead somewhere', () => {
    const broken = PAGES.flatMap((path) =>
      linksOf(read(path))
        .filter(({ file, anchor }) => {
          const target = file === '' ? path : join(dirname(path), file);
          if (!existsSync(join(ROOT, target))) return true;
          return anchor !== '' && !headingAnchors(read(target)).includes(anchor);
        })
        .map(({ file, anchor }) => `${path}: ${file}#${anchor}`),
    );
    expect(broken).toEqual([]);
  });

  test('is listed in the README, every page', () => {
    const listed = linksOf(read('README.md')).map(({ file }) => file);
    expect(DOCUMENTS.filter((path) => path !== 'README.md' && !listed.includes(path))).toEqual([]);
  });

  test('is reached from the README by two links, wherever it stands', () => {
    const targetsOf = (path: string): string[] => linksOf(read(path)).map(({ file }) => join(dirname(path), file));
    const first = targetsOf('README.md');
    const reached = new Set([...first, ...first.filter((path) => PAGES.includes(path)).flatMap(targetsOf)]);
    expect(PAGES.length).toBeGreaterThan(DOCUMENTS.length);
    expect(PAGES.filter((path) => path !== 'README.md' && !reached.has(path))).toEqual([]);
  });

  test('names only scripts of package.json', () => {
    const named = DOCUMENTS.flatMap((path) => scriptsIn(read(path)).map((script) => ({ path, script })));
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter(({ script }) => manifest.scripts[script] === undefined)).toEqual([]);
  });

  test('names only files that are there', () => {
    const named = DOCUMENTS.filter((path) => path !== 'CHANGELOG.md').flatMap((path) =>
      pathsIn(prose(read(path))).map((file) => ({ path, file })),
    );
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ path, file }) => !existsSync(join(ROOT, file)) && !existsSync(join(ROOT, dirname(path), file)))).toEqual([]);
  });

  // A YAML block is a configuration where every key of its top is one.
  const keys = Object.keys(loadConfig({ env: {} }));
  const configs = DOCUMENTS.flatMap((path) =>
    fencedBlocks(read(path))
      .filter(({ info, text }) => info === 'yaml' && isConfig(parse(text), keys))
      .map(({ line, text }) => ({
        name: `${path}:${line}`,
        text: text.replaceAll('tokenSha256: "…"', `tokenSha256: "${'0'.repeat(64)}"`),
      })),
  );

  test('shows configurations', () => {
    expect(configs.map(({ name }) => name.split(':')[0])).toEqual(
      expect.arrayContaining(['README.md', 'docs/gateways/envoy.md', 'docs/identity.md']),
    );
  });

  test('shows JSON that is JSON', () => {
    const blocks = DOCUMENTS.flatMap((path) => fencedBlocks(read(path)).filter(({ info }) => info === 'json'));
    expect(blocks.length).toBeGreaterThan(0);
    for (const { text } of blocks) expect(() => JSON.parse(text)).not.toThrow();
  });

  test.each(configs)('shows a configuration that loads: $name', ({ text }) => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-docs-'));
    try {
      writeFileSync(join(folder, 'countersign.yaml'), text);
      expect(() => loadConfig({ file: join(folder, 'countersign.yaml'), env: {}, cwd: folder })).not.toThrow();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the configuration of the quickstart', () => {
  const config = loadConfig({ file: join(ROOT, 'config/quickstart.yaml'), env: {} });

  test('has the ports that the script expects, on loopback, and no other store than memory', () => {
    expect([config.http.port, config.grpc.port, config.operations.port]).toEqual([8080, 9191, 9090]);
    expect([config.http.host, config.grpc.host, config.operations.host]).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    expect(config.store.kind).toBe('memory');
  });

  test('trusts the local gateway for no more than what it shows', () => {
    expect(config.peps.map(({ trusts }) => trusts)).toEqual([['client_address', 'client_certificate', 'explain']]);
  });
});

function isConfig(value: unknown, keys: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).every((key) => keys.includes(key));
}
