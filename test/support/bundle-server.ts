import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { onTestFinished } from 'vitest';

export type BundleServerOptions = {
  /** Lets requests wait, and says so by its content type. */
  readonly waits?: boolean;
  readonly etags?: boolean;
  readonly token?: string;
  /** Serves TLS, and asks for a certificate of `ca` where that is there. PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
};

export type BundleServer = {
  readonly url: string;
  /** The headers of every question. */
  readonly asked: readonly IncomingMessage['headers'][];
  /** Another bundle; waiting requests are answered with it. */
  publish(bundle: Uint8Array): void;
  /** Answers differently from now on, or as it should where null. */
  answer(handler: ((request: IncomingMessage, response: ServerResponse) => void) | null): void;
};

/** A server of one bundle in OPA's protocol on loopback, until the test ends. */
export async function serveBundle(bundle: Uint8Array, options: BundleServerOptions = {}): Promise<BundleServer> {
  const { waits = false, etags = true, token, tls } = options;
  const asked: IncomingMessage['headers'][] = [];
  const waiting = new Set<() => void>();
  let current = bundle;
  let handler: ((request: IncomingMessage, response: ServerResponse) => void) | null = null;
  const etag = (): string => `"${createHash('sha256').update(current).digest('hex').slice(0, 16)}"`;

  const give = (response: ServerResponse): void => {
    const type = waits ? 'application/vnd.openpolicyagent.bundles' : 'application/gzip';
    response.writeHead(200, { 'content-type': type, ...(etags ? { etag: etag() } : {}) }).end(current);
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(request.headers);
    if (handler !== null) {
      handler(request, response);
      return;
    }
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
      return;
    }
    if (!etags || request.headers['if-none-match'] !== etag()) {
      give(response);
      return;
    }
    const wait = /wait=(\d+)/.exec(String(request.headers['prefer']))?.[1];
    const unchanged = (): void => {
      response.writeHead(304, waits ? { 'content-type': 'application/vnd.openpolicyagent.bundles' } : {}).end();
    };
    if (!waits || wait === undefined) {
      unchanged();
      return;
    }
    const timer = setTimeout(unchanged, Number(wait) * 1000);
    const wake = (): void => {
      clearTimeout(timer);
      waiting.delete(wake);
      give(response);
    };
    waiting.add(wake);
    response.on('close', () => {
      clearTimeout(timer);
      waiting.delete(wake);
    });
  };

  const secure = { requestCert: tls?.ca !== undefined, rejectUnauthorized: tls?.ca !== undefined, ...tls };
  const server = tls === undefined ? createServer(listener) : createTlsServer(secure, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : '';
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/bundles/policy.tar.gz`,
    asked,
    publish(next) {
      current = next;
      for (const wake of [...waiting]) wake();
    },
    answer(next) {
      handler = next;
    },
  };
}
