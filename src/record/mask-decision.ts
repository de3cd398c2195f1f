import { STATUS_CODES } from 'node:http';
import type { ClientResponse, Decision, NamedText, Reason, Upstream } from '../contract/decision.ts';
import type { RedactSaid } from '../contract/explain.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import { HIDDEN, redactInput, redactPath } from './redact.ts';

/* What operators see of a decision: what a policy sets in headers may be a credential, and what it says may be what a client sent. */

/** Members that hold headers by their names, of verdicts and of what policies say that decide themselves. */
const HEADERS: ReadonlySet<string> = new Set(['upstream_headers', 'response_headers', 'headers_to_set', 'response_headers_to_set']);
/** Headers of a refusal that the host makes. */
const OWN: ReadonlySet<string> = new Set(['content-type', 'cache-control', 'x-countersign-decision-id']);
const OFTEN_OWN: ReadonlySet<string> = new Set(['www-authenticate', 'accept-signature', 'retry-after', 'ratelimit', 'ratelimit-policy']);
/** Shorter texts of a client are looked for as a whole only: a `1` of its query is in many a text. */
const PART_CHARS_MIN = 6;
/** What names an obligation; the rest of it is what the gateway is given for it. */
const OBLIGATION_NAMES: ReadonlySet<string> = new Set(['id', 'type']);
/** A scheme with credentials (RFC 9110 section 11.4), a JWT, a PEM. */
const CREDENTIAL = /\b(?:bearer|basic|dpop|apikey)\s+\S|\beyJ[\w-]{6,}\.[\w-]|-----BEGIN /i;

/** The names of headers stay, their values go; wherever they stand. */
export function hideHeaderValues(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((one: JsonValue) => hideHeaderValues(one));
  return isJsonObject(value) ? hideInObject(value) : value;
}

function hideInObject(object: JsonObject): JsonObject {
  const members = Object.entries(object).map(([name, value]): [string, JsonValue] => [
    name,
    HEADERS.has(name) ? hideAll(value) : hideHeaderValues(value),
  ]);
  return Object.fromEntries(members);
}

/** Every text, number and boolean hidden; names stay. */
function hideAll(value: JsonValue): JsonValue {
  if (value === null) return value;
  if (Array.isArray(value)) return value.map((one: JsonValue) => hideAll(one));
  return isJsonObject(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hideAll(one)])) : HIDDEN;
}

/** Texts that stand under the names of headers, wherever those stand. */
function addHeaderTexts(texts: Set<string>, value: JsonValue, within = false): void {
  if (typeof value === 'string') {
    if (within && value.length >= PART_CHARS_MIN) texts.add(value);
  } else if (Array.isArray(value)) for (const one of value) addHeaderTexts(texts, one, within);
  else if (isJsonObject(value)) for (const [name, one] of Object.entries(value)) addHeaderTexts(texts, one, within || HEADERS.has(name));
}

/**
 * Hides in what a policy says: header values, also where they stand again beside the headers, what has the form of a credential, what is hidden in the
 * input itself, by its name or its place, and the client's texts that are copied from there.
 * @param input that was evaluated; null where it may hold credentials and was not kept: then every text may be one
 */
export function createSaidRedaction(input: JsonValue): RedactSaid {
  const sent = textsOfClient(input);
  return (said) => {
    const texts = new Set(sent);
    addHeaderTexts(texts, said);
    const isHidden = (text: string): boolean =>
      input === null ||
      texts.has(text) ||
      CREDENTIAL.test(text) ||
      [...texts].some((one) => one.length >= PART_CHARS_MIN && text.includes(one));
    const hide = (value: JsonValue): JsonValue => {
      if (typeof value === 'string') return isHidden(value) ? HIDDEN : value.startsWith('/') ? redactPath(value) : value;
      if (Array.isArray(value)) return value.map((one: JsonValue) => hide(one));
      return isJsonObject(value) ? hideMembers(value) : value;
    };
    const hideMembers = (object: JsonObject): JsonObject =>
      Object.fromEntries(Object.entries(object).map(([name, value]) => [name, hide(value)]));
    const shown = redactInput(hideInObject(said));
    return isJsonObject(shown) ? hideMembers(shown) : {};
  };
}

