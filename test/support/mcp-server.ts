import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type McpTool = { readonly name: string; readonly inputSchema: object };
/** What a server keeps of its tools for one request. */
export type FilterTools = (tools: readonly McpTool[], headers: IncomingMessage['headers']) => Promise<readonly McpTool[]>;

/** What reached the server. */
export type McpCall = {
  readonly method: string;
  readonly name: string | null;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
};

export interface McpServer {
  readonly port: number;
  readonly calls: McpCall[];
  stop(): Promise<void>;
}

/** An MCP server on loopback that believes whatever body it gets: what it is not asked was kept from it. It answers by an event stream who asks for one only. */
export async function startMcpServer(tools: readonly McpTool[], filter: () => FilterTools): Promise<McpServer> {
  const calls: McpCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = parse(Buffer.concat(chunks).toString('utf8'));
      calls.push({ method: message.method, name: message.name, headers: request.headers, rawHeaders: request.rawHeaders });
      resultOf(message, request, tools, filter())
        .then((result) => answer(request, response, { jsonrpc: '2.0', id: message.id, result }))
        .catch(() => answer(request, response, { jsonrpc: '2.0', id: message.id, error: { code: -32603, message: 'Internal error' } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    calls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Message = { readonly id: unknown; readonly method: string; readonly name: string | null };

function parse(text: string): Message {
  const { id, method, params } = Object(JSON.parse(text === '' ? '{}' : text));
  const name: unknown = Object(params).name;
  return { id, method: String(method), name: typeof name === 'string' ? name : null };
}

async function resultOf(
  { method, name }: Message,
  { headers }: IncomingMessage,
  tools: readonly McpTool[],
  filter: FilterTools,
): Promise<object> {
  if (method === 'initialize')
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tickets', version: '1' } };
  if (method === 'server/discover') return { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };
  if (method === 'tools/list') return { resultType: 'complete', tools: await filter(tools, headers), ttlMs: 0, cacheScope: 'private' };
  return { resultType: 'complete', content: [{ type: 'text', text: `called ${name}` }] };
}

function answer({ headers }: IncomingMessage, response: ServerResponse, message: object): void {
  const stream = headers.accept === 'text/event-stream';
  response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
  response.end(stream ? `event: message\ndata: ${JSON.stringify(message)}\n\n` : JSON.stringify(message));
}
