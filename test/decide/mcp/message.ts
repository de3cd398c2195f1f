import type { JsonValue } from '../../../src/contract/json.ts';
import type { McpMessage, McpPlan } from '../../../src/contract/mcp.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import { createMcpPlans } from '../../../src/decide/mcp/plans.ts';
import { readMessage } from '../../../src/decide/mcp/read-message.ts';
import { SMOKE_FACTS } from '../../../src/decide/smoke.ts';
import { receiveHttpFacts } from '../../../src/endpoints/request-facts.ts';

export const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} };

/** Two revisions, so that both kinds of headers can be tried. */
export const LIMITS = {
  mcp: {
    versions: ['2026-07-28'],
    methods: ['tools/list', 'tools/call', 'prompts/get', 'resources/read', 'ping'],
    servers: {
      tickets: {
        aliases: { tickets_search: 'search' },
        tools: { search: {}, comment: { scopes: ['tickets:write'], params: { Queue: ['queue'], Urgent: ['flags', 'urgent'] } } },
      },
      both: { versions: ['2026-07-28', '2025-11-25', '2025-03-26'], methods: ['initialize', 'tools/list', 'tools/call'] },
    },
  },
};

export function planOf(server = 'tickets'): McpPlan {
  const plan = createMcpPlans(LIMITS)(server);
  if (plan === undefined) throw new Error(`no server ${server}`);
  return plan;
}

export type Sent = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** JSON, or the text itself. */
  readonly body?: JsonValue;
  readonly text?: string | null;
  readonly truncated?: boolean;
  readonly contentType?: string | null;
};

/** The question that the border makes of what a client sent. */
export function requestOf({
  method = 'POST',
  headers = {},
  body,
  text,
  truncated = false,
  contentType = 'application/json',
}: Sent): DecisionRequest {
  const raw = text === undefined ? JSON.stringify(body) : text;
  const lines: [string, string][] = contentType === null ? [] : [['content-type', contentType]];
  for (const [name, value] of Object.entries(headers)) for (const one of [value].flat()) lines.push([name, one]);
  const { http, flags } = receiveHttpFacts(
    {
      method,
      scheme: 'https',
      authority: 'api.example',
      target: '/mcp',
      headers: lines,
      body: { bytes: raw === null ? null : Buffer.from(raw), truncated, size: null },
    },
    SMOKE_FACTS.request.pep,
  );
  return { ...SMOKE_FACTS.request, http, flags };
}

export function read(sent: Sent, plan: McpPlan = planOf()): McpMessage {
  const message = readMessage(requestOf(sent), { ...SMOKE_FACTS.route, mcp: plan });
  if (message === null) throw new Error('nothing was read');
  return message;
}

export type Honest = Required<Pick<Sent, 'headers' | 'body'>>;

/** A call as an honest client sends it. */
export function call(name: string, args: JsonValue = {}, headers: Sent['headers'] = {}): Honest {
  return {
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name, ...headers },
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: META } },
  };
}

/** The same of a method without a target. */
export function list(method = 'tools/list', headers: Sent['headers'] = {}): Honest {
  return {
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...headers },
    body: { jsonrpc: '2.0', id: 'a', method, params: { _meta: META } },
  };
}
