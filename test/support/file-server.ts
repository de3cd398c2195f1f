import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';

/** What lies at a path: bytes, or a status with headers. */
export type Served = Buffer | string | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/** A server of files on loopback, until the test ends; what was asked for is in `asked`. A path may be set later. */
export async function serveFiles(files: Record<string, Served>): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const served = files[path];
    if (served === undefined) response.writeHead(404).end();
    else if (typeof served === 'string' || Buffer.isBuffer(served)) response.end(served);
    else response.writeHead(served.status, served.headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, asked };
}
