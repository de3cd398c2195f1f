import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { ProtoStruct, ProtoValue } from './schema.ts';

/** A JSON object as google.protobuf.Struct. */
export function jsonToStruct(object: JsonObject): ProtoStruct {
  return { fields: Object.entries(object).map(([key, value]) => ({ key, value: jsonToValue(value) })) };
}

function jsonToValue(value: JsonValue): ProtoValue {
  if (value === null) return { nullValue: 0 };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (isJsonObject(value)) return { structValue: jsonToStruct(value) };
  return { listValue: { values: value.map((item: JsonValue) => jsonToValue(item)) } };
}
