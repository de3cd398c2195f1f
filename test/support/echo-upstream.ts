import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What reached the upstream, as it came. */
export type Echoed = {
  readonly method: string;
  readonly url: string;
  /** Lower-case names; duplicates joined as node does. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn, exactly as on the wire. */
  readonly rawHeaders: readonly string[];
  readonly bodyBytes: number;
};

export interface EchoUpstream {
  readonly port: number;
  /** Completed requests, oldest first. */
  readonly requests: readonly Echoed[];
  /** Requests whose head arrived, completed or not. */
  readonly begun: number;
  /** Body bytes that arrived, also of requests that never ended. */
  readonly bytes: number;
  clear(): void;
  stop(): Promise<void>;
}

/** An HTTP/1.1 server on loopback that records each request and answers it as JSON. */
export async function startEchoUpstream(): Promise<EchoUpstream> {
  const requests: Echoed[] = [];
  const seen = { begun: 0, bytes: 0 };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request: IncomingMessage, response: ServerResponse) => {
    seen.begun += 1;
    let bodyBytes = 0;
    request.on('data', (chunk: Buffer) => {
      bodyBytes += chunk.length;
      seen.bytes += chunk.length;
    });
    request.on('end', () => {
      const echoed: Echoed = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        bodyBytes,
      };
      requests.push(echoed);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(echoed));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the echo upstream has no port');
  return {
    port: address.port,
    requests,
    get begun() {
      return seen.begun;
    },
    get bytes() {
      return seen.bytes;
    },
    clear() {
      requests.length = 0;
      seen.begun = 0;
      seen.bytes = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
