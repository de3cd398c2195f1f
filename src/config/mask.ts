import { stringify } from 'yaml';
import { SECRET_MARK } from './forms.ts';
import { alternatives, elementOf, partsOf, type SchemaNode } from './outline.ts';
import { CONFIG_JSON_SCHEMA, type Config } from './schema.ts';

const HIDDEN = '***';

/** The configuration as plain data without its secrets: hashes of tokens hidden, of URLs the password and the query. */
export function maskConfig(config: Config): unknown {
  return masked(config, CONFIG_JSON_SCHEMA);
}

/** What `--print-config` prints: the effective configuration as YAML, masked. */
export function printConfig(config: Config): string {
  return stringify(maskConfig(config), { lineWidth: 0 });
}

function masked(value: unknown, schema: SchemaNode): unknown {
  if (typeof value === 'string') {
    const mark = alternatives(schema).find((form) => form[SECRET_MARK] !== undefined)?.[SECRET_MARK];
    return mark === undefined ? value : mark === 'url' ? maskUrl(value) : HIDDEN;
  }
  const element = elementOf(schema);
  if (Array.isArray(value)) return value.map((item: unknown) => (element === null ? item : masked(item, element.node)));
  if (typeof value !== 'object' || value === null) return value;
  const parts = partsOf(schema);
  const shown = Object.entries(value).map(([key, part]: [string, unknown]): [string, unknown] => {
    const node = parts.get(key) ?? element?.node;
    return [key, node === undefined ? part : masked(part, node)];
  });
  return Object.fromEntries(shown);
}

function maskUrl(value: string): string {
  if (!URL.canParse(value)) return HIDDEN;
  const url = new URL(value);
  if (url.password !== '') url.password = HIDDEN;
  if (url.search !== '') url.search = HIDDEN;
  return url.href;
}
