import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { SECRET_MARK } from '../../src/config/forms.ts';
import { CONFIG_JSON_SCHEMA } from '../../src/config/schema.ts';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { schemaText } from '../../src/decide/input-schema-json.ts';
import { CLUSTER_FORMS } from './chart-cluster-forms.ts';
import { SERVICE_FORMS } from './chart-service-forms.ts';
import { code, opening, table } from './markdown.ts';

const FORMS = { ...SERVICE_FORMS, ...CLUSTER_FORMS };
const CHART = join(import.meta.dirname, '../../helm/countersign');

/** Of the chart's values before `config`; the rest follows it. */
const BEFORE_CONFIG = ['image', 'imagePullSecrets'];
/** Of a chart that takes this one along. */
const OF_HELM = ['global', 'enabled'];

/** The text of helm/countersign/values.schema.json: what `helm lint`, `template` and `install` hold values against. */
export function chartSchemaText(): string {
  return schemaText(chartSchema());
}

function chartSchema(): JsonObject {
  const own = plain(z.toJSONSchema(z.strictObject(FORMS).partial(), { io: 'input' }));
  const forms = isJsonObject(own['properties']) ? own['properties'] : {};
  const before = Object.entries(forms).filter(([name]) => BEFORE_CONFIG.includes(name));
  const after = Object.entries(forms).filter(([name]) => !BEFORE_CONFIG.includes(name));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Values of the chart countersign',
    type: 'object',
    properties: {
      ...Object.fromEntries(before),
      config: { description: 'The YAML of the service, as docs/configuration.md has it.', ...configSchema() },
      ...Object.fromEntries(after),
      global: { description: 'What Helm hands to every subchart.', type: 'object' },
      enabled: { description: 'The condition by which another chart takes this one along; read by Helm alone.', type: 'boolean' },
    },
    additionalProperties: false,
  };
}

/**
 * The schema of the configuration without what is for us alone, and without what a ConfigMap must not hold. `store` may lack what comes by the
 * environment: its kind and its address.
 */
function configSchema(): JsonObject {
  const { $schema: _version, ...schema } = plain(CONFIG_JSON_SCHEMA);
  const stripped = strip(schema);
  if (!isJsonObject(stripped) || !isJsonObject(stripped['properties'])) throw new TypeError('the configuration is no object');
  const { store } = stripped['properties'];
  if (!isJsonObject(store) || !Array.isArray(store['oneOf'])) throw new TypeError('the store is no union');
  const { oneOf, ...rest } = store;
  const forms = oneOf.map((form: JsonObject[string]) => (isJsonObject(form) ? without(form, 'required') : form));
  return { ...stripped, properties: { ...stripped['properties'], store: { ...rest, anyOf: forms } } };
}

/** Without marks of ours, and without defaults: those of the chart are in values.yaml. */
function strip(value: JsonObject[string]): JsonObject[string] {
  if (Array.isArray(value)) return value.map(strip);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([name]) => name !== 'default' && !name.startsWith('x-'));
  return Object.fromEntries(kept.map(([name, one]) => [name, name === 'properties' && isJsonObject(one) ? stripEach(one) : strip(one)]));
}

/** Of properties, whatever their names are; a ConfigMap is no place for those that hold a secret. */
function stripEach(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).flatMap(([name, one]) => (isSecret(name, one) ? [] : [[name, strip(one)]])));
}

/** Hashes of tokens are none, nor are headers that a source wants to see: `value` is for those that everybody may know. */
function isSecret(name: string, form: JsonObject[string]): boolean {
  if (name === 'secret') return true;
  const forms = isJsonObject(form) ? [form, ...(Array.isArray(form['anyOf']) ? form['anyOf'] : [])] : [];
  return name !== 'value' && forms.some((one) => isJsonObject(one) && one[SECRET_MARK] === 'text');
}

function without(object: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
}

/** Plain data of what zod returns, which holds its own members beside it. */
function plain(value: unknown): JsonObject {
  const read: unknown = JSON.parse(JSON.stringify(value));
  if (!isJsonObject(read)) throw new TypeError('no object');
  return read;
}

const ABOUT = [
  'Installs Countersign in Kubernetes (1.30 or later) by Helm 3 or 4. How to, and why it is so: [docs/kubernetes.md](../../docs/kubernetes.md). Scenarios to begin with are the files `values-*.yaml` here.',
  '',
  'A value that is not in this table is refused. `config` is the YAML of the service itself: [docs/configuration.md](../../docs/configuration.md) has its keys.',
];

/** The text of helm/countersign/README.md. */
export function chartDoc(): string {
  const defaults: unknown = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  const { properties } = chartSchema();
  const rows = isJsonObject(properties) && isJsonObject(defaults) ? rowsOf(properties, defaults, []) : [];
  return `${[opening('The chart `countersign`', '`scripts/generated/chart-service-forms.ts`, `chart-cluster-forms.ts` and `values.yaml`', ABOUT), table(['value', 'default', 'what it is'], rows)].join('\n\n')}\n`;
}

function rowsOf(properties: JsonObject, defaults: unknown, path: readonly string[]): (readonly string[])[] {
  return Object.entries(properties).flatMap(([name, form]) => {
    if (!isJsonObject(form) || (path.length === 0 && OF_HELM.includes(name))) return [];
    const value = isJsonObject(defaults) ? defaults[name] : undefined;
    const at = [...path, name];
    const parts = form['properties'];
    if (isJsonObject(parts) && at[0] !== 'config') return rowsOf(parts, value, at);
    return [[code(at.join('.')), code(JSON.stringify(value ?? null)), String(form['description'] ?? '')]];
  });
}
