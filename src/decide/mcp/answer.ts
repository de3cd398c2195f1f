import type { ClientResponse, Decision } from '../../contract/decision.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { McpMessage } from '../../contract/mcp.ts';
import type { Route } from '../../contract/route.ts';

/** Codes of COAZ-MCP: a denial, and a decision that could not be made. */
const DENIED = -32_001;
const FAILED = -32_603;

/**
 * The decision with a refusal that an MCP client reads: a JSON-RPC error with the id of its request (MCP, Error Responses), under the status and with
 * the headers that it has anyway. What was no JSON-RPC by POST, or not the client's own message, is answered as everywhere.
 */
export function withRpcAnswer(decision: Decision, message: McpMessage | null): Decision {
  const { response } = decision;
  if (message === null || response === null || message.source !== 'body' || message.code === 'not_post') return decision;
  return { ...decision, response: rpcResponse(response, decision, message) };
}

/**
 * The route with the scopes that the message needs too, so that the first challenge of a client without a token names all of them; not where a
 * server hides what it has, since only of that are there scopes.
 */
export function withTargetScopes(route: Route, message: McpMessage | null): Route {
  const { mcp } = route;
  if (mcp === undefined || mcp.hidden || message === null || message.list === null || message.target === null) return route;
  const list = mcp.scopes[message.list];
  const scopes = list.get(message.target) ?? list.get('*') ?? [];
  return scopes.length === 0 ? route : { ...route, scopes: [...new Set([...route.scopes, ...scopes])] };
}

function rpcResponse(response: ClientResponse, { reasons }: Decision, { id }: McpMessage): ClientResponse {
  const [first] = reasons;
  const { rpc_code: said, rpc_message: text, rpc_data: more } = first?.details ?? {};
  const code = typeof said === 'number' && Number.isInteger(said) ? said : response.status >= 500 ? FAILED : DENIED;
  const { status: _status, title, ...rest } = response.body;
  const message: JsonValue = typeof text === 'string' ? text : first?.public === true ? first.title : (title ?? 'Refused');
  const data: JsonObject = isJsonObject(more) ? { ...rest, ...more } : rest;
  const body: JsonObject = { jsonrpc: '2.0', ...(id === undefined ? {} : { id }), error: { code, message, data } };
  return { ...response, headers: { ...response.headers, 'content-type': 'application/json' }, body };
}
