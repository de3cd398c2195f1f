import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { AttributesMessage, ProtoStruct, ProtoValue } from './schema.ts';

/** Where Envoy's filter leaves the claims that it verified. */
export type ClaimsMetadata = {
  /** Namespace of `filter_metadata`; for jwt_authn `envoy.filters.http.jwt_authn`. */
  readonly namespace: string;
  /** `payload_in_metadata` of the provider; null takes the one member that looks like claims. */
  readonly key: string | null;
};

/** google.protobuf.Struct as JSON. A number that JSON cannot say (NaN, Infinity) and a value of no kind are null. */
export function structToJson(struct: ProtoStruct): JsonObject {
  // fromEntries makes own properties, also of `__proto__`
  return Object.fromEntries(struct.fields.map(({ key, value }) => [key, value === null ? null : valueToJson(value)]));
}

function valueToJson(value: ProtoValue): JsonValue {
  switch (value.kind) {
    case 'numberValue':
      return Number.isFinite(value.numberValue) ? (value.numberValue ?? null) : null;
    case 'stringValue':
      return value.stringValue ?? null;
    case 'boolValue':
      return value.boolValue ?? null;
    case 'structValue':
      return value.structValue ? structToJson(value.structValue) : null;
    case 'listValue':
      return value.listValue ? value.listValue.values.map(valueToJson) : null;
    default:
      return null;
  }
}

/** True where the gateway sent metadata of the configured namespace at all, trusted for it or not. */
export function offersClaims(attributes: AttributesMessage, from: ClaimsMetadata): boolean {
  return attributes.metadataContext?.filterMetadata.some(({ key }) => key === from.namespace) ?? false;
}

/**
 * The claims that Envoy's jwt_authn (or another filter) verified, or null. Without a configured key the namespace itself or exactly
 * one of its members has to look like claims: `header_in_metadata` and `failed_status_in_metadata` put others beside it.
 */
export function readClaims(attributes: AttributesMessage, from: ClaimsMetadata): JsonObject | null {
  // last one wins, as in every protobuf map
  const struct = attributes.metadataContext?.filterMetadata.findLast(({ key }) => key === from.namespace)?.value;
  if (!struct) return null;
  const metadata = structToJson(struct);
  if (from.key !== null) {
    const named = Object.hasOwn(metadata, from.key) ? metadata[from.key] : undefined;
    return isJsonObject(named) ? named : null;
  }
  const candidates = [metadata, ...Object.values(metadata).filter(isJsonObject)].filter(looksLikeClaims);
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

function looksLikeClaims(members: JsonObject): boolean {
  return ['iss', 'sub'].some((name) => Object.hasOwn(members, name) && typeof members[name] === 'string');
}
