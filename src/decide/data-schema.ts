import { z } from 'zod';
import { CountersignError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';

/* The data under `countersign` is held against the bundle's own schemas (`policies/schemas/<name>.json`, draft-07), which our build hands on. */

/** Holds a document against a JSON Schema. */
export type DataCheck = (document: unknown) => void;

/**
 * Makes the check of `data.countersign.<name>` for each schema. A bundle from plain `opa build` brings none; its routes are still checked
 * when the catalogue is compiled.
 * @throws CountersignError bundle_manifest_invalid where a schema cannot be read
 */
export function compileDataChecks(schemas: Readonly<Record<string, unknown>>): ReadonlyMap<string, DataCheck> {
  const checks = new Map<string, DataCheck>();
  for (const [name, schema] of Object.entries(schemas)) checks.set(name, compile(name, schema));
  return checks;
}

/** @throws CountersignError bundle_data_invalid, the field is the path of the first thing that is wrong */
export function checkData(data: JsonObject, checks: ReadonlyMap<string, DataCheck>): void {
  const ours = isJsonObject(data['countersign']) ? data['countersign'] : {};
  for (const [name, check] of checks) check(ours[name]);
}

function compile(name: string, schema: unknown): DataCheck {
  let parser: z.ZodType;
  try {
    if (!isJsonObject(schema)) throw new TypeError('not an object');
    // the parser of JSON Schemas takes booleans and objects; what it does not know it refuses
    parser = z.fromJSONSchema(schema);
  } catch (error) {
    throw new CountersignError('bundle_manifest_invalid', { field: `schemas.${name}`, cause: error });
  }
  return (document) => {
    const parsed = parser.safeParse(document);
    if (parsed.success) return;
    const issue = parsed.error.issues[0];
    const path = ['countersign', name, ...(issue?.path ?? [])].join('.');
    throw new CountersignError('bundle_data_invalid', { field: path, detail: issue?.message ?? '' });
  };
}
