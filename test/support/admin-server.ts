import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** What came, by the names that the admin API knows. */
export type AdminAsked = {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly contentType: string;
  readonly body: Buffer;
};

export type AdminReply = { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: string };

/** An admin API that answers as the test says, or hangs where it says nothing. */
export async function startAdminServer(reply: (asked: AdminAsked) => AdminReply | null) {
  const asked: AdminAsked[] = [];
  const readAll = async (request: IncomingMessage): Promise<AdminAsked> => ({
    method: request.method ?? '',
    path: request.url ?? '',
    authorization: request.headers.authorization ?? '',
    contentType: request.headers['content-type'] ?? '',
    body: await buffer(request),
  });
  const server = createServer((request, response) => {
    void readAll(request).then((one) => {
      asked.push(one);
      const said = reply(one);
      if (said !== null) response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers }).end(said.body);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${isAddress(address) ? address.port : 0}`,
    asked,
    stop: () =>
      new Promise<void>((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null;
}
