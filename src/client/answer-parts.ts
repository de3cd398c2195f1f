import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { HeaderLines, OutcomeReason, OutcomeResponse, OutcomeStepUp, OutcomeUpstream } from './outcome.ts';

/* Parts of an answer, each null where it has not the form that docs/decide.md says. */

/** RFC 9110 `token`, and what Node.js writes as a value. */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** `reasons`, of which there is always one. */
export function readReasons(value: JsonValue | undefined): readonly OutcomeReason[] | null {
  if (!Array.isArray(value)) return null;
  const reasons: OutcomeReason[] = [];
  for (const one of value) {
    const { code, effect, title, details = {} } = isJsonObject(one) ? one : {};
    if (typeof code !== 'string' || typeof effect !== 'string' || typeof title !== 'string' || !isJsonObject(details)) return null;
    reasons.push({ code, effect, title, details });
  }
  return reasons.length === 0 ? null : reasons;
}

/** `step_up`; what its kind has no use for is empty. */
export function readStepUp(value: JsonValue | undefined): OutcomeStepUp | null {
  if (!isJsonObject(value)) return null;
  const { kind, max_age_seconds: maxAge = null } = value;
  const methods = textsOf(value['methods'] ?? []);
  const acrValues = textsOf(value['acr_values'] ?? []);
  const scopes = textsOf(value['scopes'] ?? []);
  if (typeof kind !== 'string' || methods === null || acrValues === null || scopes === null) return null;
  if (maxAge !== null && typeof maxAge !== 'number') return null;
  return { kind, methods, acrValues, maxAgeSeconds: maxAge, scopes };
}

/** `upstream`; what only a policy can ask for is empty where it is not there. */
export function readUpstream(value: JsonValue | undefined): OutcomeUpstream | null {
  if (!isJsonObject(value)) return null;
  const headersToSet = headersOf(value['headers_to_set']);
  const headersToRemove = textsOf(value['headers_to_remove']);
  const responseHeadersToSet = headersOf(value['response_headers_to_set'] ?? {});
  const responseHeadersToAdd = headersOf(value['response_headers_to_add'] ?? {});
  const queryToSet = linesOf(value['query_parameters_to_set'] ?? {});
  const queryToRemove = textsOf(value['query_parameters_to_remove'] ?? []);
  if (headersToSet === null || headersToRemove === null || responseHeadersToSet === null) return null;
  if (responseHeadersToAdd === null || queryToSet === null || queryToRemove === null) return null;
  return { headersToSet, headersToRemove, responseHeadersToSet, responseHeadersToAdd, queryToSet, queryToRemove };
}

/** `response`: no status that could be taken for a good one. */
export function readResponse(value: JsonValue | undefined): OutcomeResponse | null {
  if (!isJsonObject(value)) return null;
  const { status, body } = value;
  const headers = headersOf(value['headers']);
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 300 || status > 599 || headers === null) return null;
  return typeof body === 'string' || isJsonObject(body) ? { status, headers, body } : null;
}

/** A list of objects. */
export function objectsOf(value: JsonValue | undefined): readonly JsonObject[] | null {
  if (!Array.isArray(value)) return null;
  const objects = value.filter(isJsonObject);
  return objects.length === value.length ? objects : null;
}

function textsOf(value: JsonValue | undefined): readonly string[] | null {
  if (!Array.isArray(value)) return null;
  const texts = value.filter((one) => typeof one === 'string');
  return texts.length === value.length ? texts : null;
}

function linesOf(value: JsonValue | undefined): Readonly<Record<string, HeaderLines>> | null {
  if (!isJsonObject(value)) return null;
  const lines: [string, HeaderLines][] = [];
  for (const [name, said] of Object.entries(value)) {
    const texts = typeof said === 'string' ? said : textsOf(said);
    if (texts === null) return null;
    lines.push([name, texts]);
  }
  return Object.fromEntries(lines);
}

/** One that could not be written is not left out: the answer is not followed in part. */
function headersOf(value: JsonValue | undefined): Readonly<Record<string, HeaderLines>> | null {
  const lines = linesOf(value);
  if (lines === null) return null;
  const good = Object.entries(lines).every(([name, texts]) => NAME.test(name) && [texts].flat().every((text) => VALUE.test(text)));
  return good ? lines : null;
}
