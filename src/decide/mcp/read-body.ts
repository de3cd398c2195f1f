import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { McpCode, McpList, McpMessage, McpPlan } from '../../contract/mcp.ts';
import type { HttpFacts, RequestBody } from '../../contract/request.ts';
import { headersDisagree } from './agree.ts';

const EMPTY: JsonObject = {};

/** Longer ones are nobody's, and would be in every line of the log. */
const METHOD_CHARS_MAX = 128;
const NAME_CHARS_MAX = 2048;
/** Members that are read, by where they stand. */
const TOP = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
const PARAMS = ['name', 'uri', 'arguments', 'ref', '_meta'];

/** Methods with a target: the list that it has to be in, and the member that names it. */
const TARGETS: ReadonlyMap<string, { readonly list: McpList; readonly member: 'name' | 'uri' }> = new Map([
  ['tools/call', { list: 'tools', member: 'name' }],
  ['prompts/get', { list: 'prompts', member: 'name' }],
  ['resources/read', { list: 'resources', member: 'uri' }],
  ['resources/subscribe', { list: 'resources', member: 'uri' }],
  ['resources/unsubscribe', { list: 'resources', member: 'uri' }],
]);

/** A message of which nothing is known yet. */
export function unread(plan: McpPlan, source: McpMessage['source']): McpMessage {
  return {
    server: plan.server,
    source,
    code: null,
    kind: null,
    id: undefined,
    version: null,
    method: null,
    list: null,
    name: null,
    target: null,
    arguments: EMPTY,
    subject: null,
    agent: null,
  };
}

/** Reads the one JSON-RPC message of a POST, and holds its headers against it. Total: a refusal is the message's `code`. */
export function readBody(http: HttpFacts, plan: McpPlan): McpMessage {
  const nothing = unread(plan, 'body');
  if (http.method !== 'POST') return { ...nothing, code: 'not_post' };
  const { json } = http.body;
  const missing = bodyCode(http.body);
  if (missing !== null) return { ...nothing, code: missing };
  if (Array.isArray(json)) return { ...nothing, code: 'batch' };
  if (!isJsonObject(json)) return { ...nothing, code: 'message_invalid' };
  const id = idOf(json);
  const refuse = (code: McpCode, more: Partial<McpMessage> = {}): McpMessage => ({ ...nothing, id, ...more, code });
  if (isAmbiguous(json, TOP)) return refuse('message_ambiguous');
  const { jsonrpc, method, params = EMPTY } = json;
  const answers = Object.hasOwn(json, 'result') || Object.hasOwn(json, 'error');
  if (jsonrpc !== '2.0' || !isName(method, METHOD_CHARS_MAX) || answers) return refuse('message_invalid');
  if (Object.hasOwn(json, 'id') && id === undefined) return refuse('message_invalid');
  const kind = id === undefined ? 'notification' : 'request';
  if (!isJsonObject(params)) return refuse('params_invalid', { kind, method });
  if (isAmbiguous(params, PARAMS)) return refuse('message_ambiguous', { kind, method });
  const target = targetOf(method, params, plan);
  if (target === null) return refuse('params_invalid', { kind, method });
  const read: McpMessage = { ...nothing, id, kind, method, ...target };
  const { code, version } = headersDisagree(http.headers, { method, kind, params, target }, plan);
  return { ...read, code, version };
}

function bodyCode({ status, reason }: RequestBody): McpCode | null {
  switch (status) {
    case 'parsed':
      return null;
    case 'absent':
      return 'body_absent';
    case 'truncated':
      return 'body_truncated';
    case 'unparsed':
      if (reason === null) return 'body_absent';
      return reason === 'too_large' ? 'body_too_large' : reason === 'invalid_json' ? 'body_invalid' : 'body_type';
  }
}

function isName(value: JsonValue | undefined, charsMax: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= charsMax;
}

/** A text or a whole number (MCP, Messages); what JSON cannot hold exactly could not be sent back as it came. */
function idOf({ id }: JsonObject): string | number | undefined {
  return typeof id === 'string' || (typeof id === 'number' && Number.isSafeInteger(id)) ? id : undefined;
}

/** Whether a name is one of those that are read in another spelling: parsers that fold case would take it for that one, and the last one counts. */
function isAmbiguous(object: JsonObject, known: readonly string[]): boolean {
  for (const name of Object.keys(object)) {
    if (known.includes(name)) continue;
    if (known.includes(name.normalize('NFKC').toLowerCase())) return true;
  }
  return false;
}

/** What a message is about. */
export type McpTarget = Pick<McpMessage, 'list' | 'name' | 'target' | 'arguments'>;

const NO_TARGET: McpTarget = { list: null, name: null, target: null, arguments: EMPTY };

/** Null where the parameters are not those of the method. */
function targetOf(method: string, params: JsonObject, plan: McpPlan): McpTarget | null {
  if (method === 'completion/complete') return referred(params['ref']);
  const target = TARGETS.get(method);
  if (target === undefined) return NO_TARGET;
  const name = params[target.member];
  const given = params['arguments'] ?? EMPTY;
  if (!isName(name, NAME_CHARS_MAX) || !isJsonObject(given)) return null;
  return { list: target.list, name, target: ownName(plan, target.list, name), arguments: given };
}

/** A tool by its own name, whatever the clients call it. */
export function ownName(plan: McpPlan, list: McpList, name: string): string {
  return list === 'tools' ? (plan.aliases.get(name) ?? name) : name;
}

function referred(ref: JsonValue | undefined): McpTarget | null {
  if (!isJsonObject(ref)) return null;
  const { type, name, uri } = ref;
  if (type === 'ref/prompt' && isName(name, NAME_CHARS_MAX)) return { list: 'prompts', name, target: name, arguments: EMPTY };
  if (type === 'ref/resource' && isName(uri, NAME_CHARS_MAX)) return { list: 'resources', name: uri, target: uri, arguments: EMPTY };
  return null;
}
