import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createGuardedFetch, type GuardedFetchOptions } from '../../src/stores/guarded-fetch.ts';
import type { ResolveHost } from '../../src/stores/resolve-host.ts';
import { createAuthority } from '../support/certificates.ts';

const TYPE = 'application/json';
const authority = createAuthority();
const certificate = authority.server({ dns: ['localhost', 'bot.example'], ips: ['127.0.0.1'] });
const open: Server[] = [];

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return port;
}

const https = (listener: RequestListener): Promise<number> =>
  listen(createHttpsServer({ key: certificate.keyPem, cert: certificate.pem }, listener));

function closeAll(): void {
  for (const server of open.splice(0)) {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function') server.closeAllConnections();
    server.close();
  }
}
afterEach(closeAll);
afterAll(closeAll);

const nobody: ResolveHost = () => Promise.reject(new Error('no name server is asked'));
function fetchFrom(options: Partial<GuardedFetchOptions> = {}, resolveHost: ResolveHost = nobody) {
  const guarded = createGuardedFetch(
    { timeoutMs: 300, bytesMax: 1000, ports: [443], allowLoopback: true, ca: authority.pem, ...options },
    resolveHost,
  );
  return async (url: string): Promise<string> => {
    const answer = await guarded(url, [TYPE]);
    return answer.ok ? answer.bytes.toString() : answer.failure;
  };
}

const json =
  (text: string): RequestListener =>
  (_request, response) =>
    void response.setHeader('content-type', TYPE).end(text);

describe('a document', () => {
  test('comes over TLS, asked for without a credential', async () => {
    let seen: Record<string, unknown> = {};
    const port = await https((request, response) => {
      seen = { ...request.headers, url: request.url, method: request.method };
      response.setHeader('content-type', `${TYPE}; charset=utf-8`).end('{}');
    });
    expect(await fetchFrom()(`https://localhost:${port}/keys?x=1`)).toBe('{}');
    expect(seen).toEqual({
      url: '/keys?x=1',
      method: 'GET',
      host: `localhost:${port}`,
      accept: TYPE,
      'accept-encoding': 'identity',
      'user-agent': 'countersign',
      connection: 'close',
    });
  });

  test.each([
    ['for a protocol that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n', 'status'],
    ['without saying for what', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'status'],
    ['after hints without end', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n', 'timeout'],
  ])('is given up where the server leaves HTTP %s', async (_, head, failure) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(head));
    });
    const port = await listen(server);
    expect(await fetchFrom()(`http://127.0.0.1:${port}/`)).toBe(failure);
  });

  test('comes by plain http from this machine only, where that is allowed', async () => {
    const port = await listen(createHttpServer(json('{}')));
    expect(await fetchFrom()(`http://127.0.0.1:${port}/`)).toBe('{}');
    expect(await fetchFrom({ allowLoopback: false })(`http://127.0.0.1:${port}/`)).toBe('url_not_allowed');
    expect(await fetchFrom({ allowLoopback: false, ports: [port] })(`https://localhost:${port}/`)).toBe('url_not_allowed');
    expect(await fetchFrom()('http://example.com/')).toBe('url_not_allowed');
  });

  test('comes not from a server whose certificate nobody vouches for, or that has another name', async () => {
    const port = await https(json('{}'));
    const other = createAuthority('Other CA').pem;
    expect(await fetchFrom({ ca: other })(`https://localhost:${port}/`)).toBe('connection');
    const named = authority.server({ dns: ['other.example'], ips: [] });
    const wrong = await listen(createHttpsServer({ key: named.keyPem, cert: named.pem }, json('{}')));
    expect(await fetchFrom()(`https://localhost:${wrong}/`)).toBe('connection');
  });
});

