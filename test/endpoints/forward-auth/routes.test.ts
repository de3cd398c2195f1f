import { afterEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/contract/decision.ts';
import { DIALECTS, type Dialect } from '../../../src/contract/pep.ts';
import type { DecisionRequest } from '../../../src/contract/request.ts';
import type { Awaitable } from '../../../src/contract/stages.ts';
import { DIALECT_HEADERS } from '../../../src/endpoints/forward-auth/schema.ts';
import { createPepAuth } from '../../../src/endpoints/pep-auth.ts';
import { type Received, send } from '../../support/http-client.ts';
import { ALLOW, pepOptions, type Served, serve, sha256 } from '../fixtures.ts';

const pepAuth = createPepAuth(
  [
    ...DIALECTS.map((dialect) => pepOptions(dialect, ['client_address'], { tokenSha256: sha256(dialect), dialect })),
    pepOptions('without', ['client_address'], { tokenSha256: sha256('without') }),
  ],
  ['default', 'payments'],
);

let served: Served | null = null;
afterEach(async () => {
  await served?.listener.stop(100);
  served = null;
});

async function start(decide: (request: DecisionRequest) => Awaitable<Decision> = () => ALLOW): Promise<Served> {
  served = await serve(decide, { pepAuth });
  return served;
}

function ask(
  at: Served,
  dialect: Dialect,
  more: readonly string[] = [],
  token: string = dialect,
  path = '/forward-auth',
): Promise<Received> {
  const { method, target, host, scheme, address } = DIALECT_HEADERS[dialect];
  const lines = [method, 'GET', target, '/a', host, 'api.example.com', scheme, 'https', address, '203.0.113.7'];
  return send(at.port, { path, headers: [...lines, 'x-countersign-pep-token', token, ...more] });
}

const DENY: Decision = {
  ...ALLOW,
  effect: 'deny',
  upstream: { headersToSet: {}, headersToRemove: [] },
  response: {
    status: 429,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '7', ratelimit: '"burst";r=0;t=7' },
    body: { title: 'Too many – zu viele', status: 429 },
  },
};
const deny = (status: number, headers: Record<string, string> = {}): Decision => ({
  ...DENY,
  response: { status, headers, body: { status } },
});

describe.each(DIALECTS)('%s', (dialect) => {
  test('an allow is 200 with what the upstream may believe, and no body', async () => {
    const upstream = {
      headersToSet: { 'x-countersign-subject': 'Zoë\r\nx: y', 'x-countersign-actor': '' },
      headersToRemove: ['x-api-key'],
    };
    const at = await start(() => ({ ...ALLOW, upstream }));
    const answer = await ask(at, dialect, ['origin', 'https://page.example', 'authorization', 'Bearer abc']);
    expect([answer.status, answer.body]).toEqual([200, '']);
    expect(answer.headers).toMatchObject({
      'x-countersign-decision': 'allow',
      'x-countersign-decision-id': 'id-1',
      'cache-control': 'no-store',
    });
    expect(answer.headers['x-countersign-subject']).toMatch(/^=\?base64\?/);
    expect(answer.headers).not.toHaveProperty('x-countersign-actor');
    const remove = dialect === 'haproxy' ? 'x-api-key,x-countersign-actor' : undefined;
    expect(answer.headers['x-countersign-remove']).toBe(remove);
    expect(at.asked[0]?.pep.name).toBe(dialect);
    expect(at.asked[0]?.credentials.authorization).toEqual(['Bearer abc']);
  });

  test.each([400, 401, 403, 404, 413, 429, 451, 500, 503])('a refusal with %i says so', async (status) => {
    const at = await start(() => deny(status, { 'www-authenticate': 'Bearer realm="x"' }));
    const answer = await ask(at, dialect);
    const nginx = dialect === 'nginx';
    expect(answer.status).toBe(nginx && status !== 401 ? 403 : status);
    expect(answer.headers['x-countersign-status']).toBe(nginx ? String(status) : undefined);
    expect(answer.headers['x-countersign-body']).toBe(nginx ? JSON.stringify({ status }) : undefined);
    expect(answer.headers).toMatchObject({ 'www-authenticate': 'Bearer realm="x"', 'content-type': 'application/problem+json' });
    expect(answer.headers['x-countersign-decision']).toBe('deny');
    expect(JSON.parse(answer.body)).toEqual({ status });
  });

  test('a failure to decide is 503, also where the PDP throws or rejects', async () => {
    for (const decide of [
      () => ({ ...deny(503), error: { code: 'deadline_exceeded' } }) as const,
      () => Promise.reject(new Error('x')),
      () => {
        throw new Error('x');
      },
      // an allow with an error is none
      () => ({ ...ALLOW, error: { code: 'internal_error' } }) as const,
    ]) {
      const at = await start(decide);
      const answer = await ask(at, dialect);
      expect(answer.headers['x-countersign-status'] ?? String(answer.status)).toBe('503');
      expect(answer.headers['x-countersign-error']).toMatch(/^(deadline_exceeded|internal_error)$/);
      await at.listener.stop(100);
    }
  });

  test('what the gateway did not say is a 400 that names the header, and nobody is asked', async () => {
    const at = await start();
    const { method } = DIALECT_HEADERS[dialect];
    const answer = await send(at.port, { path: '/forward-auth', headers: ['x-countersign-pep-token', dialect] });
    expect(answer.headers['x-countersign-status'] ?? String(answer.status)).toBe('400');
    expect(answer.headers).toMatchObject({ 'x-countersign-error': 'request_incomplete', 'x-countersign-field': method });
    expect([at.asked.length, at.refused]).toEqual([0, ['request_incomplete']]);
  });

  test('a spelling of one of our headers is told, or a 400 where the gateway would hand it on', async () => {
    const at = await start();
    const answer = await ask(at, dialect, ['x-countersign_subject', 'forged']);
    if (dialect === 'traefik' || dialect === 'apisix') {
      expect([answer.status, answer.headers['x-countersign-error']]).toEqual([400, 'header_look_alike']);
      expect(answer.headers['x-countersign-decision']).toBe('deny');
      expect([at.asked.length, at.refused]).toEqual([0, ['header_look_alike']]);
      expect(JSON.stringify([answer.headers, answer.body])).not.toContain('forged');
    } else expect([answer.status, at.asked[0]?.flags]).toEqual([200, ['header_underscore']]);
  });

  test('a policy by the query of the target, of its own only', async () => {
    const at = await start();
    expect((await ask(at, dialect, [], dialect, '/forward-auth?policy=default')).status).toBe(200);
    expect(at.asked[0]?.policyName).toBe('default');
    const answer = await ask(at, dialect, [], dialect, '/forward-auth?policy=payments');
    expect([answer.status, answer.headers['x-countersign-error']]).toEqual([403, 'policy_not_allowed']);
  });
});

