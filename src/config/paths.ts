import { resolve } from 'node:path';
import { PATH_MARK } from './forms.ts';
import { alternatives, elementOf, partsOf, type SchemaNode } from './outline.ts';

/** A copy in which every text that the schema marks as a path is absolute; anything of another form is left for the schema to refuse. */
export function resolvePaths(value: unknown, schema: SchemaNode, base: string): unknown {
  if (typeof value === 'string') {
    const marked = alternatives(schema).some((form) => form[PATH_MARK] === true);
    return marked && value !== '' && !/^[a-z][a-z0-9+.-]+:\/\//i.test(value) ? resolve(base, value) : value;
  }
  if (Array.isArray(value)) {
    const element = elementOf(schema);
    return element === null ? value : value.map((item: unknown) => resolvePaths(item, element.node, base));
  }
  if (typeof value !== 'object' || value === null) return value;
  const parts = partsOf(schema);
  const element = elementOf(schema);
  const copy = Object.entries(value).map(([key, part]: [string, unknown]): [string, unknown] => {
    const node = parts.get(key) ?? (element?.list === false ? element.node : undefined);
    return [key, node === undefined ? part : resolvePaths(part, node, base)];
  });
  return Object.fromEntries(copy);
}
