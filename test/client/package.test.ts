import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { expect, test } from 'vitest';
import { parseSource } from '../architecture/parse-source.ts';

const ROOT = join(import.meta.dirname, '../..');
const manifest: { readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string } | string>> } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);
const entries = Object.values(manifest.exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry]));
const sourceOf = (file: string): string => file.replace('./dist/', 'src/').replace(/(\.d\.ts|\.js)$/, '.ts');

/** All that a module brings with it when it runs: types are gone by then. */
function reached(path: string, seen: Map<string, readonly string[]> = new Map()): Map<string, readonly string[]> {
  if (seen.has(path)) return seen;
  const { imports } = parseSource(readFileSync(join(ROOT, path), 'utf8'));
  const specifiers = imports.filter(({ typeOnly }) => !typeOnly).map(({ specifier }) => specifier);
  seen.set(path, specifiers);
  for (const specifier of specifiers) if (specifier.startsWith('.')) reached(normalize(join(dirname(path), specifier)), seen);
  return seen;
}

test('every export of the package is built from a file that is there', () => {
  expect(entries.map((entry) => sourceOf(entry.default))).toEqual([
    'src/client/client.ts',
    'src/client/express.ts',
    'src/client/assertion.ts',
  ]);
  for (const entry of entries) {
    expect(sourceOf(entry.types)).toBe(sourceOf(entry.default));
    expect(existsSync(join(ROOT, sourceOf(entry.default)))).toBe(true);
  }
});

test('applications load nothing but Node.js, and little of that', () => {
  const all = new Map(entries.flatMap((entry) => [...reached(sourceOf(entry.default))]));
  const foreign = [...all.values()].flat().filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'));
  expect(foreign).toEqual([]);
  const outside = [...all.keys()].filter((path) => !path.startsWith('src/client/')).sort();
  expect(outside).toEqual(['src/contract/json.ts', 'src/formats/json-scan.ts', 'src/formats/strict-json.ts', 'src/system-clock.ts']);
});
