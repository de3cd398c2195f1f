import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createGuardedExchange,
  type ExchangeAnswer,
  type GuardedExchange,
  type GuardedExchangeOptions,
} from '../../src/stores/guarded-exchange.ts';
import type { ResolveHost } from '../../src/stores/resolve-host.ts';
import { type AttributeServer, hang, startAttributeServer, status } from '../support/attribute-server.ts';
import { createAuthority } from '../support/certificates.ts';

const authority = createAuthority();
const certificate = authority.server({ dns: ['localhost', 'pip.internal'], ips: ['127.0.0.1'] });
const TLS = { key: certificate.keyPem, cert: certificate.pem };
const LOCAL = { host: true, blocks: [] };

const nobody: ResolveHost = () => Promise.reject(new Error('no name server is asked'));
const to =
  (...addresses: readonly string[]): ResolveHost =>
  () =>
    Promise.resolve(addresses);

const made: GuardedExchange[] = [];
function exchange(
  options: Partial<GuardedExchangeOptions> & { readonly origin: string },
  resolveHost: ResolveHost = nobody,
): GuardedExchange {
  const one = createGuardedExchange({ allowPrivate: LOCAL, timeoutMs: 300, bytesMax: 1000, ca: authority.pem, ...options }, resolveHost);
  made.push(one);
  return one;
}
const get = (one: GuardedExchange, target = '/a?b=c'): Promise<ExchangeAnswer> =>
  one.send({ method: 'GET', target, headers: {}, body: null });
const told = (answer: ExchangeAnswer): string => (answer.ok ? answer.bytes.toString() : answer.failure);

let plain: AttributeServer;
let secure: AttributeServer;
beforeEach(async () => {
  plain = await startAttributeServer();
  secure = await startAttributeServer(TLS);
});
afterEach(async () => {
  for (const one of made.splice(0)) one.stop();
  await Promise.all([plain.stop(), secure.stop()]);
});

describe('an exchange', () => {
  test('sends what it was given and nothing else, and keeps its connection', async () => {
    const one = exchange({ origin: `https://localhost:${secure.port}` });
    expect(
      await one.send({ method: 'POST', target: '/x', headers: { 'content-type': 'application/json', authorization: 'a' }, body: '"é"' }),
    ).toEqual({
      ok: true,
      status: 200,
      contentType: 'application/json',
      bytes: Buffer.from('{"data":{"tier":"gold"}}'),
    });
    expect(told(await get(one))).toBe('{"data":{"tier":"gold"}}');
    expect(secure.asked).toEqual([
      {
        method: 'POST',
        url: '/x',
        headers: {
          host: `localhost:${secure.port}`,
          connection: 'keep-alive',
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'countersign',
          'content-type': 'application/json',
          'content-length': '4',
          authorization: 'a',
        },
        body: '"é"',
      },
      expect.objectContaining({ method: 'GET', url: '/a?b=c', body: '' }),
    ]);
    expect(secure.connections).toBe(1);
  });

  test('gives the status as it came', async () => {
    plain.answer = () => status(404, 'no');
    expect(await get(exchange({ origin: plain.origin }))).toMatchObject({ ok: true, status: 404 });
  });

  test.each([
    ['redirect', status(302, '', { location: 'http://127.0.0.1:1/' })],
    ['content_encoding', status(200, '{}', { 'content-encoding': 'gzip' })],
    ['too_large', status(200, 'x'.repeat(1001))],
    ['too_large', status(200, '{}', { 'content-length': '1001' })],
    ['timeout', hang],
    ['connection', (response: ServerResponse): void => void response.destroy()],
  ] as const)('fails with %s', async (failure, answer) => {
    plain.answer = () => answer;
    expect(told(await get(exchange({ origin: plain.origin })))).toBe(failure);
  });

  test('a body that comes without a length, and does not end in time or in size', async () => {
    const drip =
      (text: string) =>
      (response: ServerResponse): void => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(text), 5);
        response.once('close', () => clearInterval(timer));
      };
    plain.answer = () => drip(' ');
    expect(told(await get(exchange({ origin: plain.origin })))).toBe('timeout');
    plain.answer = () => drip(' '.repeat(600));
    expect(told(await get(exchange({ origin: plain.origin, timeoutMs: 5000 })))).toBe('too_large');
  });

  test('the certificate must be of a CA that is named, and for the host', async () => {
    const url = `https://pip.internal:${secure.port}`;
    expect(told(await get(exchange({ origin: url }, to('127.0.0.1'))))).toBe('{"data":{"tier":"gold"}}');
    expect(told(await get(exchange({ origin: url, ca: null }, to('127.0.0.1'))))).toBe('certificate');
    expect(told(await get(exchange({ origin: url, ca: createAuthority().pem }, to('127.0.0.1'))))).toBe('certificate');
    expect(told(await get(exchange({ origin: `https://other.internal:${secure.port}` }, to('127.0.0.1'))))).toBe('certificate');
  });

  test.each([
    ['for a protocol that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'],
    ['without saying for what', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['and the length of a body twice', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
  ])('is over where the server leaves HTTP %s', async (_, head) => {
    const raw = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.write(head));
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const address = raw.address();
    const one = exchange({ origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` });
    expect(told(await get(one))).toBe('connection');
    one.stop();
    raw.close();
  });

  test('one that was stopped says so, also what waits', async () => {
    plain.answer = () => hang;
    const one = exchange({ origin: plain.origin, timeoutMs: 10_000 });
    const waiting = get(one);
    await expect.poll(() => plain.asked.length).toBe(1);
    one.stop();
    expect(told(await waiting)).toBe('stopped');
    expect(told(await get(one))).toBe('stopped');
  });

  test('a kept connection that was closed meanwhile is no failure', async () => {
    let first = true;
    const old = new WeakSet<object>();
    const raw: Server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        if (first) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}');
        else if (!old.has(socket)) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-type: application/json\r\n\r\n"ok"');
        else socket.resetAndDestroy();
        old.add(socket);
        first = false;
      });
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const address = raw.address();
    const one = exchange({ origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` });
    expect(told(await get(one))).toBe('{}');
    expect(told(await get(one))).toBe('"ok"');
    one.stop();
    raw.close();
  });
});

