import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CODES } from '../../src/contract/codes.ts';
import { ask, QUESTION, type Served, sendRaw, serve } from './fixtures.ts';
import { expectProblem } from './problem.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
afterAll(() => served.listener.stop(1000));

/** A request with headers that fetch would not send. */
function plain(
  headers: Record<string, string>,
  method = 'POST',
  path = '/decide',
): Promise<{ status: number; code: unknown; headers: object }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port: served.port, method, path, headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, code: JSON.parse(text || '{}').code, headers: answer.headers }));
    });
    sent.on('error', reject);
    sent.end(method === 'GET' || method === 'HEAD' ? undefined : JSON.stringify(QUESTION));
  });
}
const JSON_HEADERS = { 'content-type': 'application/json' };

describe('the fast lane', () => {
  test('a decision is 200, not stored, and carries its id', async () => {
    const answer = await ask(served, QUESTION);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('x-countersign-decision-id')).toBe('id-1');
    expect(await answer.json()).toMatchObject({ decision: 'allow', decision_id: 'id-1' });
  });

  test('a query does not send it to Express', async () => {
    expect((await ask(served, QUESTION, {}, '/decide?explain=true')).status).toBe(200);
    expect((await ask(served, QUESTION, {}, '/decide?')).status).toBe(200);
  });

  test.each(['/decidex', '/decide/', '/Decide', '/%64ecide', '//decide', '/', '/x?/decide'])('%s is nothing', async (target) => {
    await expectProblem(await ask(served, QUESTION, {}, target), 'not_found');
  });

  test('routing looks at the raw target: an absolute form and a target that Express cannot decode are nothing', async () => {
    for (const target of ['http://127.0.0.1/decide', '/%zz', '/%c0%ae']) {
      expect(await plain(JSON_HEADERS, 'POST', target)).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  test('another method is 405 with Allow', async () => {
    expect(await plain({}, 'GET')).toMatchObject({ status: 405, code: 'method_not_allowed', headers: { allow: 'POST' } });
    expect(await plain(JSON_HEADERS, 'PUT')).toMatchObject({ status: 405 });
  });
});

describe('who may ask', () => {
  test('an Origin, whatever it is, is refused on every path', async () => {
    expect(await plain({ ...JSON_HEADERS, origin: 'null' })).toMatchObject({ status: 403, code: 'origin_forbidden' });
    expect(await plain({ origin: 'http://127.0.0.1' }, 'GET', '/x')).toMatchObject({ status: 403, code: 'origin_forbidden' });
  });

  test('an Origin behind 2,100 other headers is seen', async () => {
    const many = Array.from({ length: 2100 }, (_, index) => `a${index % 10}:\r\n`).join('');
    const text = await sendRaw(served.port, `POST /decide HTTP/1.1\r\nhost: localhost\r\n${many}origin: http://evil\r\n\r\n`);
    expect(text).toContain('origin_forbidden');
  });

  test.each(['evil.example', 'localhost.evil.example', 'a@localhost'])('Host %j is not served here', async (host) => {
    expect(await plain({ ...JSON_HEADERS, host })).toMatchObject({ status: 421, code: 'host_misdirected' });
  });

  test.each(['1.1\r\nhost:', '1.1\r\nx: y', '1.0'])('nor is a request without one: HTTP/%j', async (rest) => {
    const text = await sendRaw(served.port, `POST /decide HTTP/${rest}\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 421 /);
    expect(text).toContain('"code":"host_misdirected"');
  });

  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:8080', '[::1]', 'pdp.example.'])('Host %j is', async (host) => {
    expect(await plain({ ...JSON_HEADERS, host })).toMatchObject({ status: 200 });
  });

  test('[asks 24] an unknown gateway gets 401 with the realm of the PDP; a wrong token is never the anonymous one', async () => {
    const wrong = [{ 'x-countersign-pep-token': 'no' }, { authorization: 'Bearer no' }, { authorization: 'Basic eDp5' }];
    const both = { 'x-countersign-pep-token': 'edge-token', authorization: 'Bearer bare-token' };
    for (const headers of [...wrong, both]) {
      const answer = await ask(served, QUESTION, headers);
      expect(answer.headers.get('www-authenticate')).toContain('realm="Countersign PDP');
      await expectProblem(answer, 'pep_unauthenticated');
    }
  });

  test('a gateway is known by either header', async () => {
    for (const headers of [{ 'x-countersign-pep-token': 'edge-token' }, { authorization: 'Bearer edge-token' }]) {
      expect((await ask(served, QUESTION, headers)).status).toBe(200);
      expect(served.asked.at(-1)?.pep.name).toBe('edge');
    }
  });

  test('a policy that the gateway may not ask for is 403', async () => {
    await expectProblem(await ask(served, { ...QUESTION, policy: 'payments' }), 'policy_not_allowed', 'policy');
    expect((await ask(served, { ...QUESTION, policy: 'payments' }, { 'x-countersign-pep-token': 'edge-token' })).status).toBe(200);
    expect(served.asked.at(-1)?.policyName).toBe('payments');
  });
});

describe('a bad body never becomes a decision', () => {
  test.each<[string, string | Uint8Array, keyof typeof CODES, string?]>([
    ['empty', '', 'body_empty'],
    ['no JSON', '{', 'body_invalid_json'],
    ['not UTF-8', Uint8Array.from([0x7b, 0xff, 0x7d]), 'body_invalid_utf8'],
    ['a name twice', '{"policy":"a","\\u0070olicy":"b"}', 'body_duplicate_key', 'policy'],
    ['a lone surrogate', '{"policy":"\\ud800"}', 'body_lone_surrogate'],
    ['too deep', `{"context":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`, 'body_too_deep'],
    [
      'too many names',
      JSON.stringify({ context: Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [n, n])) }),
      'body_too_many_keys',
    ],
    ['null', 'null', 'request_invalid'],
    ['a list', '[]', 'request_invalid'],
    ['an unknown member', '{"polcy":"default"}', 'request_invalid', 'polcy'],
    ['a wrong type', '{"source":{"port":"x"}}', 'request_invalid', 'source.port'],
    ['an own __proto__', '{"__proto__":{"policy":"x"}}', 'request_invalid', '__proto__'],
    ['a context beyond 16 KiB', JSON.stringify({ context: { a: 'x'.repeat(16_384) } }), 'context_too_large', 'context'],
    ['a context of 9 levels', '{"context":{"a":[[[[[[[[]]]]]]]]}}', 'context_too_large', 'context'],
  ])('%s', async (_, body, code, field) => {
    const before = served.asked.length;
    await expectProblem(await ask(served, body), code, field);
    expect(served.asked).toHaveLength(before);
  });

  test('content types', async () => {
    for (const type of ['text/plain', 'application/jsonx', 'application/x-www-form-urlencoded', '']) {
      await expectProblem(await ask(served, QUESTION, { 'content-type': type }), 'content_type_unsupported');
    }
    expect((await ask(served, QUESTION, { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200);
  });

  test('a content encoding', async () => {
    await expectProblem(await ask(served, QUESTION, { 'content-encoding': 'gzip' }), 'content_encoding_unsupported');
    expect((await ask(served, QUESTION, { 'content-encoding': 'identity' })).status).toBe(200);
  });

  test('1 MiB is the end, and 3 MB are read away so that the answer arrives', async () => {
    const fits = JSON.stringify(QUESTION).padEnd(1_048_576, ' ');
    expect((await ask(served, fits)).status).toBe(200);
    for (const size of [1_048_577, 3_000_000]) await expectProblem(await ask(served, ' '.repeat(size)), 'body_too_large');
  });

  test('a chunked body in pieces is put together', async () => {
    const text = JSON.stringify({ ...QUESTION, context: { word: 'é' } });
    const pieces = [...Buffer.from(text)].map((byte) => Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]));
    const head = Buffer.from(
      'POST /decide HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    expect(await sendRaw(served.port, Buffer.concat([head, ...pieces, Buffer.from('0\r\n\r\n')]))).toMatch(/^HTTP\/1.1 200/);
    expect(served.asked.at(-1)?.context).toEqual({ word: 'é' });
  });

  test('a header block beyond its bound is our 431', async () => {
    const text = await sendRaw(served.port, `POST /decide HTTP/1.1\r\nhost: localhost\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 1000);
    expect(text).toMatch(/^HTTP\/1.1 431 /);
    expect(text).toContain('"code":"headers_too_large"');
  });

  test.each([
    '\x16\x03\x01\x02\x00',
    'GET\r\n\r\n',
    'POST /decide HTTP/9.9\r\n\r\n',
    'POST /decide HTTP/1.1\r\nhost : x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ])('bytes that are no HTTP/1.1 are our 400: %j', async (bytes) => {
    const text = await sendRaw(served.port, bytes);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(text).toContain('"code":"request_invalid"');
  });

  test('two lengths, or length and chunks, are no request', async () => {
    const head = 'POST /decide HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
    for (const lengths of ['content-length: 2\r\ncontent-length: 3\r\n', 'content-length: 2\r\ntransfer-encoding: chunked\r\n']) {
      expect(await sendRaw(served.port, `${head}${lengths}\r\n{}`)).toMatch(/^HTTP\/1.1 400 /);
    }
  });
});

test('every refusal at the border is told, so that it can be counted', async () => {
  const counted = await serve(undefined, { inFlightMax: 1 });
  await ask(counted, '{');
  await ask(counted, QUESTION, { authorization: 'Bearer no' });
  await ask(counted, QUESTION, { 'content-type': 'text/plain' });
  await ask(counted, QUESTION, { origin: 'null' });
  await sendRaw(counted.port, 'GET / HTTP/1.1\r\nhost: evil\r\n\r\n', 50);
  await sendRaw(counted.port, 'x\r\n\r\n', 50);
  expect(counted.refused).toEqual([
    'body_invalid_json',
    'pep_unauthenticated',
    'content_type_unsupported',
    'origin_forbidden',
    'host_misdirected',
    'request_invalid',
  ]);
  await counted.listener.stop(1000);
});
