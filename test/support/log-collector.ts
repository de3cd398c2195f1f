import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';

/** What a collector does with a batch: a status, or nothing at all. */
export type CollectorAnswer = (
  events: readonly JsonObject[],
  call: number,
) => number | 'hang' | { readonly status: number; readonly afterMs: number };

export type Collector = {
  readonly url: string;
  /** The events that it took, in order. */
  readonly taken: JsonObject[];
  /** The headers of each batch. */
  readonly asked: IncomingMessage['headers'][];
  readonly batches: readonly JsonObject[][];
  answer(how: CollectorAnswer): void;
};

/** A collector in the protocol of OPA's decision log on loopback, until the test ends: `POST /logs`, gzip, a JSON array. */
export async function startCollector(tls?: { readonly cert: string; readonly key: string; readonly ca?: string }): Promise<Collector> {
  const taken: JsonObject[] = [];
  const asked: IncomingMessage['headers'][] = [];
  const batches: JsonObject[][] = [];
  let how: CollectorAnswer = () => 200;
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) if (chunk instanceof Buffer) chunks.push(chunk);
    const events: JsonObject[] = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString());
    asked.push(request.headers);
    batches.push(events);
    if (request.method !== 'POST' || request.url !== '/logs') {
      response.writeHead(404).end();
      return;
    }
    const answer = how(events, batches.length);
    if (answer === 'hang') return;
    const { status, afterMs } = typeof answer === 'number' ? { status: answer, afterMs: 0 } : answer;
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    if (status === 200) taken.push(...events);
    response.writeHead(status).end();
  };
  // a client that goes away in the middle is one of the cases
  const handle = (request: IncomingMessage, response: ServerResponse): void =>
    void listener(request, response).catch(() => response.destroy());
  const server =
    tls === undefined
      ? createServer(handle)
      : createTlsServer({ ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: true }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/logs`,
    taken,
    asked,
    batches,
    answer: (next) => {
      how = next;
    },
  };
}
