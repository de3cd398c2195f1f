import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';

const HIDDEN = '***';

/**
 * The document of `envoy-input.ts` as a log may keep it. It has what clients sent, credentials included, so that only what is known to be harmless is
 * shown: of the headers those that `input.headers` names, of the query and the body the names, of the path what is before a `;`.
 */
export function maskEnvoyInput(document: JsonObject, shown: ReadonlySet<string>): JsonObject {
  const { attributes, parsed_path: path, parsed_query: query, parsed_body: body, ...others } = document;
  return {
    attributes: maskAttributes(attributes ?? null, shown),
    parsed_path: Array.isArray(path) ? path.map((segment: JsonValue) => cutPath(String(segment))) : [],
    parsed_query: hideTexts(query ?? null),
    parsed_body: hideTexts(body ?? null),
    ...others,
  };
}

/** `metadataContext` holds claims by names that only the gateway's configuration knows. */
function maskAttributes(attributes: JsonValue, shown: ReadonlySet<string>): JsonValue {
  if (!isJsonObject(attributes)) return null;
  const { request, metadataContext, ...others } = attributes;
  if (!isJsonObject(request)) return others;
  return {
    ...others,
    ...(metadataContext === undefined ? {} : { metadataContext: hideTexts(metadataContext) }),
    request: { ...request, http: maskHttp(request['http'] ?? null, shown) },
  };
}

function maskHttp(http: JsonValue, shown: ReadonlySet<string>): JsonValue {
  if (!isJsonObject(http)) return null;
  const { headers, path, body, rawBody, ...others } = http;
  const masked: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(isJsonObject(headers) ? headers : {})) masked[name] = shown.has(name) ? value : HIDDEN;
  return {
    ...others,
    headers: masked,
    ...(typeof path === 'string' ? { path: cutPath(path) } : {}),
    ...(body === undefined ? {} : { body: HIDDEN }),
    ...(rawBody === undefined ? {} : { rawBody: HIDDEN }),
  };
}

/** Before parameters, which are a place for session ids, before the query and before the fragment, encoded or not. */
function cutPath(path: string): string {
  return path.replace(/(?:[;?#]|%3[bf]|%23).*$/is, HIDDEN);
}

function hideTexts(value: JsonValue): JsonValue {
  // a number may be a one-time code as well as a text may
  if (typeof value === 'string' || typeof value === 'number') return HIDDEN;
  if (Array.isArray(value)) return value.map((item: JsonValue) => hideTexts(item));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, hideTexts(part)]));
}
