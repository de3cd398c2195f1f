import { createServer, type RequestListener, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { CountersignError } from '../../src/contract/errors.ts';
import { httpFetch, httpFetchChanged, isLoopbackHost } from '../../src/stores/http-fetch.ts';

const servers: Server[] = [];
const LIMITS = { timeoutMs: 2000, bytesMax: 1000 };

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
  return `http://127.0.0.1:${address.port}/keys?tenant=canary`;
}

/** The failure as `code detail`; it never holds a part of the address. */
async function failure(promise: Promise<unknown>): Promise<string> {
  const thrown: unknown = await promise.then(
    () => 'no failure',
    (reason: unknown) => reason,
  );
  if (!(thrown instanceof CountersignError)) throw new Error(`not one of ours: ${String(thrown)}`);
  expect(thrown.message).not.toContain('canary');
  return `${thrown.code} ${/\((.*)\)/.exec(thrown.message)?.[1] ?? ''}`.trim();
}

test('gives the body and notes its type', async () => {
  const url = await listen((request, response) => {
    expect(request.headers.authorization).toBeUndefined();
    response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end('{"keys":[]}');
  });
  const { bytes, contentType } = await httpFetch(url, LIMITS);
  expect([bytes.toString(), contentType]).toEqual(['{"keys":[]}', 'application/jwk-set+json']);
});

describe('fails with fetch_failed', () => {
  test.each([204, 301, 302, 304, 307, 401, 404, 500, 503])('status %i, and no redirect is followed', async (status) => {
    let asked = 0;
    const url = await listen((_, response) => {
      asked++;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    expect(await failure(httpFetch(url, LIMITS))).toBe(`fetch_failed status ${status}`);
    expect(asked).toBe(1);
  });

  test('a server that accepts and says nothing', async () => {
    const url = await listen(() => undefined);
    expect(await failure(httpFetch(url, { ...LIMITS, timeoutMs: 100 }))).toBe('fetch_failed timeout');
  });

  test('a body that never ends within the bound', async () => {
    const url = await listen((_, response) => {
      response.write('{');
    });
    expect(await failure(httpFetch(url, { ...LIMITS, timeoutMs: 100 }))).toBe('fetch_failed timeout');
  });

  test('nobody there', async () => {
    const url = await listen(() => undefined);
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    expect(await failure(httpFetch(url, LIMITS))).toBe('fetch_failed connection');
  });

  test('the caller ends it', async () => {
    const url = await listen(() => undefined);
    const ending = new AbortController();
    const fetched = failure(httpFetch(url, { ...LIMITS, signal: ending.signal }));
    ending.abort();
    expect(await fetched).toBe('fetch_failed connection');
  });

  test.each([
    ['http://keys.example/canary', 'neither https nor loopback'],
    ['http://127.0.0.1.evil.example/canary', 'neither https nor loopback'],
    ['http://localhost.evil.example/canary', 'neither https nor loopback'],
    ['file:///etc/canary', 'neither https nor loopback'],
    ['data:application/json,canary', 'neither https nor loopback'],
    ['https://canary:secret@keys.example/', 'credentials in the URL'],
    ['not a URL canary', 'not a URL'],
  ])('%s', async (url, detail) => {
    expect(await failure(httpFetch(url, LIMITS))).toBe(`fetch_failed ${detail}`);
  });
});

describe('fails with fetch_too_large', () => {
  test('by the announced length', async () => {
    const url = await listen((_, response) => {
      response.writeHead(200, { 'content-length': 1001 }).end('x'.repeat(1001));
    });
    expect(await failure(httpFetch(url, LIMITS))).toBe('fetch_too_large');
  });

  test('by what arrives, in an endless body', async () => {
    const url = await listen((_, response) => {
      const timer = setInterval(() => response.write('x'.repeat(400)), 1);
      response.on('close', () => clearInterval(timer));
    });
    expect(await failure(httpFetch(url, LIMITS))).toBe('fetch_too_large');
  });

  test('after decoding: a small body that inflates', async () => {
    const url = await listen((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000)));
    });
    expect(await failure(httpFetch(url, LIMITS))).toBe('fetch_too_large');
  });

  test('not at the bound itself', async () => {
    const url = await listen((_, response) => response.end('x'.repeat(1000)));
    expect((await httpFetch(url, LIMITS)).bytes).toHaveLength(1000);
  });
});

describe('asked whether a document is still the current one', () => {
  const NONE = { etag: null, lastModified: null };

  test('gives its validators, then nothing for 304', async () => {
    const seen: unknown[] = [];
    const url = await listen((request, response) => {
      const { 'if-none-match': match, 'if-modified-since': since } = request.headers;
      seen.push([match, since]);
      if (match === undefined) response.writeHead(200, { etag: 'W/"1"', 'last-modified': 'Mon, 21 Sep 2026 13:33:20 GMT' }).end('x');
      else response.writeHead(304).end();
    });
    const first = await httpFetchChanged(url, LIMITS, null);
    expect(first).toMatchObject({ validators: { etag: 'W/"1"', lastModified: 'Mon, 21 Sep 2026 13:33:20 GMT' } });
    expect(await httpFetchChanged(url, LIMITS, first?.validators ?? NONE)).toBeNull();
    expect(seen).toEqual([
      [undefined, undefined],
      ['W/"1"', 'Mon, 21 Sep 2026 13:33:20 GMT'],
    ]);
  });

  test('304 to a question without a condition is a failure, and endless validators are not kept', async () => {
    const url = await listen((_, response) => response.writeHead(304).end());
    expect(await failure(httpFetchChanged(url, LIMITS, null))).toBe('fetch_failed status 304');
    expect(await failure(httpFetchChanged(url, LIMITS, NONE))).toBe('fetch_failed status 304');
    const long = await listen((_, response) => response.writeHead(200, { etag: `"${'x'.repeat(600)}"` }).end('x'));
    expect(await httpFetchChanged(long, LIMITS, null)).toMatchObject({ validators: NONE });
  });

  test('has the bounds of any other', async () => {
    const url = await listen((_, response) => response.end('x'.repeat(1001)));
    expect(await failure(httpFetchChanged(url, LIMITS, null))).toBe('fetch_too_large');
    expect(await failure(httpFetchChanged('http://lists.example/canary', LIMITS, null))).toBe('fetch_failed neither https nor loopback');
  });
});

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['[::1]', true],
  ['127.0.0.1.evil.example', false],
  ['0.0.0.0', false],
  ['[::ffff:7f00:1]', false],
  ['10.0.0.1', false],
])('loopback: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
});
