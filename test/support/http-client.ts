import { type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';

export type Sent = {
  readonly method?: string;
  readonly path: string;
  /** Name, value, name, value, … in this order and spelling; duplicates stay apart. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  /** Client certificate, for HTTPS; the server's is checked against `ca`. */
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string; readonly ciphers?: string };
};

export type Received = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
};

/** One HTTP/1.1 request to 127.0.0.1 with exactly these bytes as target and headers; fetch would normalise both. */
export function send(port: number, sent: Sent): Promise<Received> {
  const body = typeof sent.body === 'string' ? Buffer.from(sent.body) : sent.body;
  const headers = [...(sent.headers ?? [])];
  if (!headers.some((text, index) => index % 2 === 0 && text.toLowerCase() === 'host')) headers.unshift('host', `127.0.0.1:${port}`);
  if (body !== undefined) headers.push('content-length', `${body.length}`);
  const options = { host: '127.0.0.1', port, path: sent.path, method: sent.method ?? 'GET', headers, agent: false, setHost: false };
  return new Promise((resolve, reject) => {
    const request =
      sent.tls === undefined
        ? plain(options, receive)
        : secure({ ...options, ca: sent.tls.ca, servername: 'localhost', ...certificateOf(sent.tls) }, receive);
    function receive(response: IncomingMessage): void {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    }
    request.on('error', reject);
    request.end(body);
  });
}

function certificateOf(tls: NonNullable<Sent['tls']>): { cert?: string; key?: string; ciphers?: string } {
  const ciphers = tls.ciphers === undefined ? {} : { ciphers: tls.ciphers };
  return tls.cert === undefined || tls.key === undefined ? ciphers : { ...ciphers, cert: tls.cert, key: tls.key };
}
