import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkFile } from './architecture/check-files.ts';
import { checkSource, type Violation } from './architecture/check-source.ts';
import { checkOwners, isWithin, packageOf, parseDependencyTable } from './architecture/dependency-table.ts';
import { parseSource } from './architecture/parse-source.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const files = (...patterns: string[]): string[] => globSync(patterns, { cwd: ROOT }).sort();
const show = ({ path, line, rule, text }: Violation): string => `${path}:${line} [${rule}] ${text}`;

const SOURCES = files('src/**/*.ts');
const TYPESCRIPT = [...SOURCES, ...files('test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts')];
const table = parseDependencyTable(read('docs/architecture.md'));
const manifest: { dependencies: Record<string, string>; devDependencies: Record<string, string> } = JSON.parse(read('package.json'));

describe('the house', () => {
  test('there is something to check', () => {
    expect(SOURCES.length).toBeGreaterThan(40);
  });

  test('parts import only what they may, nothing has two owners, clock and environment are passed in', () => {
    expect(SOURCES.flatMap((path) => checkSource(path, read(path))).map(show)).toEqual([]);
  });

  test('files are small and say by their names what is in them', () => {
    const all = [...TYPESCRIPT, ...files('scripts/**/*.mjs', 'policies/**/*.rego')];
    expect(all.flatMap((path) => checkFile(path, read(path))).map(show)).toEqual([]);
  });

  test('no file holds what a merge left behind', () => {
    const texts = ['*.{md,json,ts}', '{bench,config,docs,geoip,policies,scripts,src,test}/**/*.{ts,mjs,rego,md,json,yaml,yml}', '.ci/*'];
    const all = files(...texts);
    expect(all).toEqual(expect.arrayContaining(['CHANGELOG.md', 'docs/identity.md', 'policies/countersign/limits/data.yaml', '.ci/run']));
    const left = all.flatMap((path) =>
      read(path)
        .split('\n')
        // the middle line alone may underline a heading
        .flatMap((line, index) => (/^(<{7}|>{7}|\|{7})( |$)/.test(line) ? [`${path}:${index + 1}`] : [])),
    );
    expect(left).toEqual([]);
  });

  test('half of the source files are short', () => {
    const lines = SOURCES.map((path) => read(path).split('\n').length).sort((a, b) => a - b);
    expect(lines[Math.floor(lines.length / 2)]).toBeLessThanOrEqual(120);
  });

  test('every exported function, class and interface has a docstring', () => {
    const bare = SOURCES.flatMap((path) =>
      parseSource(read(path))
        .exports.filter(({ kind, documented }) => !documented && (kind === 'function' || kind === 'class' || kind === 'interface'))
        .map(({ name, line }) => `${path}:${line} ${name}`),
    );
    expect(bare).toEqual([]);
  });
});

describe('the libraries', () => {
  const shipped = Object.keys(manifest.dependencies);
  const all = [...shipped, ...Object.keys(manifest.devDependencies).filter((name) => !name.startsWith('@types/'))];

  test('docs/architecture.md has exactly one row, with owner and reason, for each', () => {
    expect(table.map(({ library }) => library).sort()).toEqual(all.sort());
    expect(table.filter(({ owners, reason }) => owners.length === 0 || reason.length < 20)).toEqual([]);
  });

  test('each is imported in src by its owner alone', () => {
    expect(SOURCES.flatMap((path) => checkOwners(path, read(path), table)).map(show)).toEqual([]);
  });

  test('each shipped one is used by its owner', () => {
    const used = (library: string, owner: string): boolean =>
      SOURCES.filter((path) => isWithin(path, owner)).some((path) =>
        parseSource(read(path)).imports.some(({ specifier }) => packageOf(specifier) === library),
      );
    const idle = table
      .filter(({ library }) => shipped.includes(library))
      .flatMap(({ library, owners }) => owners.filter((owner) => !used(library, owner)).map((owner) => `${library} in ${owner}`));
    expect(idle).toEqual([]);
  });

  test('each of the tools is used by its owner alone', () => {
    const tools = table.filter(({ library }) => !shipped.includes(library));
    const misplaced = TYPESCRIPT.flatMap((path) =>
      checkOwners(path, read(path), tools).map((one) => ({ ...one, library: one.text.split(':')[0] })),
    );
    expect(misplaced.filter(({ library }) => tools.some((row) => row.library === library)).map(show)).toEqual([]);
  });

  test('the tests, scripts and the bench use only what package.json lists', () => {
    const listed = new Set([...shipped, ...Object.keys(manifest.devDependencies)]);
    const foreign = TYPESCRIPT.flatMap((path) =>
      parseSource(read(path))
        .imports.map(({ specifier }) => packageOf(specifier))
        .filter((name) => name !== null && !listed.has(name))
        .map((name) => `${path}: ${name}`),
    );
    expect(foreign).toEqual([]);
  });
});

