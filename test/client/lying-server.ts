import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What stands in for Countersign and does what it is told to. */
export type LyingServer = {
  readonly url: string;
  readonly calls: { readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string }[];
  /** Connections that were made. */
  readonly sockets: Socket[];
  stop(): Promise<void>;
};

export const ALLOW = {
  decision_id: 'd1',
  decision: 'allow',
  reasons: [{ code: 'access.granted', effect: 'allow', title: 'Granted' }],
  assurance: { level: 2, required: 1 },
  risk: { score: 5, factors: [] },
  obligations: [],
  upstream: { headers_to_set: { 'x-countersign-subject': 'agent-a' }, headers_to_remove: ['x_countersign_subject'] },
  policy: { name: 'default', revision: 'r' },
};
export const DENY = {
  ...ALLOW,
  decision: 'deny',
  reasons: [{ code: 'access.scope_missing', effect: 'deny', title: 'No', details: { scope: 'a' } }],
  upstream: { headers_to_set: {}, headers_to_remove: [] },
  response: { status: 403, headers: { 'content-type': 'application/problem+json' }, body: { type: 'about:blank', status: 403 } },
};

export type Behaviour = (response: ServerResponse, request: IncomingMessage, call: number) => void;

/** Answers JSON. */
export const says =
  (body: unknown, status = 200, headers: Record<string, string> = { 'content-type': 'application/json' }): Behaviour =>
  (response) => {
    response.writeHead(status, headers);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

export async function startLyingServer(behaviour: Behaviour): Promise<LyingServer> {
  const calls: LyingServer['calls'] = [];
  const sockets: Socket[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      calls.push({ url: request.url ?? '', headers: request.headers, body });
      behaviour(response, request, calls.length);
    });
  });
  server.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    sockets,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
