// Writes the files that are made from the source: node scripts/generate.ts [--check] [--root DIR]; --check only compares, and ends with 1.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openApiText } from '../src/compose/openapi/document.ts';
import { inputSchemaText } from '../src/decide/input-schema-json.ts';
import { builtinTables } from './generated/builtins.ts';
import { chartDoc, chartSchemaText } from './generated/chart.ts';
import { codesDoc } from './generated/codes.ts';
import { configurationDoc } from './generated/configuration.ts';
import { inputDoc } from './generated/input.ts';
import { metricsDoc } from './generated/metrics.ts';

const { values } = parseArgs({
  options: { check: { type: 'boolean', default: false }, root: { type: 'string', default: join(import.meta.dirname, '..') } },
});

const FILES: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configurationDoc,
  'docs/codes.md': codesDoc,
  'docs/metrics.md': metricsDoc,
  'docs/rego-input.md': inputDoc,
  'docs/openapi.json': openApiText,
  'policies/schemas/input.json': inputSchemaText,
  'helm/countersign/values.schema.json': chartSchemaText,
  'helm/countersign/README.md': chartDoc,
};

/** Parts of documents that are written by hand otherwise: between `<!-- name -->` and `<!-- /name -->`. */
const PARTS: readonly { readonly file: string; readonly name: string; readonly make: () => string }[] = [
  { file: 'docs/rego.md', name: 'builtins', make: builtinTables },
];

/** The text of a file, or null where it is not there. */
async function present(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null;
    throw thrown;
  }
}

for (const [file, make] of Object.entries(FILES)) await bring(file, make());
for (const { file, name, make } of PARTS) {
  const text = await present(join(values.root, file));
  const part = new RegExp(`(?<=<!-- ${name} -->\\n)[^]*(?=<!-- /${name} -->)`);
  if (text !== null)
    await bring(
      file,
      text.replace(part, () => `\n${make()}\n\n`),
    );
}

/** Writes a file where it is not as it must be, or says so. */
async function bring(file: string, text: string): Promise<void> {
  const path = join(values.root, file);
  if ((await present(path)) === text) return;
  if (values.check) {
    console.error(`${file} is stale: run \`npm run generate\``);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    console.log(`wrote ${file}`);
  }
}