test("nginx's 429 has everything of the answer in its headers, as ASCII", async () => {
  const answer = await ask(await start(() => DENY), 'nginx');
  expect(answer.status).toBe(403);
  expect(answer.headers).toMatchObject({ 'x-countersign-status': '429', 'retry-after': '7', ratelimit: '"burst";r=0;t=7' });
  const text = answer.headers['x-countersign-body'];
  expect(text).toBe('{"title":"Too many \\u2013 zu viele","status":429}');
});

test('an unknown gateway is 403 and no challenge; one without a dialect is told so; a token twice is none', async () => {
  const at = await start();
  for (const [token, more, code] of [
    ['guess', [], 'pep_unauthenticated'],
    ['nginx', ['x-countersign-pep-token', 'nginx'], 'pep_unauthenticated'],
    ['without', [], 'dialect_missing'],
  ] as const) {
    const answer = await ask(at, 'nginx', more, token);
    expect([answer.status, answer.headers['x-countersign-error'], answer.headers['www-authenticate']]).toEqual([403, code, undefined]);
  }
  const bearer = await send(at.port, { path: '/forward-auth', headers: ['authorization', 'Bearer nginx'] });
  expect(bearer.headers['x-countersign-error']).toBe('pep_unauthenticated');
  expect(at.asked).toEqual([]);
});

test('a host that is not ours is refused, and so is any other spelling of the path', async () => {
  const at = await start();
  expect((await ask(at, 'nginx', ['host', 'evil.example'])).status).toBe(421);
  for (const path of ['/forward-auth/', '/Forward-auth', '/forward%2dauth', '//forward-auth']) {
    expect((await ask(at, 'nginx', [], 'nginx', path)).status).toBe(404);
  }
});

test('headers of several lines and for the client arrive', async () => {
  const upstream = {
    headersToSet: { 'x-a': '1' },
    headersToAppend: [['x-a', '2'] as const],
    headersToRemove: [],
    responseHeadersToSet: { 'x-risk': '3' },
  };
  const at = await start(() => ({ ...ALLOW, upstream }));
  const caddy = await ask(at, 'caddy');
  expect(caddy.headers).toMatchObject({ 'x-a': '1, 2', 'x-risk': '3' });
  const haproxy = await ask(at, 'haproxy');
  expect(haproxy.headers).toMatchObject({ 'x-a': '1, 2', 'x-countersign-set': 'x-a', 'x-countersign-response-x-risk': '3' });
});
