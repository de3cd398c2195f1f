import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

/** One question as it came. */
export type AttributeQuestion = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** JSON to answer with, or whatever is written by hand; nothing at all leaves the client waiting. */
export type AttributeAnswer = Readonly<Record<string, unknown>> | ((response: ServerResponse) => void);

/** A service with attributes that says what a test wants, lies and hangs included, and can wait before it speaks. */
export interface AttributeServer {
  readonly origin: string;
  readonly port: number;
  readonly asked: AttributeQuestion[];
  /** Connections since the start. */
  connections: number;
  answer: (question: AttributeQuestion) => AttributeAnswer;
  /** Answers wait for this. */
  gate: Promise<void>;
  stop(): Promise<void>;
}

/** Says nothing for ever. */
export const hang = (): void => undefined;

/** An answer of this status, with a type and a text. */
export const status =
  (code: number, text = '{}', headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(text);

/** On loopback, by TLS where a certificate is given. */
export async function startAttributeServer(tls: { readonly key: string; readonly cert: string } | null = null): Promise<AttributeServer> {
  const listener: Parameters<typeof createServer>[1] = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const question = { method, url, headers, body: Buffer.concat(chunks).toString() };
    server.asked.push(question);
    await server.gate;
    const answer = server.answer(question);
    if (typeof answer === 'function') answer(response);
    else status(200, JSON.stringify(answer))(response);
  };
  const http = tls === null ? createServer(listener) : createSecureServer(tls, listener);
  http.on(tls === null ? 'connection' : 'secureConnection', () => {
    server.connections++;
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const server: AttributeServer = {
    origin: `${tls === null ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    port: address.port,
    asked: [],
    connections: 0,
    answer: () => ({ data: { tier: 'gold' } }),
    gate: Promise.resolve(),
    stop: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}