describe('a server', () => {
  test.each<[string, RequestListener, string]>([
    ['that redirects', (_, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(), 'redirect'],
    ['without the document', (_, response) => void response.writeHead(404).end(), 'status'],
    ['with another success', (_, response) => void response.writeHead(204).end(), 'status'],
    ['that is not well', (_, response) => void response.writeHead(503).end(), 'status_retry'],
    ['that has enough', (_, response) => void response.writeHead(429).end(), 'status_retry'],
    ['with another type', (_, response) => void response.setHeader('content-type', 'text/html').end('{}'), 'content_type'],
    ['without a type', (_, response) => void response.end('{}'), 'content_type'],
    [
      'with a compressed body',
      (_, response) => void response.writeHead(200, { 'content-type': TYPE, 'content-encoding': 'gzip' }).end('x'),
      'content_encoding',
    ],
    [
      'that announces too much',
      (_, response) => void response.writeHead(200, { 'content-type': TYPE, 'content-length': '1001' }).end(),
      'too_large',
    ],
    ['that sends too much', (_, response) => void response.setHeader('content-type', TYPE).end('x'.repeat(1001)), 'too_large'],
    ['that says nothing', () => undefined, 'timeout'],
    ['that begins and does not end', (_, response) => void response.setHeader('content-type', TYPE).write('{'), 'timeout'],
    [
      'that breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-type': TYPE, 'content-length': '9' }).write('{');
        setTimeout(() => response.destroy(), 10);
      },
      'connection',
    ],
    [
      'with headers without end',
      (_, response) => {
        for (let index = 0; index < 200; index++) response.setHeader(`x-${index}`, 'a'.repeat(100));
        response.setHeader('content-type', TYPE).end('{}');
      },
      'connection',
    ],
  ])('%s', async (_, listener, failure) => {
    const port = await https(listener);
    expect(await fetchFrom()(`https://localhost:${port}/`)).toBe(failure);
  });

  test('that drips a body for ever is cut off by the one time for all', async () => {
    const timers: NodeJS.Timeout[] = [];
    const port = await https((_, response) => {
      response.setHeader('content-type', TYPE);
      timers.push(setInterval(() => response.write(' '), 20));
    });
    expect(await fetchFrom({ bytesMax: 1_000_000 })(`https://localhost:${port}/`)).toBe('timeout');
    for (const timer of timers) clearInterval(timer);
  });

  test('that does not speak TLS, and none at all', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('hello')));
    expect(await fetchFrom()(`https://localhost:${port}/`)).toBe('connection');
    closeAll();
    expect(await fetchFrom()(`https://localhost:${port}/`)).toBe('connection');
  });
});

describe('an address', () => {
  test.each([
    'https://10.0.0.1/',
    'https://8.8.8.8/',
    'https://[2001:4860:4860::8888]/',
    'https://0x0a000001/',
    'https://user:secret@bot.example/',
    'https://bot.example:22/',
    'https://bot/',
    'ftp://bot.example/',
    'file:///etc/passwd',
    'bot.example',
    '',
  ])('%s is not asked', async (url) => {
    expect(await fetchFrom({ allowLoopback: false }, () => Promise.resolve(['8.8.8.8']))(url)).toBe('url_not_allowed');
  });

  test.each([
    ['a private address', ['10.0.0.1']],
    ['this machine', ['127.0.0.1']],
    ['this machine, of IPv6', ['::1']],
    ['the metadata of a cloud', ['169.254.169.254']],
    ['a private address mapped into IPv6', ['::ffff:10.0.0.1']],
    ['one private address among public ones', ['8.8.8.8', '192.168.0.1']],
    ['more addresses than a name needs', Array.from({ length: 17 }, (_, index) => `8.8.8.${index}`)],
  ])('%s is not connected to', async (_, addresses) => {
    expect(await fetchFrom({}, () => Promise.resolve(addresses))('https://bot.example/')).toBe('address_not_allowed');
  });

  test('a name without addresses, and a name server that does not answer', async () => {
    expect(await fetchFrom({}, () => Promise.resolve(null))('https://bot.example/')).toBe('name_unknown');
    expect(await fetchFrom()('https://bot.example/')).toBe('resolution');
    const hanging: ResolveHost = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))));
    expect(await fetchFrom({ timeoutMs: 30 }, hanging)('https://bot.example/')).toBe('timeout');
  });

  test('a name is asked about once, and the connection goes where that answer says', async () => {
    let asked = 0;
    // 192.0.0.0/24 and so on are refused; an address of a host that does not answer shows that no second look-up is made
    const rebinding: ResolveHost = () => {
      asked++;
      return Promise.resolve(asked === 1 ? ['1.1.1.1'] : ['127.0.0.1']);
    };
    const failure = await fetchFrom({ timeoutMs: 50 }, rebinding)('https://bot.example/');
    expect(['timeout', 'connection']).toContain(failure);
    expect(asked).toBe(1);
  });
});