describe('the checker itself finds', () => {
  const rules = (path: string, text: string): string[] => checkSource(path, text).map(({ rule, line }) => `${rule} ${line}`);

  test.each([
    ['a stage that imports another stage', 'src/identify/token.ts', `import { x } from '../enrich/network.ts';`, ['part 1']],
    ['the same by import type', 'src/identify/token.ts', `import type { X } from '../decide/input.ts';`, ['part 1']],
    ['the same by import()', 'src/enrich/network.ts', `const x = await import('../record/log.ts');`, ['part 1']],
    ['the same by an import type in a type', 'src/record/log.ts', `type X = import('../decide/input.ts').Input;`, ['part 1']],
    ['the same by re-export', 'src/record/log.ts', `const a = 1;\nexport { x } from '../decide/input.ts';`, ['part 2']],
    ['a stage that constructs a store', 'src/enrich/rate.ts', `import { createMemory } from '../stores/memory.ts';`, ['part 1']],
    ['a type and a value of a store in one import', 'src/enrich/rate.ts', `import { type A, b } from '../stores/memory.ts';`, ['part 1']],
    ['a contract that knows a stage', 'src/contract/pep.ts', `import type { X } from '../identify/token.ts';`, ['part 1']],
    ['a store that knows a request', 'src/stores/redis.ts', `import type { X } from '../contract/request.ts';`, ['part 1']],
    ['a config that knows the contract', 'src/config/schema.ts', `import type { X } from '../contract/pep.ts';`, ['part 1']],
    ['a protocol that imports another', 'src/endpoints/decide/receive.ts', `import { x } from '../ext-authz/receive.ts';`, ['part 1']],
    ['what lies beside the protocols and imports one', 'src/endpoints/json-body.ts', `import { x } from './decide/routes.ts';`, ['part 1']],
    ['a leaf that knows a stage', 'src/formats/strict-json.ts', `import { x } from '../identify/token.ts';`, ['part 1']],
    ['a path with a technique', 'src/pdp.ts', `import { x } from './identify/token.ts';`, ['part 1']],
    ['a main that constructs parts', 'src/main.ts', `import { x } from './identify/token.ts';`, ['part 1']],
    ['a source that imports a test', 'src/pdp.ts', `import { x } from '../test/support/ports.ts';`, ['outside 1']],
    ['a computed import', 'src/decide/reload.ts', `await import(name);`, ['computed 1']],
    ['the environment', 'src/decide/opa.ts', `const a = 'ü';\nexport const b = process.env['OPA_BIN'];`, ['global 2']],
    ['the environment by its module', 'src/decide/opa.ts', `import { env } from 'node:process';`, ['global 1']],
    [
      'the clock',
      'src/enrich/rate.ts',
      `const a = Date.now();\nconst b = new Date();\nconst c = performance.now();`,
      ['global 1', 'global 2', 'global 3'],
    ],
    ['the clock in brackets', 'src/enrich/rate.ts', `const a = Date['now']();`, ['global 1']],
    ['an id', 'src/decide/output.ts', `const a = crypto.randomUUID();`, ['global 1']],
    ['a default export', 'src/pdp.ts', `export default function f() {}`, ['default-export 1']],
    ['a barrel', 'src/identify/all.ts', `export * from './token.ts';\nexport { x } from './keys.ts';`, ['barrel 1']],
  ])('%s', (_what, path, text, wanted) => {
    expect(rules(path, text)).toEqual(wanted);
  });

  test.each([
    [
      'types of a store',
      'src/enrich/rate.ts',
      `import type { Counters } from '../stores/counters.ts';\nimport { type A } from '../stores/counters.ts';`,
    ],
    [
      'the contract and its own folder',
      'src/identify/token.ts',
      `import { CODES } from '../contract/codes.ts';\nimport { keys } from './keys.ts';`,
    ],
    [
      'what lies beside the protocols',
      'src/endpoints/decide/receive.ts',
      `import { x } from '../json-body.ts';\nimport { y } from './respond.ts';`,
    ],
    ['a listener that serves a protocol', 'src/endpoints/http-server.ts', `import { x } from './decide/routes.ts';`],
    ['everything in service.ts', 'src/service.ts', `import { x } from './identify/identifier.ts';\nimport { y } from './stores/redis.ts';`],
    ['everything in its factories', 'src/compose/stores.ts', `import { x } from '../identify/identifier.ts';`],
    ['a date made of a given time', 'src/decide/input.ts', `export const text = (ms: number) => new Date(ms).toISOString();`],
  ])('nothing wrong with %s', (_what, path, text) => {
    expect(rules(path, text)).toEqual([]);
  });

  test('a long file, a file named for nothing, a name in camel case', () => {
    const found = (path: string, text: string): string[] => checkFile(path, text).map(({ rule }) => rule);
    expect(found('src/decide/input.ts', 'x\n'.repeat(300))).toEqual([]);
    expect(found('src/decide/input.ts', 'x\n'.repeat(301))).toEqual(['length']);
    expect(found('src/decide/utils.ts', '')).toEqual(['name']);
    expect(found('src/decide/canonicalUrl.ts', '')).toEqual(['name']);
    expect(found('policies/countersign/rules/access/scope_granted.rego', '')).toEqual([]);
    expect(found('policies/countersign/rules/access/scope-granted.rego', '')).toEqual(['name']);
  });

  test('an export without a docstring, whatever stands before it', () => {
    const bare = (text: string): string[] =>
      parseSource(text)
        .exports.filter(({ documented }) => !documented)
        .map(({ name }) => name);
    expect(bare('/** Says “ü”. */\nexport function f() {}\nexport function g() {}\n// h\nexport type H = 1;')).toEqual(['g', 'H']);
    expect(bare('/** a */\nconst a = 1;\nexport interface I {}')).toEqual(['I']);
  });

  test('a library away from its owner, or without a row', () => {
    const rows = parseDependencyTable(
      '<!-- dependencies -->\n| library | owner | why |\n|---|---|---|\n| `jose` | `src/identify/` | It verifies tokens. |\n<!-- /dependencies -->',
    );
    expect(rows).toEqual([{ library: 'jose', owners: ['src/identify/'], reason: 'It verifies tokens.' }]);
    const found = (path: string, text: string): string[] => checkOwners(path, text, rows).map(({ text: what }) => what);
    expect(found('src/identify/token.ts', `import { jwtVerify } from 'jose';\nimport 'node:fs';`)).toEqual([]);
    expect(found('src/decide/input.ts', `import type { JWK } from 'jose/key';`)).toEqual(['jose: it belongs to src/identify/']);
    expect(found('src/decide/input.ts', `import x from '@a/b/c';`)).toEqual(['@a/b: docs/architecture.md does not list it']);
  });
});
