import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { formPost } from '../../src/stores/form-post.ts';

const servers: Server[] = [];
const OPTIONS = { timeoutMs: 2000, bytesMax: 1000, allowInsecureHttp: false, signal: new AbortController().signal };
const FORM = { headers: { authorization: 'Basic canary', 'content-type': 'application/x-www-form-urlencoded' }, body: 'token=canary' };

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}/canary`;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const thrown: unknown = await promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
  if (!(thrown instanceof CountersignError)) throw new Error(`not one of ours: ${String(thrown)}`);
  expect(thrown.message).not.toContain('canary');
  return `${thrown.code} ${/\((.*)\)/.exec(thrown.message)?.[1] ?? ''}`.trim();
}

test('posts the form with its headers and gives what came back, whatever its status', async () => {
  for (const status of [200, 400, 401, 500]) {
    const url = await listen((request, response) => {
      expect([request.method, request.headers.authorization]).toEqual(['POST', 'Basic canary']);
      request.setEncoding('utf8').once('data', (body) => {
        expect(body).toBe('token=canary');
        response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
      });
    });
    const { bytes, ...rest } = await formPost(url, FORM, OPTIONS);
    expect({ ...rest, text: bytes.toString() }).toEqual({ status, contentType: 'application/json', text: '{}' });
  }
});

test('follows no redirect, which would hand the credential on', async () => {
  const asked: unknown[] = [];
  const url = await listen((request, response) => {
    asked.push(request.url);
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect((await formPost(url, FORM, OPTIONS)).status).toBe(307);
  expect(asked).toEqual(['/canary']);
});

test.each(['http://as.example/canary', 'ftp://127.0.0.1/canary', 'https://u:p@as.example/canary', 'canary'])('asks no %s', async (url) => {
  expect(await failure(formPost(url, FORM, OPTIONS))).toMatch(/^fetch_failed /);
});

test('fails where the answer is too long, does not come, breaks off, or nobody wants it any more', async () => {
  const long = await listen((_request, response) => void response.end('x'.repeat(1001)));
  expect(await failure(formPost(long, FORM, OPTIONS))).toBe('fetch_too_large');
  const silent = await listen(() => undefined);
  expect(await failure(formPost(silent, FORM, { ...OPTIONS, timeoutMs: 50 }))).toBe('fetch_failed timeout');
  const broken = await listen((request) => void request.socket.destroy());
  expect(await failure(formPost(broken, FORM, OPTIONS))).toBe('fetch_failed connection');
  const stopped = formPost(silent, FORM, { ...OPTIONS, signal: AbortSignal.timeout(20) });
  expect(await failure(stopped)).toBe('fetch_failed connection');
});