describe('the guard', () => {
  const at = (...addresses: readonly string[]) => get(exchange({ origin: `http://pip.internal:${plain.port}` }, to(...addresses)));

  test.each([
    ['a private network', { host: false, blocks: [] }, '127.0.0.1'],
    ['another block', { host: false, blocks: ['10.0.0.0/8', '127.0.0.2'] }, '127.0.0.1'],
    ['link-local, where cloud metadata is', LOCAL, '169.254.169.254'],
    ['the same as IPv6', LOCAL, '::ffff:169.254.169.254'],
    ['IPv6 link-local', LOCAL, 'fe80::1'],
    ['no address at all', LOCAL, '0.0.0.0'],
    ['multicast', LOCAL, '224.0.0.1'],
    ['documentation', LOCAL, '192.0.2.1'],
    ["Alibaba Cloud's metadata", LOCAL, '100.100.100.200'],
    ["Amazon's metadata over IPv6", LOCAL, 'fd00:ec2::254'],
    ["Google's metadata over IPv6", LOCAL, 'fd20:ce::254'],
  ] as const)('lets nothing go to %s', async (_what, allowPrivate, address) => {
    const one = exchange({ origin: `http://pip.internal:${plain.port}`, allowPrivate }, to(address));
    expect(told(await get(one))).toBe('address_not_allowed');
    const literal = exchange({ origin: `http://${address.includes(':') ? `[${address}]` : address}:${plain.port}`, allowPrivate });
    expect(told(await get(literal))).toBe('address_not_allowed');
    expect(plain.connections).toBe(0);
  });

  test.each([
    ['the host', LOCAL],
    ['the address', { host: false, blocks: ['127.0.0.1'] }],
    ['a block around it', { host: false, blocks: ['127.0.0.0/8'] }],
  ] as const)('lets it go where %s is named', async (_what, allowPrivate) => {
    const one = exchange({ origin: `http://pip.internal:${plain.port}`, allowPrivate }, to('127.0.0.1'));
    expect(told(await get(one))).toBe('{"data":{"tier":"gold"}}');
  });

  test('one address that is not allowed spoils a name, wherever it stands', async () => {
    expect(told(await at('127.0.0.1', '169.254.169.254'))).toBe('address_not_allowed');
    expect(told(await at('169.254.169.254', '127.0.0.1'))).toBe('address_not_allowed');
    expect(plain.connections).toBe(0);
  });

  test('goes to an address that was looked at, whatever the name server says next', async () => {
    let asked = 0;
    const rebind: ResolveHost = () => Promise.resolve(asked++ === 0 ? ['127.0.0.1'] : ['169.254.169.254']);
    const one = exchange({ origin: `http://pip.internal:${plain.port}` }, rebind);
    expect(told(await get(one))).toBe('{"data":{"tier":"gold"}}');
    expect(asked).toBe(1);
    // on a new connection it is looked at again
    plain.answer = () => status(200, '{}', { connection: 'close' });
    await get(one);
    expect(told(await get(one))).toBe('address_not_allowed');
  });

  test('a name that is not known, or that nobody can say anything of', async () => {
    const origin = `http://pip.internal:${plain.port}`;
    expect(told(await get(exchange({ origin }, () => Promise.resolve(null))))).toBe('name_unknown');
    expect(told(await get(exchange({ origin }, () => Promise.resolve([]))))).toBe('name_unknown');
    expect(told(await get(exchange({ origin })))).toBe('resolution');
    expect(told(await get(exchange({ origin }, () => new Promise(() => undefined))))).toBe('timeout');
  });
});
