import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CODES } from '../../src/contract/codes.ts';
import { ask, QUESTION, type Served, sendRaw, serve } from '../endpoints/fixtures.ts';

/** Every exception that nobody caught would end the real process; vitest reports it as a failure of the run, and this counts it. */
const uncaught: unknown[] = [];
const onUncaught = (cause: unknown) => uncaught.push(cause);

let served: Served;
beforeAll(async () => {
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  served = await serve();
});
afterAll(async () => {
  await served.listener.stop(1000);
  process.off('uncaughtException', onUncaught);
  process.off('unhandledRejection', onUncaught);
});

async function expectAlive(): Promise<void> {
  expect((await ask(served, QUESTION)).status).toBe(200);
  expect(uncaught).toEqual([]);
  expect(served.logger.lines.filter((line) => line.level === 'error')).toEqual([]);
}

const KNOWN = Object.keys(CODES);

type Answered = { readonly code?: string; readonly status?: number; readonly decision?: string };

describe('the live listener', () => {
  test('random bytes as a body: a decision or a problem with a known code, never a failure of ours', async () => {
    const member = fc.constantFrom(
      'request',
      'source',
      'token',
      'certificate',
      'tls',
      'rate',
      'subject',
      'action',
      'resource',
      'context',
      'policy',
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.dictionary(member, fc.jsonValue(), { maxKeys: 4 }).map((value) => Buffer.from(JSON.stringify(value))),
      fc
        .record({
          method: fc.string({ unit: 'binary', maxLength: 8 }),
          path: fc.string({ unit: 'binary', maxLength: 40 }),
          host: fc.string({ unit: 'binary', maxLength: 20 }),
          headers: fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), fc.string({ unit: 'binary', maxLength: 8 })),
        })
        .map((request) => Buffer.from(JSON.stringify({ request }))),
    );
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        const answer = await ask(served, bytes);
        const answered: Answered = JSON.parse(await answer.text());
        if (answer.status !== 200) {
          expect(KNOWN).toContain(answered.code);
          expect(answered.code).not.toBe('internal_error');
          expect(answer.status).toBe(answered.status);
        } else {
          expect(answered.decision).toBe('allow');
        }
      }),
      { numRuns: 400 },
    );
    await expectAlive();
  });

  test('random targets and methods: exactly /decide is the fast lane', async () => {
    const target = fc.oneof(
      fc.webPath(),
      fc.constantFrom('/decide', '/decide?explain=true', '/decide/', '/./decide', '/x/../decide'),
      fc.stringMatching(/^\/[!-~]{0,30}$/),
    );
    await fc.assert(
      fc.asyncProperty(target, fc.constantFrom('GET', 'POST', 'OPTIONS', 'DELETE', 'TRACE', 'PATCH'), async (path, method) => {
        const head = `${method} ${path === '' ? '/' : path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`;
        const status = Number((await sendRaw(served.port, head)).slice(9, 12));
        const isDecide = path === '/decide' || path.startsWith('/decide?');
        expect(status).toBe(isDecide ? (method === 'POST' ? 200 : 405) : 404);
      }),
      { numRuns: 300 },
    );
    await expectAlive();
  });

  test('random bytes on the socket, also cut and pipelined', async () => {
    const line = fc.constantFrom(
      'POST /decide HTTP/1.1\r\n',
      'host: localhost\r\n',
      'content-type: application/json\r\n',
      'content-length: 2\r\n',
      'transfer-encoding: chunked\r\n',
      'expect: 100-continue\r\n',
      'connection: upgrade\r\nupgrade: h2c\r\n',
      'CONNECT localhost:1 HTTP/1.1\r\n',
      '\r\n',
      '{}',
      '2\r\n{}\r\n0\r\n\r\n',
    );
    const piece = fc.oneof(
      { weight: 4, arbitrary: line.map((text) => Buffer.from(text)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 16 }), async (pieces) => {
        const text = await sendRaw(served.port, Buffer.concat(pieces), 15);
        expect(text === '' || text.startsWith('HTTP/1.1 ')).toBe(true);
      }),
      { numRuns: 200 },
    );
    await expectAlive();
  });
});
