import { connect as connectTcp } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCheck } from '../support/ext-authz-wire.ts';
import { frame } from '../support/grpc-client.ts';
import { CHECK, checkOf, denial, type Fixture, startGrpc } from '../support/grpc-fixture.ts';

/** The live listener under bytes that no gateway sends. Its PDP denies, so that any allow would come from nowhere. */
let server: Fixture;
const uncaught: unknown[] = [];
const note = (error: unknown) => uncaught.push(error);
beforeAll(async () => {
  process.on('uncaughtExceptionMonitor', note);
  process.on('unhandledRejection', note);
  server = await startGrpc({ decide: () => denial(403), deadlineMs: 2_000 });
});
afterAll(async () => {
  process.off('uncaughtExceptionMonitor', note);
  process.off('unhandledRejection', note);
  await server.close();
});

/** A new connection gets a right answer. */
async function lives(): Promise<void> {
  const client = await server.connect();
  expect(checkOf(await client.unary(CHECK, encodeCheck({}))).denied?.status).toBe(403);
  await client.close();
  expect(uncaught).toEqual([]);
}

describe('the server lives', () => {
  test('random DATA: never an allow, and OK or a failure of framing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), async (parts) => {
        const answer = await server.client.raw(CHECK, parts);
        expect([0, 13]).toContain(answer.grpcStatus);
        if (answer.grpcStatus === 0) expect(checkOf(answer).code).not.toBe(0);
        else expect(answer.messages).toEqual([]);
      }),
      { numRuns: 200 },
    );
    await lives();
  });

  test('random bytes in good framing: always OK, never an allow', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (message) => {
        expect(checkOf(await server.client.unary(CHECK, message)).code).not.toBe(0);
      }),
      { numRuns: 200 },
    );
    await lives();
  });

  test('a good message with any bytes of it changed', async () => {
    const good = encodeCheck({
      sourceIp: '203.0.113.7',
      http: { method: 'POST', path: '/a?b=c', host: 'h', headers: [['a', 'b']], headerMap: [['c', Buffer.from('d')]], size: 5, body: '{}' },
      contextExtensions: { a: 'b' },
      filterMetadata: { 'envoy.filters.http.jwt_authn': { p: { iss: 'x', list: [1, true, null] } } },
      sni: 's',
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), async (changes) => {
        const message = Buffer.from(good);
        for (const [at, byte] of changes) message[at] = byte;
        expect(checkOf(await server.client.unary(CHECK, message)).code).not.toBe(0);
      }),
      { numRuns: 300 },
    );
    await lives();
  });

  test('resets at any point', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.integer({ min: 0, max: 13 }), async (bytes, code) => {
        const stream = server.client.open(CHECK);
        stream.on('error', () => {});
        const closed = new Promise((resolve) => stream.on('close', resolve));
        stream.write(frame(encodeCheck({})).subarray(0, bytes));
        setImmediate(() => stream.close(code));
        await closed;
      }),
      { numRuns: 100 },
    );
    await lives();
  });

  test('200 extra headers, a header of 70 kB, odd values of every header that is read', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-extra-${index}`, 'v']));
    for (const metadata of [
      many,
      { 'x-long': 'a'.repeat(70_000) },
      { 'grpc-timeout': 'never' },
      { 'grpc-timeout': '99999999H' },
      { 'x-countersign-pep-token': 'a, b' },
      { 'grpc-encoding': 'gzip' },
      { 'content-type': ';' },
      { ':path': '/'.repeat(5_000) },
    ]) {
      const client = await server.connect();
      const answer = await client.unary(CHECK, encodeCheck({}), metadata);
      if (answer.grpcStatus === 0) expect(checkOf(answer).code).not.toBe(0);
      client.session.destroy();
    }
    await lives();
  });

  test('HTTP/1, TLS and noise on the port', async () => {
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    const talk = (bytes: Uint8Array | string) =>
      new Promise<void>((resolve) => {
        const socket = connectTcp(server.port, '127.0.0.1');
        socket.on('error', () => {});
        socket.on('data', () => {});
        socket.on('close', () => resolve());
        socket.end(bytes);
      });
    await talk('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await talk(Buffer.from('16030100f8010000f40303', 'hex'));
    await talk(preface);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (noise, asHttp2) => {
        await talk(asHttp2 ? Buffer.concat([Buffer.from(preface), noise]) : noise);
      }),
      { numRuns: 100 },
    );
    await lives();
  });
});
