import { createServer, type ServerResponse } from 'node:http';

/** One question as it came. */
export type Question = {
  readonly token: string;
  readonly form: URLSearchParams;
  readonly authorization: string | null;
  readonly accept: string | null;
};

/** What to answer: members of a JSON answer, or whatever is written by hand; nothing at all leaves the client waiting. */
export type Answer = Readonly<Record<string, unknown>> | ((response: ServerResponse) => void);

/** An authorization server that says what a test wants, lies and hangs included, and can wait before it speaks. */
export interface IntrospectionServer {
  readonly url: string;
  readonly asked: Question[];
  answer: (question: Question) => Answer;
  /** Answers wait for this. */
  gate: Promise<void>;
  stop(): Promise<void>;
}

export const hang = (): void => undefined;

/** On loopback; a token is inactive unless `answer` says otherwise. */
export async function startIntrospectionServer(): Promise<IntrospectionServer> {
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const { authorization = null, accept = null } = request.headers;
    const question = { token: form.get('token') ?? '', form, authorization, accept };
    server.asked.push(question);
    await server.gate;
    const answer = server.answer(question);
    if (typeof answer === 'function') answer(response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const server: IntrospectionServer = {
    url: `http://127.0.0.1:${address.port}/introspect`,
    asked: [],
    answer: () => ({ active: false }),
    gate: Promise.resolve(),
    stop: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return server;
}
