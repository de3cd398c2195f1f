import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { fencedBlocks } from './markdown.ts';

/* What docs/rego.md shows, as files in a folder of policies. */

/** A rule of the page with all that belongs to it. */
export type Recipe = {
  readonly title: string;
  /** Its code: `access.large_amount`. */
  readonly code: string;
  /** Files by their paths in the folder of the policies. */
  readonly files: ReadonlyMap<string, string>;
  /** Below `properties` of schemas/limits.json. */
  readonly schema: JsonObject;
  /** YAML cases. */
  readonly cases: string;
};

/** The text of a heading of the second level, with its own headings. */
export function sectionOf(page: string, heading: string): string {
  const [, after = ''] = page.split(`\n## ${heading}\n`);
  return after.split(/^## /m)[0] ?? '';
}

/** One recipe a heading of the third level; its blocks in this order: rule, data, schema, cases. */
export function recipesOf(page: string): Recipe[] {
  return sectionOf(page, 'Recipes')
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [title = ''] = part.split('\n');
      const [rule, data, schema, cases, ...more] = fencedBlocks(part);
      if (cases === undefined || more.length > 0) throw new Error(`the recipe "${title}" does not have four blocks`);
      const kinds = [rule, data, schema, cases].map((block) => block?.info).join(' ');
      if (kinds !== 'rego yaml json yaml') throw new Error(`the recipe "${title}" has blocks of the kinds ${kinds}`);
      const places = schemaOf(schema?.text ?? '');
      return { title, schema: places, cases: cases.text, ...ruleOf(rule?.text ?? '', Object.keys(places)[0] ?? '', data?.text ?? '') };
    });
}

function ruleOf(rule: string, limit: string, data: string): Pick<Recipe, 'code' | 'files'> {
  const [, category = '', name = ''] = /^package countersign\.rules\.(\w+)\.(\w+)$/m.exec(rule) ?? [];
  const files = new Map([
    [`countersign/rules/${category}/${name}.rego`, rule],
    [`countersign/limits/${limit}/data.yaml`, data],
  ]);
  return { code: `${category}.${name}`, files };
}

/** A block of JSON with places of data. */
export function schemaOf(text: string): JsonObject {
  const parsed: unknown = JSON.parse(text);
  if (!isJsonObject(parsed)) throw new Error('no object');
  return parsed;
}

/** Puts files into a folder of policies, and places of data into its schema of the limits. */
export function addTo(folder: string, files: ReadonlyMap<string, string>, places: JsonObject): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const file = join(folder, 'schemas/limits.json');
  const schema = schemaOf(readFileSync(file, 'utf8'));
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  writeFileSync(file, JSON.stringify({ ...schema, properties: { ...properties, ...places } }));
}
