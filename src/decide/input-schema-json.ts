import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import { EvaluationInput } from './input-schema.ts';

/** JSON Schema (draft-07) of the input in the forms that `opa check` reads; written to `policies/schemas/input.json`. */
export function generateInputSchema(): JsonObject {
  const schema: unknown = JSON.parse(
    JSON.stringify(z.toJSONSchema(EvaluationInput, { target: 'draft-07', reused: 'inline', io: 'output' })),
  );
  if (!isJsonObject(schema)) throw new TypeError('zod gave no object');
  return mergeAlternatives(schema);
}

/**
 * Turns `oneOf`/`anyOf` of objects, with or without null, into one object that has the fields of all, and `type: [x, null]` into `anyOf`
 * (of a list OPA takes the first type only, and would refuse `== null`).
 */
export function mergeAlternatives(schema: JsonObject): JsonObject {
  const walked: Record<string, JsonObject[string]> = {};
  for (const [name, value] of Object.entries(schema)) walked[name] = walk(value);
  const types = walked['type'];
  if (Array.isArray(types)) {
    const { type: _type, ...rest } = walked;
    return { ...rest, anyOf: types.map((type: JsonObject[string]) => ({ type })) };
  }
  const alternatives = walked['oneOf'] ?? walked['anyOf'];
  if (!Array.isArray(alternatives)) return walked;
  const objects = alternatives.filter((one) => propertiesOf(one).length > 0);
  const nulls = alternatives.filter((one) => isJsonObject(one) && one['type'] === 'null');
  if (objects.length === 0 || objects.length + nulls.length < alternatives.length) return walked;
  const { oneOf: _one, anyOf: _any, ...rest } = walked;
  const properties: Record<string, JsonObject[string]> = {};
  for (const one of objects) {
    for (const [name, value] of propertiesOf(one))
      properties[name] = name in properties ? { type: 'string', description: 'present, absent, invalid or unavailable' } : value;
  }
  return { ...rest, type: 'object', properties, additionalProperties: false };
}

function propertiesOf(schema: JsonObject[string]): [string, JsonObject[string]][] {
  if (!isJsonObject(schema) || schema['type'] !== 'object') return [];
  const properties = schema['properties'];
  return isJsonObject(properties) ? Object.entries(properties) : [];
}

function walk(value: JsonObject[string]): JsonObject[string] {
  if (Array.isArray(value)) return value.map(walk);
  return isJsonObject(value) ? mergeAlternatives(value) : value;
}

/** The text of `policies/schemas/input.json`. */
export function inputSchemaText(): string {
  return schemaText(generateInputSchema());
}

/** The text of a schema: objects one name a line, lists in one line where they fit, as the project's formatter has it. */
export function schemaText(schema: JsonObject): string {
  return `${print(schema, '')}\n`;
}

const LINE_WIDTH = 140;

function print(value: JsonObject[string], indent: string, before = 0): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((one) => print(one, inner)).join(', ')}]`;
    if (!line.includes('\n') && indent.length + before + line.length < LINE_WIDTH) return line;
    return `[\n${value.map((one) => inner + print(one, inner)).join(',\n')}\n${indent}]`;
  }
  if (!isJsonObject(value)) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  const lines = entries.map(([name, one]) => `${inner}${JSON.stringify(name)}: ${print(one, inner, name.length + 4)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
