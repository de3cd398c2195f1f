import { afterEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/contract/decision.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import type { Awaitable } from '../../../src/contract/stages.ts';
import type { HttpServerOptions } from '../../../src/endpoints/http-server.ts';
import { createPepAuth } from '../../../src/endpoints/pep-auth.ts';
import { type Received, type Sent, send } from '../../support/http-client.ts';
import { ALLOW, pepOptions, type Served, sendRaw, serve, sha256 } from '../fixtures.ts';

const pepAuth = createPepAuth([pepOptions('edge', ['client_address'], { tokenSha256: sha256('edge') })], ['default']);

let served: Served | null = null;
afterEach(async () => {
  await served?.listener.stop(100);
  served = null;
});

async function start(
  decide: (request: DecisionRequest) => Awaitable<Decision> = () => ALLOW,
  more: Partial<HttpServerOptions> = {},
): Promise<Served> {
  await served?.listener.stop(100);
  served = await serve(decide, { pepAuth, ...more });
  return served;
}

function ask(at: Served, more: Partial<Sent> = {}, token: readonly string[] = ['edge']): Promise<Received> {
  const facts = ['x-original-proto', 'https', 'x-original-remote-addr', '203.0.113.7'];
  const tokens = token.flatMap((one) => ['x-countersign-pep-token', one]);
  return send(at.port, { path: '/envoy/a', ...more, headers: ['host', 'api.example.com', ...facts, ...tokens, ...(more.headers ?? [])] });
}

const deny = (status: number, more: Partial<Decision> = {}): Decision => ({
  ...ALLOW,
  effect: 'deny',
  upstream: { headersToSet: {}, headersToRemove: [] },
  response: { status, headers: { 'retry-after': '7', 'www-authenticate': 'Bearer realm="x"' }, body: { title: 'No', status } },
  ...more,
});

describe('allow', () => {
  test('is 200 with one line a header, and the names that go', async () => {
    const upstream = {
      headersToSet: { 'x-countersign-subject': 'Zoë\r\nx: y', 'x-countersign-actor': '', 'x-a': '1', host: 'evil' },
      headersToAppend: [['x-a', '2'] as const, ['x-b', '3'] as const],
      headersToRemove: ['x-api-key', 'x-a', 'bad name', 'host'],
      responseHeadersToSet: { ratelimit: '"burst";r=1;t=1', 'x-a': 'client' },
      responseHeadersToAppend: [['set-cookie', 'a'] as const, ['set-cookie', 'b'] as const],
    };
    const answer = await ask(await start(() => ({ ...ALLOW, upstream })), { headers: ['origin', 'https://page.example'] });
    expect([answer.status, answer.body]).toEqual([200, '']);
    expect(answer.headers).toMatchObject({ 'x-a': '1, 2', 'x-b': '3', ratelimit: '"burst";r=1;t=1', 'set-cookie': ['a', 'b'] });
    expect(answer.headers['x-countersign-subject']).toMatch(/^=\?base64\?/);
    expect(answer.headers['x-envoy-auth-headers-to-remove']).toBe('x-api-key,x-countersign-actor');
    expect(answer.headers).not.toHaveProperty('x-countersign-actor');
  });

  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'])('by %s', async (method) => {
    const at = await start();
    expect((await ask(at, { method })).status).toBe(200);
    expect(at.asked[0]?.http?.method).toBe(method);
  });

  test('a body is read', async () => {
    const at = await start();
    const headers = ['content-type', 'application/json', 'x-envoy-auth-partial-body', 'false'];
    await ask(at, { method: 'POST', body: '{"a":1}', headers });
    await ask(at, { method: 'POST', body: '', headers });
    expect(at.asked.map(({ http }) => [http?.body.status, http?.body.json])).toEqual([
      ['parsed', { a: 1 }],
      ['absent', null],
    ]);
  });

  test("a request to change protocols is asked about, and does not become the question's own", async () => {
    const at = await start();
    const lines = ['GET /envoy/a HTTP/1.1', 'Host: a', 'X-Countersign-Pep-Token: edge', 'Connection: Upgrade', 'Upgrade: websocket'];
    expect(await sendRaw(at.port, `${lines.join('\r\n')}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(at.asked).toHaveLength(1);
  });
});

describe('deny and step_up', () => {
  test.each([301, 400, 401, 403, 404, 413, 429, 451])('with %i come as they are', async (status) => {
    const answer = await ask(await start(() => deny(status)));
    expect([answer.status, JSON.parse(answer.body)]).toEqual([status, { title: 'No', status }]);
    expect(answer.headers).toMatchObject({
      'www-authenticate': 'Bearer realm="x"',
      'retry-after': '7',
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-countersign-decision': 'deny',
      'x-countersign-decision-id': 'id-1',
    });
    expect(answer.headers).not.toHaveProperty('x-countersign-status');
  });

  test.each([500, 503, 599])('with %i are 403: Envoy could pass what it takes for an error', async (status) => {
    for (const errorsAs of [503, 403] as const) {
      const answer = await ask(await start(() => deny(status), { envoy: { errorsAs } }));
      expect([answer.status, answer.headers['x-countersign-status']]).toEqual([403, String(status)]);
      expect(JSON.parse(answer.body)).toEqual({ title: 'No', status: 403 });
    }
  });

  test.each([100, 200, 204, 299, 600, 401.5])('with %d, which would pass or break the answer, are 403', async (status) => {
    expect((await ask(await start(() => deny(status)))).status).toBe(403);
  });

  test('text of a policy, several lines, and HEAD', async () => {
    const response = {
      status: 403,
      headers: { 'content-type': 'text/plain' },
      body: {},
      text: 'no',
      headersToAppend: [['set-cookie', 'a']],
    };
    const decided = deny(403, { effect: 'step_up', response: { ...response, headersToAppend: [['set-cookie', 'a']] } });
    const at = await start(() => decided);
    const answer = await ask(at);
    expect([answer.body, answer.headers['content-type'], answer.headers['set-cookie']]).toEqual(['no', 'text/plain', ['a']]);
    expect(answer.headers['x-countersign-decision']).toBe('step_up');
    expect(await ask(at, { method: 'HEAD' })).toMatchObject({ status: 403, body: '' });
  });
});

describe('no decision', () => {
  const failures: (() => Awaitable<Decision>)[] = [
    () => deny(503, { error: { code: 'deadline_exceeded' } }),
    () => Promise.reject(new Error('x')),
    () => {
      throw new Error('x');
    },
    // an allow with an error is none
    () => ({ ...ALLOW, error: { code: 'internal_error' } }),
  ];
  test.each([
    [503, undefined],
    [403, '503'],
  ] as const)('is %i', async (errorsAs, meant) => {
    for (const decide of failures) {
      const answer = await ask(await start(decide, { envoy: { errorsAs } }));
      expect([answer.status, answer.headers['x-countersign-status']]).toEqual([errorsAs, meant]);
      expect(answer.headers['x-countersign-error']).toMatch(/^(deadline_exceeded|internal_error)$/);
      expect(JSON.parse(answer.body)).toMatchObject({ status: errorsAs });
    }
  });

  test('is 503 where nothing is configured', async () => {
    expect((await ask(await start(failures[0]))).status).toBe(503);
  });
});

describe('the border', () => {
  test('an unknown gateway is 403 and no challenge; the authorization is the client’s', async () => {
    const at = await start();
    for (const [token, headers] of [
      [[], []],
      [['guess'], []],
      [['edge', 'edge'], []],
      [[], ['authorization', 'Bearer edge']],
    ] as const) {
      const answer = await ask(at, { headers }, token);
      expect([answer.status, answer.headers['x-countersign-error'], answer.headers['www-authenticate']]).toEqual([
        403,
        'pep_unauthenticated',
        undefined,
      ]);
    }
    expect(at.asked).toEqual([]);
  });

  test('an anonymous gateway is answered where one is configured', async () => {
    const anonymous = createPepAuth([pepOptions('local', [], { anonymous: true })], ['default']);
    const at = await start(() => ALLOW, { pepAuth: anonymous });
    expect((await ask(at, {}, [])).status).toBe(200);
  });

  test('a fact that is there twice is a 400 that names it', async () => {
    const at = await start();
    const answer = await ask(at, { headers: ['x-original-proto', 'http'] });
    expect([answer.status, answer.headers['x-countersign-error'], answer.headers['x-countersign-field']]).toEqual([
      400,
      'request_invalid',
      'x-original-proto',
    ]);
    expect([at.asked, at.refused]).toEqual([[], ['request_invalid']]);
  });

  test('a body that is too long is 413, and with too many questions at once there is no 503 for a failure mode', async () => {
    const at = await start(() => ALLOW, { bodyMaxBytes: 1024, inFlightMax: 1 });
    expect(await ask(at, { method: 'POST', body: 'x'.repeat(2000) })).toMatchObject({
      status: 413,
      headers: { 'x-countersign-error': 'body_too_large' },
    });
    let release: (decision: Decision) => void = () => {};
    const slow = await start(
      () =>
        new Promise<Decision>((resolve) => {
          release = resolve;
        }),
      { inFlightMax: 1 },
    );
    const first = ask(slow);
    await expect.poll(() => slow.asked.length).toBe(1);
    const second = await ask(slow);
    expect(second).toMatchObject({
      status: 403,
      headers: { 'x-countersign-error': 'overloaded', 'retry-after': '1', 'x-countersign-status': '503' },
    });
    release(ALLOW);
    expect((await first).status).toBe(200);
    expect(slow.refused).toEqual(['overloaded']);
  });

  test.each(['/envoy', '/envoy?x=1', '/envoyx', '/Envoy/a', '/%65nvoy/a', '//envoy/a', '/./envoy/a'])(
    '%s is another address, under the guards of the others',
    async (path) => {
      const at = await start();
      expect((await ask(at, { path })).status).toBe(421);
      expect((await send(at.port, { path, headers: ['x-countersign-pep-token', 'edge'] })).status).toBe(404);
      expect(at.asked).toEqual([]);
    },
  );
});
