import type { ClientResponse, NamedText, Upstream } from '../../contract/decision.ts';

/* Parts of an answer that only some decisions have. */

/** Headers that have several lines are lists in an object of texts. */
type Lines = Readonly<Record<string, string | readonly string[]>>;

/** Changes to the request, and to the answer that its upstream gives; what a policy alone can ask for is there only where it does. */
export function upstreamJson(upstream: Upstream): Record<string, unknown> {
  const { headersToSet, headersToAppend, headersToRemove, responseHeadersToSet, responseHeadersToAppend, queryToSet, queryToRemove } =
    upstream;
  const said: Record<string, unknown> = { headers_to_set: withLines(headersToSet, headersToAppend), headers_to_remove: headersToRemove };
  if (responseHeadersToSet !== undefined) said['response_headers_to_set'] = responseHeadersToSet;
  if (responseHeadersToAppend !== undefined) said['response_headers_to_add'] = withLines({}, responseHeadersToAppend);
  if (queryToSet !== undefined) said['query_parameters_to_set'] = withLines({}, queryToSet);
  if (queryToRemove !== undefined) said['query_parameters_to_remove'] = queryToRemove;
  return said;
}

/** What a gateway sends to the client; a body is a text where the policy wrote one. */
export function responseJson(response: ClientResponse): ClientResponse | Record<string, unknown> {
  if (response.text === undefined && response.headersToAppend === undefined) return response;
  return { status: response.status, headers: withLines(response.headers, response.headersToAppend), body: response.text ?? response.body };
}

function withLines(set: Readonly<Record<string, string>>, further: readonly NamedText[] | undefined): Lines {
  if (further === undefined) return set;
  const lines = new Map<string, readonly string[]>(Object.entries(set).map(([name, value]) => [name, [value]]));
  for (const [name, value] of further) lines.set(name, [...(lines.get(name) ?? []), value]);
  return Object.fromEntries([...lines].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
}