/** Of the query, the body and a message to an MCP server: what a client can put anywhere. */
function textsOfClient(input: JsonValue): ReadonlySet<string> {
  const texts = new Set<string>();
  if (!isJsonObject(input)) return texts;
  const take = (value: JsonValue): void => {
    if (typeof value === 'string') texts.add(value);
    else if (Array.isArray(value)) value.forEach(take);
    else if (isJsonObject(value)) Object.values(value).forEach(take);
  };
  const { request, mcp } = input;
  if (isJsonObject(request)) {
    const { body, query = null } = request;
    take(query);
    if (isJsonObject(body)) take(body['json'] ?? null);
  }
  if (isJsonObject(mcp)) {
    take(mcp['arguments'] ?? null);
    // the URI of a resource, where a part of it is hidden
    for (const name of [mcp['name'], mcp['target']]) if (typeof name === 'string' && redactPath(name) !== name) texts.add(name);
  }
  texts.delete('');
  return texts;
}

/** A decision that was made, for those who may only look. */
export function maskDecision(decision: Decision, input: JsonValue): Decision {
  const said = createSaidRedaction(input);
  const { dynamicMetadata, response } = decision;
  // a challenge describes itself by a title
  const unshown = decision.reasons.some(({ titleSaid }) => titleSaid === true) ? 'www-authenticate' : undefined;
  const reasons = decision.reasons.map((reason) => ({ ...reason, title: titleOf(reason, said), details: detailsOf(reason, said) }));
  return {
    ...decision,
    reasons,
    obligations: decision.obligations.map((one) => obligationOf(one, said)),
    upstream: { headersToSet: {}, headersToRemove: [] },
    response:
      response === null ? null : { ...withoutValues(response, decision.reasons, unshown), ...bodyOf(decision, response, reasons, said) },
    ...(dynamicMetadata === undefined ? {} : { dynamicMetadata: hideMembersOf(dynamicMetadata) }),
  };
}

/** What it is stays, and what for goes. */
function obligationOf(obligation: JsonObject, said: RedactSaid): JsonObject {
  const shown = said(obligation);
  return Object.fromEntries(
    Object.entries(obligation).map(([name, value]) => [name, OBLIGATION_NAMES.has(name) ? (shown[name] ?? null) : hideAll(value)]),
  );
}

function hideMembersOf(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, hideAll(value)]));
}

/** Why a rule is undecided is said by the host: by paths and types, and by no value. */
function detailsOf({ effect, details }: Reason, said: RedactSaid): JsonObject {
  if (Object.keys(details).length === 0) return details;
  const { cause, missing, types, at, ...others } = details;
  if (effect !== 'undecided' || (cause !== 'input_undefined' && cause !== 'evaluation_error')) return said(details);
  const ours: Record<string, JsonValue> = { cause };
  if (missing !== undefined) ours['missing'] = missing;
  if (types !== undefined) ours['types'] = types;
  if (at !== undefined) ours['at'] = at;
  return { ...said(others), ...ours };
}

function titleOf({ title, titleSaid }: Reason, said: RedactSaid): string {
  return titleSaid === true && said({ title })['title'] !== title ? HIDDEN : title;
}

/** @param shown the reasons as they are shown */
function bodyOf(
  decision: Decision,
  response: ClientResponse,
  shown: readonly Reason[],
  said: RedactSaid,
): Pick<ClientResponse, 'body' | 'text'> {
  const { body, text } = response;
  const named = body['decision_id'] === decision.id ? { decision_id: decision.id } : {};
  const own = isOfHost(decision, response)
    ? { ...body, ...('reasons' in body ? { reasons: publicOf(shown) } : {}) }
    : { ...said(body), ...named };
  return text === undefined ? { body: own } : { body: own, text: HIDDEN };
}

const HOST_MEMBERS: ReadonlySet<string> = new Set(['type', 'title', 'status', 'decision_id', 'reasons', 'methods']);
const HOST_TYPE = /^(?:about:blank|urn:countersign:problem:step-up:[a-z]+|https:\/\/iana\.org\/assignments\/http-problem-types#[a-z-]+)$/;

/** Whether a body is the host's own, by every part of it: a policy may name the decision in one that it made. */
function isOfHost({ id, reasons, stepUp }: Decision, { status, body }: ClientResponse): boolean {
  const { type, title, reasons: told = [], methods = [] } = body;
  return (
    Object.keys(body).every((name) => HOST_MEMBERS.has(name)) &&
    body['decision_id'] === id &&
    body['status'] === status &&
    typeof type === 'string' &&
    HOST_TYPE.test(type) &&
    (title === (STATUS_CODES[status] ?? 'Refused') || title === 'Stronger evidence is required') &&
    isSame(told, publicOf(reasons)) &&
    isSame(methods, [...(stepUp?.methods ?? [])])
  );
}

function publicOf(reasons: readonly Reason[]): JsonValue[] {
  return reasons.filter((reason) => reason.public).map(({ code, title }) => ({ code, title }));
}

function isSame(a: JsonValue, b: JsonValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A decision without the values of the headers and of the parameters that its policy sets; what the host says of the caller stays. */
export function maskHeaders(decision: Decision): Decision {
  const { dynamicMetadata, explanation, response } = decision;
  return {
    ...decision,
    reasons: decision.reasons.map((reason) => ({ ...reason, details: hideInObject(reason.details) })),
    obligations: decision.obligations.map(hideInObject),
    upstream: upstreamWithoutValues(decision.upstream),
    response: response === null ? null : withoutValues(response, decision.reasons),
    ...(dynamicMetadata === undefined ? {} : { dynamicMetadata: hideInObject(dynamicMetadata) }),
    explanation:
      explanation === null
        ? null
        : { ...explanation, verdicts: hideHeaderValues(explanation.verdicts), rules: hideInObject(explanation.rules) },
  };
}

function upstreamWithoutValues(upstream: Upstream): Upstream {
  const { headersToSet, headersToAppend, responseHeadersToSet, responseHeadersToAppend, queryToSet } = upstream;
  return {
    ...upstream,
    headersToSet: valuesHidden(headersToSet, (name) => name.startsWith('x-countersign-')),
    ...(headersToAppend === undefined ? {} : { headersToAppend: headersToAppend.map(valueHidden) }),
    ...(responseHeadersToSet === undefined ? {} : { responseHeadersToSet: valuesHidden(responseHeadersToSet, (name) => OWN.has(name)) }),
    ...(responseHeadersToAppend === undefined ? {} : { responseHeadersToAppend: responseHeadersToAppend.map(valueHidden) }),
    ...(queryToSet === undefined ? {} : { queryToSet: queryToSet.map(valueHidden) }),
  };
}

function withoutValues(response: ClientResponse, reasons: Decision['reasons'], unshown?: string): ClientResponse {
  const { headers, headersToAppend } = response;
  const said = new Set(reasons.flatMap(({ details }) => namesIn(details['response_headers'])));
  if (unshown !== undefined) said.add(unshown);
  return {
    ...response,
    headers: valuesHidden(headers, (name) => OWN.has(name) || (OFTEN_OWN.has(name) && !said.has(name))),
    ...(headersToAppend === undefined ? {} : { headersToAppend: headersToAppend.map(valueHidden) }),
  };
}

function namesIn(value: JsonValue | undefined): string[] {
  return isJsonObject(value) ? Object.keys(value).map((name) => name.toLowerCase()) : [];
}

function valuesHidden(headers: Readonly<Record<string, string>>, isShown: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, isShown(name) ? value : HIDDEN]));
}

const valueHidden = ([name]: NamedText): NamedText => [name, HIDDEN];
